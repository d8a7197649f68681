"""What is written by hand for comparison judges as Evidently does: else it would be no fair contender."""

import numpy as np
import pandas as pd
import pytest
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType

from selfheal_bench.check.programs.pandas_scipy import drifted

SIZES = [(200, 500), (1_000, 1_000), (1_001, 200), (3_000, 3_000)]


def judged_by_evidently(reference, current, kind):
    """Return the verdict of the test that Evidently chooses."""
    return bool(get_stattest(reference, current, kind, None)(reference, current, kind, None).drifted)


@pytest.mark.filterwarnings("ignore")  # Evidently's and scipy's, of small samples
@pytest.mark.parametrize(("before", "now"), SIZES)
@pytest.mark.parametrize("shift", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("values", [2, 3, 6, 20, None])
def test_the_verdicts_are_evidentlys(before, now, shift, values):
    """On both sides of 1,000 rows, for words, for few different numbers and for many."""
    random = np.random.default_rng([before, now, round(shift * 10), values or 0])
    sides = random.normal(size=before), random.normal(shift, size=now)
    if values is not None:
        sides = tuple(np.clip(np.round(side * values / 4), -values // 2, values // 2) for side in sides)
    reference, current = (pd.Series(side) for side in sides)

    assert drifted(reference, current) == judged_by_evidently(reference, current, ColumnType.Numerical)
    if values is not None:
        reference, current = (side.map("level {:.0f}".format) for side in (reference, current))
        assert drifted(reference, current) == judged_by_evidently(reference, current, ColumnType.Categorical)
