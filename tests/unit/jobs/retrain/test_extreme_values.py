import numpy as np
import pandas as pd

from selfheal_jobs.columns.scan import plan
from selfheal_jobs.retrain.extreme_values import beyond_range
from support.builders.arrow_tables import arrow_table

ROWS = 100
RANDOM = np.random.default_rng(0)


def remarks(**columns: object) -> list[str]:
    """Return what is said of a table whose reference is healthy."""
    healthy = pd.DataFrame({"x": RANDOM.normal(size=ROWS), "z": RANDOM.normal(size=ROWS), "plan": "a"})
    learnt = plan(arrow_table(healthy), arrow_table(healthy)).compared
    return list(beyond_range(healthy.assign(**columns), learnt))


def test_numbers_beyond_single_precision_are_told() -> None:
    """They are gaps to a model: infinity too, and the largest number of single precision not."""
    x = [1e39, -1e39, np.inf, 3.4e38, np.nan] + [0.5] * (ROWS - 5)

    assert remarks(x=x) == ["numbers beyond 3.4e+38 count as missing: 3 in 'x'"]


def test_ordinary_numbers_are_not_told_of() -> None:
    """Nothing is to be said."""
    assert remarks() == []
