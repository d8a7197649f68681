"""Which columns tell of a broken feed: those that turned constant or lost their values."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import look
from selfheal_operator.api.reasons import CheckResult
from support.builders.run_requests import run_request

ROWS = 400


def share_missing(share: float, values: Any = None) -> Any:
    """Return numbers of which so many are missing, from the first one on."""
    random = np.random.default_rng(1)
    numbers = random.normal(size=ROWS) if values is None else values
    return np.where(np.arange(ROWS) < share * ROWS, np.nan, numbers)


def said_of(folder: Path, reference: Any, current: Any, rule: str = "Calibrated", **policy: Any) -> Any:
    """Return what a check says of a column `x` beside two calm ones."""
    for side, values in (("reference", reference), ("current", current)):
        random = np.random.default_rng(2)
        calm = {"y": random.normal(size=ROWS), "z": random.normal(size=ROWS)}
        pd.DataFrame({"x": values, **calm}).to_parquet(folder / f"{side}.parquet")
    sides = {side: {"uri": str(folder / f"{side}.parquet")} for side in ("reference", "current")}
    request = run_request(
        dataset=sides | {"columnPolicy": policy}, drift={"rule": rule}, retraining={"mode": "Disabled"}
    )
    return report_of(request, look(request), started=request.slot, completed=request.slot).last_check


def flag(share: float) -> Any:
    """Return ones in the first rows, and zeros."""
    return (np.arange(ROWS) < share * ROWS).astype(int)


@pytest.mark.parametrize(
    ("case", "reference", "current", "why"),
    [
        ("zeros", share_missing(0), np.zeros(ROWS), "one value in all rows"),
        ("one word", ["a", "b"] * (ROWS // 2), ["a"] * ROWS, "one value in all rows"),
        ("a new word", ["a", "b"] * (ROWS // 2), ["c"] * ROWS, "one value in all rows"),
        ("a flag of a tenth", flag(0.1), flag(0), "one value in all rows"),
        ("gaps", share_missing(0.1), share_missing(0.61), "61 % missing, 10 % in the reference"),
        ("infinite", share_missing(0), np.full(ROWS, np.inf), "100 % missing, 0 % in the reference"),
        ("nothing", share_missing(0.1), [np.nan] * ROWS, "100 % missing, 10 % in the reference"),
    ],
)
def test_a_column_of_a_broken_feed_is_named_with_the_reason(
    tmp_path: Path, case: str, reference: Any, current: Any, why: str
) -> None:
    """Whatever the verdict is."""
    message = said_of(tmp_path, reference, current).message

    assert f"1 probably from a broken feed, which is no reason to retrain: 'x' ({why})" in message, case


@pytest.mark.parametrize(
    ("case", "reference", "current"),
    [
        ("half more gaps", share_missing(0.1), share_missing(0.6)),
        ("a flag of a hundredth", flag(0.01), flag(0)),
        ("nothing, where there was little", share_missing(0.6), [np.nan] * ROWS),
        ("a constant as before", np.zeros(ROWS), np.zeros(ROWS)),
        ("gaps that were filled", share_missing(0.9), share_missing(0)),
    ],
)
def test_what_chance_or_the_policy_allows_is_no_broken_feed(
    tmp_path: Path, case: str, reference: Any, current: Any
) -> None:
    """Four ones of 400 may all be absent by chance."""
    assert "broken feed" not in said_of(tmp_path, reference, current).message, case


@pytest.mark.parametrize(("before", "now"), [(0.0, 0.9), (0.9, 0.0)])
def test_another_share_of_gaps_is_drift_of_the_column(tmp_path: Path, before: float, now: float) -> None:
    """Risen or fallen, though the values that are left have not changed; it comes first in the list."""
    check = said_of(tmp_path, share_missing(before), share_missing(now))

    assert (check.result, check.columns_drifted) == (CheckResult.DRIFT, 1)
    assert check.top_drifted_columns[0].name == "x"
    assert "% missing, " in check.message


def test_gaps_that_were_filled_are_named(tmp_path: Path) -> None:
    """Nobody has to look for the column."""
    message = said_of(tmp_path, share_missing(0.9), share_missing(0)).message

    assert "1 with another share of missing values: 'x' (0 % missing, 90 % in the reference)" in message


def test_the_policy_says_how_much_more_may_be_missing(tmp_path: Path) -> None:
    """columnPolicy.maxNullShare, on the boundary."""
    reference, current = share_missing(0.0), share_missing(0.75)

    assert said_of(tmp_path, reference, current, maxNullShare=0.75).result is not CheckResult.DRIFT
    assert said_of(tmp_path, reference, current, maxNullShare=0.74).result is CheckResult.DRIFT


def test_by_evidentlys_rule_gaps_are_named_and_do_not_count(tmp_path: Path) -> None:
    """That rule is Evidently's verdict for each column, which leaves out gaps."""
    check = said_of(tmp_path, share_missing(0.0), share_missing(0.9), rule="Evidently")

    assert check.result is CheckResult.NO_DRIFT
    assert "'x' (90 % missing, 0 % in the reference)" in check.message
