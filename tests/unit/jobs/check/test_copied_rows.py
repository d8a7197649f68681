from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.check.report import CheckFindings, report_of
from selfheal_jobs.check.run import look
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import LastCheck
from support.builders.run_requests import run_request


def numbers(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """Return rows of five numbers and a label."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(shift, 1, size=(rows, 5)), columns=list("abcde"))
    return table.assign(label=random.integers(0, 2, rows))


def flags(rows: int, seed: int, share: float) -> pd.DataFrame:
    """Return rows of four flags and a label."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.random(size=(rows, 4)) < share, columns=list("abcd")).astype(str)
    return table.assign(label=random.integers(0, 2, rows))


def request_for(folder: Path, reference: pd.DataFrame, current: pd.DataFrame, **spec: Any) -> RunRequest:
    """Return the request for a check of two tables."""
    before, now = folder / "reference.parquet", folder / "current.parquet"
    reference.to_parquet(before)
    current.to_parquet(now)
    return run_request(reference=before, current=now, **spec)


@pytest.fixture
def look_at(tmp_path: Path) -> Any:
    """A check of two tables."""

    def check(reference: pd.DataFrame, current: pd.DataFrame, **spec: Any) -> CheckFindings:
        return look(request_for(tmp_path, reference, current, **spec))

    return check


@pytest.fixture
def verdict_on(tmp_path: Path) -> Any:
    """The verdict of a check of two tables."""

    def check(reference: pd.DataFrame, current: pd.DataFrame) -> LastCheck:
        asked = request_for(tmp_path, reference, current)
        return report_of(asked, look(asked), started=asked.slot, completed=asked.slot).last_check

    return check


COPIES = pd.concat([numbers(60, seed=1)] * 30, ignore_index=True)


def test_copies_of_a_few_rows_are_no_drift(look_at: Any) -> None:
    """Sixty rows that were delivered thirty times differ from the reference as sixty rows do."""
    found = look_at(numbers(2_000, seed=0), COPIES)

    assert found.problem is None
    assert found.comparison.share == 0
    assert found.left_out == ("1800 rows of current are copies of 60, and compared as these",)


def test_copies_of_drifted_rows_are_drift(look_at: Any) -> None:
    """Enough of them show it."""
    current = pd.concat([numbers(200, seed=1, shift=2.0)] * 10, ignore_index=True)

    found = look_at(numbers(2_000, seed=0), current)

    assert found.comparison.share == 1
    assert len(found.left_out) == 1


def test_the_rule_evidently_takes_copies_for_rows(look_at: Any) -> None:
    """Its verdict is Evidently's."""
    found = look_at(numbers(2_000, seed=0), COPIES, drift={"rule": "Evidently"})

    assert found.comparison.share > 0.3
    assert found.left_out == ()


@pytest.mark.parametrize("rows", [400, 2_000])
def test_rows_of_a_few_categories_are_no_copies(look_at: Any, rows: int) -> None:
    """Nearly each of them equals another, by chance."""
    found = look_at(flags(2_000, seed=0, share=0.2), flags(rows, seed=1, share=0.7))

    assert found.comparison.share == 1
    assert found.left_out == ()


def far_out(rows: int) -> pd.DataFrame:
    """Return copies of one row that is fifty standard deviations away."""
    return pd.DataFrame(50.0, index=range(rows), columns=list("abcde")).assign(label=1)


@pytest.mark.parametrize("first", [True, False])
def test_copies_of_one_drifted_row_are_inconclusive(verdict_on: Any, first: bool) -> None:  # noqa: FBT001
    """A stuck sensor is not a feed that was delivered often: most of what the model meets is that row."""
    parts = [far_out(9_000), numbers(1_000, seed=1)]

    found = verdict_on(numbers(5_000, seed=0), pd.concat(parts if first else parts[::-1], ignore_index=True))

    assert (found.result, found.reason) == (CheckResult.INCONCLUSIVE, Reason.REPEATED_ROWS)
    assert found.message.startswith(
        "5 of 5 columns drifted, but 9000 of 10000 rows of current (90.0%) are copies of 1 row, "
        "and 0 without copies. Find out"
    )


def test_few_repeated_rows_among_copies_are_inconclusive(verdict_on: Any) -> None:
    """All rows were delivered three times, and three of them three thousand times more."""
    current = [numbers(1_000, seed=1)] * 3 + [numbers(3, seed=2, shift=3.0)] * 3_000

    found = verdict_on(numbers(5_000, seed=0), pd.concat(current, ignore_index=True))

    assert (found.result, found.reason) == (CheckResult.INCONCLUSIVE, Reason.REPEATED_ROWS)
    assert "(75.0%) are copies of 3 rows" in found.message


def test_overlapping_deliveries_of_the_same_rows_are_no_drift(look_at: Any) -> None:
    """Each day's file holds the rows of all days before: the first row comes thirty times, the last once."""
    rows = numbers(60, seed=1)
    current = pd.concat([rows[: 2 * day] for day in range(1, 31)], ignore_index=True)

    found = look_at(numbers(2_000, seed=0), current)

    assert found.repeated == ""
    assert found.comparison.share == 0


def test_copies_at_the_beginning_do_not_stand_for_all_rows(look_at: Any) -> None:
    """The first rows are copies of one, and behind them are more distinct rows: all rows are compared."""
    parts = [far_out(20_000), numbers(21_000, seed=1)]

    found = look_at(numbers(5_000, seed=0), pd.concat(parts, ignore_index=True))

    assert found.comparison.share == 1
    assert found.left_out == ()
    assert found.repeated == ""
