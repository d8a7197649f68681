from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.row_times import as_times


@pytest.mark.parametrize(
    "values",
    [
        ["2026-01-01T12:00:00Z", "2026-01-01 13:00:00+01:00"],
        [1767268800, 1767268800],
        [1767268800000.0, 1767268800000.0],
        pd.to_datetime(["2026-01-01T12:00", "2026-01-01T12:00"]),
        pd.to_datetime(["2026-01-01T12:00", "2026-01-01T12:00"]).tz_localize("UTC"),
    ],
)
def test_times_are_read_in_any_form(values: Any) -> None:
    """Whole seconds or thousandths, with a zone or without."""
    assert as_times(pd.Series(values)).tolist() == [1767268800 * 10**9] * 2


@pytest.mark.parametrize("values", [[20260101, 20260101], [20260101.0, 20260101.0], ["20260101", "20260101"]])
def test_times_are_read_by_their_format(values: Any) -> None:
    """As spec.dataset.window.format says: by size, the number would be of seconds in 1970."""
    assert as_times(pd.Series(values), "%Y%m%d").tolist() == [1767225600 * 10**9] * 2


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("time_format", ["", "s"])
def test_a_number_that_is_not_finite_is_no_time(odd: float, time_format: str) -> None:
    """An infinite one is refused by pandas, even where errors are to become NaT."""
    found = as_times(pd.Series([1767268800.0, odd]), time_format)

    assert np.isnat(found).tolist() == [False, True]


@pytest.mark.parametrize("odd", [1767268800000, 1767268800000000, 1.7e18])
def test_a_number_of_another_unit_than_most_is_no_time(odd: float) -> None:
    """One in thousandths would move all seconds to 1970."""
    found = as_times(pd.Series([1767268800.0, odd, 1767268800.0]))

    assert np.isnat(found).tolist() == [False, True, False]
    assert found[0] == np.datetime64("2026-01-01T12:00")


def test_a_second_among_thousandths_is_no_time() -> None:
    """It would be in January 1970."""
    assert np.isnat(as_times(pd.Series([1767268800000, 1767268800, 1767268800000]))).tolist() == [0, 1, 0]
