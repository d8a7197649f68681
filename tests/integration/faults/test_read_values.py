"""Values that were read as something else, and what was left out without a word."""

from pathlib import Path

import pandas as pd
import pytest

from integration.faults.running import check_case, retrain_case
from selfheal_operator.api.reasons import CheckResult, Reason, RetrainResult


def test_a_category_called_none_is_a_word(tmp_path: Path, mlflow_uri: str) -> None:
    """In a column of words only the empty field is a gap, in CSV as in Parquet."""
    found = check_case("08a", tmp_path, mlflow_uri)

    assert (found.result, found.columns_drifted, found.new_categories) == (CheckResult.NO_DRIFT, 0, [])


def test_a_class_called_none_is_learnt(tmp_path: Path, mlflow_uri: str) -> None:
    """No row is dropped, and the version knows three classes."""
    monitor, (report,) = retrain_case("08b", tmp_path, mlflow_uri)

    assert report.last_retraining.result is RetrainResult.REGISTERED, report.last_retraining.message
    assert report.last_retraining.rows is not None
    # of current, and with trainingData Auto of the reference too
    assert report.last_retraining.rows.train + report.last_retraining.rows.test in (600, 1200)
    assert set(monitor.predict("1", _features(tmp_path / "current.csv"))) == {"None", "Mild", "Severe"}


def test_a_gap_leaves_long_codes_as_they_are(tmp_path: Path, mlflow_uri: str) -> None:
    """Integers beyond 2**53 stay integers."""
    found = check_case("09a", tmp_path, mlflow_uri)

    assert (found.result, found.columns_drifted, found.new_categories) == (CheckResult.NO_DRIFT, 0, [])


@pytest.mark.parametrize(
    ("case", "labels"),
    [("09c-1", {120_330_000_000_000_001, 120_330_000_000_000_017}), ("09c-2", {2**53, 2**53 + 1})],
)
def test_long_labels_are_answered_as_they_are_written(
    tmp_path: Path, mlflow_uri: str, case: str, labels: set[int]
) -> None:
    """Two classes that one float64 stands for are two classes."""
    monitor, (report,) = retrain_case(case, tmp_path, mlflow_uri)

    assert report.last_retraining.result is RetrainResult.REGISTERED, report.last_retraining.message
    assert set(monitor.predict("1", _features(tmp_path / "current.parquet"))) == labels


@pytest.mark.parametrize(
    ("case", "field", "written", "meant"),
    [
        ("12-1", "spec.dataset.columns.prediction", "churnscore", "churn_score"),
        ("12-3", "spec.dataset.columns.exclude", "Churn_Score", "churn_score"),
        ("12-4", "spec.dataset.columns.categorical", "regoin", "region"),
        ("12-5", "spec.drift.columns", "churnscore", "churn_score"),
    ],
)
def test_a_check_refuses_a_column_that_no_side_has(
    tmp_path: Path, mlflow_uri: str, *, case: str, field: str, written: str, meant: str
) -> None:
    """The message names the field, what is written there, and the nearest column."""
    found = check_case(case, tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (CheckResult.ERROR, Reason.COLUMN_MISSING)
    assert f"{field} names '{written}'" in found.message
    assert f"did you mean '{meant}'?" in found.message


def test_a_retraining_refuses_a_column_that_no_side_has(tmp_path: Path, mlflow_uri: str) -> None:
    """Nothing is learnt from the predictions of the running model."""
    _, (report,) = retrain_case("12-2", tmp_path, mlflow_uri)

    found = report.last_retraining
    assert (found.result, found.reason) == (RetrainResult.FAILED, Reason.COLUMN_MISSING)
    assert "spec.dataset.columns.prediction names 'churnscore'" in found.message


@pytest.mark.parametrize("case", ["21b-1", "21b-2", "21b-3"])
def test_a_header_with_semicolons_is_shown(tmp_path: Path, mlflow_uri: str, case: str) -> None:
    """The message says how CSV has to be written."""
    found = check_case(case, tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (CheckResult.ERROR, Reason.DATA_UNREADABLE)
    assert "its header reads 'age;plan;label'" in found.message
    assert "separated by commas, not by semicolons" in found.message


def test_a_prediction_that_is_the_target_is_refused(tmp_path: Path, mlflow_uri: str) -> None:
    """An object that was stored before the API server refused it has no accuracy of 1."""
    found = check_case("21h", tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (CheckResult.ERROR, Reason.INVALID_SPEC)
    assert [signal.result for signal in found.signals] == ["Unknown"]


def _features(path: Path) -> pd.DataFrame:
    read = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv
    return read(path).drop(columns="label")
