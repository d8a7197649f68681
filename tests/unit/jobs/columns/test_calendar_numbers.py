"""Which numbers tell a time and are left out, and which years, months and large numbers are features."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.columns.scan import plan
from support.builders.arrow_tables import arrow_table

RANDOM = np.random.default_rng(3)
ROWS = 500


def is_left_out(name: str, reference: Any, current: Any) -> bool:
    """Return whether a column is left out, as a time or as a date."""
    tables = (arrow_table(pd.DataFrame({name: side, "y": 0.5})) for side in (reference, current))
    return name not in plan(*tables, left_out=["label"]).names


def drawn(values: Any) -> Any:
    """Return rows that hold any of these values."""
    return RANDOM.choice(values, ROWS)


def months(first: str, count: int) -> Any:
    """Return months as yyyymm."""
    return pd.period_range(first, periods=count, freq="M").strftime("%Y%m").astype(int)


def days(first: str, count: int) -> Any:
    """Return days as yyyymmdd."""
    return pd.date_range(first, periods=count).strftime("%Y%m%d").astype(int)


def seconds(first: str, count: int = ROWS) -> Any:
    """Return times of a month as seconds since 1970, in any order."""
    return pd.Timestamp(first).value // 10**9 + RANDOM.integers(0, 30 * 86_400, count)


LEFT_OUT: dict[str, tuple[str, Any, Any]] = {
    "a year": ("year", np.full(ROWS, 2024), np.full(ROWS, 2025)),
    "years that overlap": ("year", drawn([2021, 2022, 2023, 2024]), drawn([2024, 2025])),
    "years with nulls": ("orderYear", [2024.0, None] * 250, [2025.0, None] * 250),
    "years of another name": ("vintage", drawn([2023, 2024]), np.full(ROWS, 2025)),
    "months of years": ("x", drawn(months("2024-01", 12)), drawn(months("2025-01", 3))),
    "months with a name": ("yyyymm", np.full(ROWS, 202411), np.full(ROWS, 202412)),
    "three months, no name": ("x", drawn([202410, 202411]), np.full(ROWS, 202412)),
    "weeks of years": ("year_week", drawn([202440, 202441]), np.full(ROWS, 202443)),
    "quarters of years": ("quarter", drawn([20243, 20244]), np.full(ROWS, 20251)),
    "days": ("x", drawn(days("2024-12-01", 31)), drawn(days("2025-01-01", 31))),
    "months that the reference lacks": ("month", drawn([1, 2, 3]), np.full(ROWS, 4)),
    "the last weeks of a year": ("week", drawn(range(1, 51)), drawn([51, 52])),
    "weeks that the reference lacks": ("order_week", drawn(range(1, 11)), drawn(range(11, 14))),
    "seconds, sorted": ("x", np.sort(seconds("2026-01-01")), np.sort(seconds("2026-01-20"))),
    "seconds with a name": ("created_at", seconds("2026-01-01"), seconds("2026-01-20")),
    "milliseconds": ("x", 1000 * seconds("2026-01-01"), 1000 * seconds("2026-03-01")),
    "milliseconds of overlapping months": ("x", 1000 * seconds("2026-01-01"), 1000 * seconds("2026-01-15")),
    "nanoseconds": ("x", 10**9 * seconds("2026-01-01"), 10**9 * seconds("2026-03-01")),
    "seconds with fractions": ("ts", seconds("2026-01-01") + 0.25, seconds("2026-01-09") + 0.5),
    "months as text": ("x", ["2024-11", "2024-12"] * 250, ["2025-01"] * ROWS),
    "weeks as text": ("x", ["2024-W51", "2024W52"] * 250, ["2025-W01"] * ROWS),
    "quarters as text": ("x", ["2024Q3", "2024-Q4"] * 250, ["2025 Q1"] * ROWS),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_times_that_move_on_are_left_out(case: str) -> None:
    """Whatever they are written as."""
    assert is_left_out(*LEFT_OUT[case]), case


COMPARED: dict[str, tuple[str, Any, Any]] = {
    "months of whole years": ("month", drawn(range(1, 13)), drawn(range(1, 13))),
    "a month after a whole year": ("month", drawn(range(1, 13)), np.full(ROWS, 4)),
    "the same months": ("month", drawn([1, 2, 3]), drawn([1, 2, 3])),
    "visits a month": ("visits_per_month", drawn([1, 2, 3]), drawn([4, 5, 6])),
    "weekdays": ("weekday", drawn(range(7)), drawn(range(7))),
    "days of the month": ("day", drawn(range(1, 32)), drawn(range(1, 32))),
    "years of construction": ("year_built", drawn(range(1950, 2021)), drawn(range(1950, 2022))),
    "years of birth": ("birth_year", drawn(range(1940, 2006)), drawn(range(1950, 2006))),
    "years of models": ("year", drawn(range(1995, 2021)), drawn(range(1995, 2022))),
    "the same year": ("year", np.full(ROWS, 2024), np.full(ROWS, 2024)),
    "calories of 1900 to 2100": ("calories", drawn(range(1900, 2101)), drawn(range(1900, 2101))),
    "revolutions after those of the years 1996 to 2000": ("rpm", drawn(range(1996, 2001)),
                                                          drawn(range(2001, 2006))),
    "prices that look like months": ("price", drawn(range(190_001, 190_013)), drawn(range(200_101, 200_113))),
    "cents that have grown": ("balance", RANDOM.integers(1_200_000_000, 1_300_000_000, ROWS),
                              RANDOM.integers(1_400_000_000, 1_450_000_000, ROWS)),
    "seconds in any order": ("x", seconds("2026-01-01"), seconds("2026-03-01")),
    "calories that moved": ("calories", drawn(range(1900, 1990)), drawn(range(2000, 2101))),
    "years of school": ("school_years", drawn(range(8, 20)), drawn(range(8, 20))),
    "amounts of six digits": ("amount", drawn(range(190_000, 210_000)), drawn(range(200_000, 210_000))),
    "large amounts": ("amount", RANDOM.integers(10**9, 2 * 10**9, ROWS),
                      RANDOM.integers(10**9, 2 * 10**9, ROWS)),
    "codes as text": ("code", ["1234-05", "1234-99"] * 250, ["1234-05"] * ROWS),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPARED)
def test_features_that_look_like_times_are_compared(case: str) -> None:
    """The same range on both sides, a whole cycle, or values that are no times."""
    assert not is_left_out(*COMPARED[case]), case


REMARKS = {
    "revolutions after those of the years 1996 to 2000": "'rpm' looks like years: ",
    "prices that look like months": "'price' looks like times, written yyyymm: ",
    "cents that have grown": "'balance' looks like seconds since 1970: ",
    "seconds in any order": "'x' looks like seconds since 1970: ",
}


@pytest.mark.parametrize("case", COMPARED)
def test_what_moves_on_like_a_time_is_compared_with_a_remark(case: str) -> None:
    """An amount that has grown would else drift in silence, and a time be a false alarm without a reason."""
    name, reference, current = COMPARED[case]
    tables = [arrow_table(pd.DataFrame({name: side, "y": 0.5})) for side in (reference, current)]

    remarks = plan(*tables).remarks

    assert [each.startswith(REMARKS[case]) for each in remarks] == [True] * (case in REMARKS), remarks
    assert plan(*tables, include=[name]).remarks == ()
