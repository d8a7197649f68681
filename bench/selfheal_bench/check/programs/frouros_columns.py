"""frouros, a detector for each column: Kolmogorov-Smirnov and chi-squared. No verdict on the table."""

import json
import sys

import pandas as pd
from frouros.detectors.data_drift import ChiSquareTest, KSTest


def main() -> None:
    """Compare."""
    reference_path, current_path, _ = sys.argv[1:]
    reference, current = pd.read_parquet(reference_path), pd.read_parquet(current_path)
    numerical = set(reference.select_dtypes("number"))
    verdicts = []
    for name in reference.columns:
        detector = KSTest() if name in numerical else ChiSquareTest()
        detector.fit(X=reference[name].to_numpy())
        result, _ = detector.compare(X=current[name].to_numpy())
        verdicts.append(result.p_value < 0.05)
    print(json.dumps({"columns": len(verdicts), "drifted": sum(map(int, verdicts))}))


if __name__ == "__main__":
    main()
