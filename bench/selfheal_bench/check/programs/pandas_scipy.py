"""pandas and scipy alone, with the tests that Evidently chooses by default: what one would write by hand."""

import json
import sys

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import chisquare, ks_2samp, norm, wasserstein_distance

FEW_ROWS = 1_000
FEW_VALUES = 5


def main() -> None:
    """Compare."""
    reference_path, current_path, _ = sys.argv[1:]
    reference, current = pd.read_parquet(reference_path), pd.read_parquet(current_path)
    verdicts = [drifted(reference[name].dropna(), current[name].dropna()) for name in reference.columns]
    print(json.dumps({"columns": len(verdicts), "drifted": sum(verdicts)}))


def drifted(reference: pd.Series, current: pd.Series) -> bool:
    """Judge a column by the test for its kind and its number of rows."""
    numerical = reference.dtype.kind in "if" and reference.nunique() > FEW_VALUES
    if len(reference) <= FEW_ROWS:
        if numerical:
            return bool(ks_2samp(reference, current).pvalue <= 0.05)
        counts = _counts(reference, current)
        return bool((_z_test(*counts) if len(counts[0]) <= 2 else _chi_squared(*counts)) < 0.05)
    if numerical:
        deviation = max(float(np.std(reference)), 0.001)
        return bool(wasserstein_distance(reference, current) / deviation >= 0.1)
    before, now = _counts(reference, current)
    return bool(jensenshannon(before / before.sum(), now / now.sum()) >= 0.1)


def _counts(reference: pd.Series, current: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    before, now = reference.value_counts(), current.value_counts()
    values = before.index.union(now.index)
    return before.reindex(values, fill_value=0).to_numpy(), now.reindex(values, fill_value=0).to_numpy()


def _chi_squared(before: np.ndarray, now: np.ndarray) -> float:
    return float(chisquare(now, before * now.sum() / before.sum()).pvalue)


def _z_test(before: np.ndarray, now: np.ndarray) -> float:
    rows = np.array([before.sum(), now.sum()])
    shares = np.array([before[0], now[0]]) / rows
    pooled = (before[0] + now[0]) / rows.sum()
    if pooled in (0.0, 1.0):
        return 1.0
    deviation = np.sqrt(pooled * (1 - pooled) * (1 / rows).sum())
    return float(2 * norm.sf(abs(shares[0] - shares[1]) / deviation))


if __name__ == "__main__":
    main()
