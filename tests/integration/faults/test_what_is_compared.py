"""Cases of columns that should not be compared as they are, and of verdicts that said too little."""

from pathlib import Path
from typing import Any

import pytest

from integration.faults.running import FaultMonitor, case_of
from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import look
from selfheal_operator.api.reasons import CheckResult, Purpose, SignalResult
from testbed.unwatched_monitor import SLOT


def checked(name: str, folder: Path) -> Any:
    """Return what the check of a case says; nothing of it is logged."""
    monitor = FaultMonitor(mlflow_uri="http://127.0.0.1:9", model="faults")
    request = monitor.request(Purpose.CHECK, case_of(name, folder).spec)
    return report_of(request, look(request), started=SLOT, completed=SLOT).last_check


@pytest.mark.parametrize(
    ("case", "left_out"),
    [("10-1", ["Unnamed: 0"]), ("21a", ["customer"]), ("W14-1", ["order", "year"])],
)
def test_what_only_tells_the_row_is_not_compared(case: str, left_out: list[str], tmp_path: Path) -> None:
    """Row numbers, identifiers and years move on by themselves; message and status name them."""
    check = checked(case, tmp_path)

    assert check.result is CheckResult.NO_DRIFT
    assert [each.name for each in check.skipped_columns] == left_out
    what = "a row number, identifier or time" if len(left_out) == 1 else "row numbers, identifiers or times"
    assert f"{len(left_out)} not compared, as {what}: {left_out[0]!r}" in check.message


@pytest.mark.parametrize("case", ["11-1", "11-2"])
def test_numbers_of_two_precisions_are_compared_in_the_coarser_one(case: str, tmp_path: Path) -> None:
    """0.1 is another number as float32 than as float64, and no drift."""
    check = checked(case, tmp_path)

    assert check.result is CheckResult.NO_DRIFT
    assert "'rate' (single precision)" in check.message


def test_one_outlier_does_not_hide_drift(tmp_path: Path) -> None:
    """The rest of the column has moved by three standard deviations."""
    check = checked("18", tmp_path)

    assert check.result is CheckResult.DRIFT
    assert [each.name for each in check.top_drifted_columns] == ["x"]
    assert "without outliers, which hide it otherwise: 'x'" in check.message


@pytest.mark.parametrize(
    ("case", "why"), [("W3-1", "one value in all rows"), ("W3-3", "90 % missing, 0 % in")]
)
def test_columns_of_a_broken_feed_are_named(case: str, why: str, tmp_path: Path) -> None:
    """Zeros and gaps are drift of four columns, and no reason to retrain."""
    check = checked(case, tmp_path)

    assert (check.result, check.columns_drifted) == (CheckResult.DRIFT, 4)
    assert "4 probably from a broken feed, which is no reason to retrain: 'length' (" in check.message
    assert why in check.message


def test_advice_counts_the_values_of_the_column(tmp_path: Path) -> None:
    """400 rows are there, and 156 of them have a value."""
    check = checked("W15", tmp_path)

    assert check.result is CheckResult.INCONCLUSIVE
    assert "'answer' needs 259 values in current beside its 316 of the reference (156 now)" in check.message


def test_a_predicted_class_that_no_label_has_adds_no_class(tmp_path: Path) -> None:
    """One of 400 predictions is wrong."""
    (signal,) = checked("03-signal", tmp_path).signals

    assert (signal.result, signal.value) == (SignalResult.WITHIN_LIMITS, "0.998789")
