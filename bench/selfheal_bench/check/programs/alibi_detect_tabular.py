"""alibi-detect's TabularDrift: Kolmogorov-Smirnov and chi-squared, by feature."""

import json
import sys

import pandas as pd
from alibi_detect.cd import TabularDrift


def main() -> None:
    """Compare."""
    reference_path, current_path, _ = sys.argv[1:]
    reference, current = pd.read_parquet(reference_path), pd.read_parquet(current_path)
    categorical = list(reference.select_dtypes(exclude="number"))
    for name in categorical:  # it takes numbers only
        known = pd.concat([reference[name], current[name]]).unique()
        for side in (reference, current):
            side[name] = pd.Categorical(side[name], categories=known).codes
    places = {reference.columns.get_loc(name): None for name in categorical}
    detector = TabularDrift(reference.to_numpy(), p_val=0.05, categories_per_feature=places)
    verdicts = detector.predict(current.to_numpy(), drift_type="feature")["data"]["is_drift"]
    print(json.dumps({"columns": len(verdicts), "drifted": int(verdicts.sum())}))


if __name__ == "__main__":
    main()
