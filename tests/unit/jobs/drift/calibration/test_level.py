import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.drift.calibration.level import (
    FALSE_ALARMS,
    columns_for_alarm,
    level,
    rank_correlations,
    strictest_level,
)


@given(columns=st.integers(1, 500), threshold=st.floats(0, 1))
def test_so_many_columns_make_an_alarm_and_one_less_does_not(columns: int, threshold: float) -> None:
    """By the very comparison that the verdict makes."""
    needed = columns_for_alarm(columns, threshold)

    assert needed / columns > threshold
    assert (needed - 1) / columns <= threshold


def test_independent_columns_follow_the_binomial_distribution() -> None:
    """Two of six at this level happen in one of 250 checks."""
    found = level(np.eye(6), 2)

    alarms = 1 - (1 - found) ** 6 - 6 * found * (1 - found) ** 5
    assert alarms == pytest.approx(FALSE_ALARMS, rel=0.25)


def test_columns_that_are_one_column_are_judged_as_one() -> None:
    """Each of them is right or wrong together with the others."""
    assert level(np.ones((6, 6)), 2) == pytest.approx(FALSE_ALARMS, rel=0.25)


def test_the_level_never_falls_below_what_any_dependence_allows() -> None:
    """And grows with the number of columns that are needed: ten independent ones are no chance."""
    levels = [level(np.eye(20), needed) for needed in (1, 4, 7, 10)]

    assert levels == sorted(levels)
    assert all(
        found >= strictest_level(20, needed) for found, needed in zip(levels, (1, 4, 7, 10), strict=True)
    )
    assert levels[2] > 0.05


def test_an_alarm_that_cannot_be_allows_everything() -> None:
    """No share is greater than one."""
    assert level(np.eye(3), 4) == 1.0


def test_ranks_are_correlated_whatever_their_scale_and_gaps_take_the_middle() -> None:
    """A column that does not vary is correlated with nothing."""
    x = np.arange(200.0)
    gaps = np.where(np.arange(200) % 4 == 0, math.nan, np.exp(x / 20))

    found = rank_correlations([x, np.exp(x), -x, gaps, np.ones(200), np.full(200, math.nan)])

    assert found[0, :3].tolist() == pytest.approx([1, 1, -1])
    assert 0.8 < found[0, 3] < 1
    assert found[0, 4:].tolist() == [0, 0]
    assert np.diag(found).tolist() == [1] * 6
