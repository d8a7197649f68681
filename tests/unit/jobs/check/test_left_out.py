"""A check says what it has left out, or read otherwise than it may be meant: in its message, with numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import look
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.v1alpha1.status import LastCheck
from support.builders.run_requests import run_request

ROWS = 300


def table(**columns: Any) -> pd.DataFrame:
    """Return a table as any other, with these columns more."""
    random = np.random.default_rng(0)
    label = random.integers(0, 2, ROWS)
    return pd.DataFrame({"x": random.normal(size=ROWS), "label": label, **columns})


def checked(folder: Path, reference: pd.DataFrame, current: pd.DataFrame, **more: Any) -> LastCheck:
    """Check two tables that are CSV files."""
    reference.to_csv(folder / "reference.csv", index=False)
    current.to_csv(folder / "current.csv", index=False)
    sides = {side: {"uri": str(folder / f"{side}.csv")} for side in ("reference", "current")}
    request = run_request(dataset=sides | more.pop("dataset", {}), **more)
    return report_of(request, look(request), started=request.slot, completed=request.slot).last_check


def test_rows_without_a_readable_timestamp_are_counted(tmp_path: Path) -> None:
    """Half of them: the verdict is on the other half."""
    times = np.where(np.arange(ROWS) % 2, "2026-11-23 05:00", "23.11.2026 05:00")
    window = {"timestampColumn": "at", "lookbackSeconds": 86_400}

    found = checked(tmp_path, table(), table(at=times), dataset={"window": window})

    assert "150 rows of current have no readable timestamp and are left out (150 are in" in found.message
    assert found.rows is not None
    assert found.rows.without_timestamp == 150


def test_numbers_that_pass_for_free_text_are_named(tmp_path: Path) -> None:
    """A word in the very last row of either side, and decimal commas."""
    prices = [f"{number}.25" for number in range(ROWS - 1)] + ["-"]
    commas = [f"{number},25" for number in range(ROWS)]
    ids = [f"customer {number}" for number in range(ROWS)]
    rows = table(price=prices, commas=commas, id=ids)

    found = checked(tmp_path, rows, rows)

    assert found.result is CheckResult.NO_DRIFT
    assert "3 not compared, among them 'price' (text, but" in found.message
    assert "values looked at are numbers" in found.message
    assert "'commas' (its numbers are text, written with commas" in found.message
    assert "'id'" not in found.message


@pytest.mark.parametrize("row", [0, ROWS - 1])
def test_a_stray_word_of_the_current_data_is_counted(tmp_path: Path, row: int) -> None:
    """Wherever it stands: 'text in current' would hide that one value is to blame."""
    numbers = table()
    words = numbers.astype({"x": object})
    words.loc[row, "x"] = "unknown"

    found = checked(tmp_path, numbers, words)

    assert (found.result, found.reason) == (CheckResult.ERROR, Reason.COLUMN_TYPE_CHANGED)
    assert "'x' (numbers in the reference, text in current): 299 of 300 values are numbers" in found.message


def test_a_stray_word_among_few_numbers_is_told(tmp_path: Path) -> None:
    """The column is compared, but as categories."""
    ages = [str(number) for number in np.arange(ROWS) % 60]
    rows = table(age=["unknown", *ages[1:]])

    found = checked(tmp_path, rows, rows)

    assert "'age' is compared as text: in the reference, 299 of 300 values are numbers" in found.message


def test_labels_that_are_not_joined_are_counted(tmp_path: Path) -> None:
    """Fifteen of three hundred: an accuracy on them is told as such."""
    rows = table(key=np.arange(ROWS), score=1)
    pd.DataFrame({"key": np.arange(15) + ROWS - 10, "label": 1}).to_csv(tmp_path / "labels.csv", index=False)
    labels = {"uri": str(tmp_path / "labels.csv"), "joinColumn": "key"}
    accuracy = {"metric": "accuracy", "minValue": 0.5}

    found = checked(
        tmp_path,
        rows,
        rows.drop(columns="label"),
        dataset={"labels": labels, "columns": {"prediction": "score"}, "minRows": 10},
        signals=[{"name": "right", "type": "Performance", "performance": accuracy}],
    )

    assert "10 of 300 rows have a label (3.3%), 5 labels match no row" in found.message


def test_a_target_that_no_side_has_is_an_error(tmp_path: Path) -> None:
    """The misspelt one would be compared as a feature, and no retraining could succeed."""
    found = checked(tmp_path, table(), table(), target="lable")

    assert (found.result, found.reason) == (CheckResult.ERROR, Reason.COLUMN_MISSING)
    assert found.message.startswith("spec.target names 'lable', which neither the reference nor the current")
    assert "did you mean 'label'?" in found.message


def test_a_target_that_no_side_has_is_told_where_nothing_is_retrained(tmp_path: Path) -> None:
    """What is the target under another name is compared as a feature."""
    found = checked(tmp_path, table(), table(), target="lable", retraining={"mode": "Disabled"})

    assert "no side has the target 'lable' (did you mean 'label'?)" in found.message


def test_nothing_is_said_where_nothing_is_left_out(tmp_path: Path) -> None:
    """The message is the verdict alone."""
    assert checked(tmp_path, table(), table()).message == "0 of 1 columns drifted (0.0000 <= 0.3000)"


def test_codes_that_one_side_has_rounded_are_an_error(tmp_path: Path) -> None:
    """Of integers beyond 2**53 a gap has made floats: equal codes would be called new ones."""
    codes = np.arange(ROWS) % 7 + 2**53 + 1

    table(code=codes).to_parquet(tmp_path / "reference.parquet")
    table(code=codes.astype(float)).to_parquet(tmp_path / "current.parquet")
    sides = {side: {"uri": str(tmp_path / f"{side}.parquet")} for side in ("reference", "current")}
    request = run_request(dataset=sides)
    found = report_of(request, look(request), started=request.slot, completed=request.slot).last_check

    assert (found.result, found.reason) == (CheckResult.ERROR, Reason.COLUMN_TYPE_CHANGED)
    assert "'code' (integers beyond 2**53 on one side" in found.message


def test_a_column_that_only_tells_the_row_is_counted_once(tmp_path: Path) -> None:
    """It is one of those that are not compared, and no further one."""
    words = [f"word {number}" for number in range(ROWS)]
    rows = table(number=np.arange(ROWS), words=words)

    found = checked(tmp_path, rows, rows)

    assert found.message.endswith("; 2 not compared, 1 of them as a row number, identifier or time: 'number'")
    assert checked(tmp_path, rows.drop(columns="words"), rows).message.endswith(
        "; 1 not compared, as a row number, identifier or time: 'number'"
    )
