"""What a retraining takes for evidence, and what it refuses."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from integration.faults.running import FaultMonitor, case_of, retrain_case
from selfheal_jobs.transport.retry_policy import RetryPolicy
from selfheal_operator.api.reasons import Reason, RetrainResult
from selfheal_operator.api.v1alpha1.status import LastRetraining

REGISTERED, NOT_IMPROVED, INCONCLUSIVE, FAILED = RetrainResult


def outcome(name: str, folder: Path, mlflow_uri: str) -> LastRetraining:
    """Run a case and return the outcome of its retraining."""
    _, (report,) = retrain_case(name, folder, mlflow_uri)
    return report.last_retraining


def scored(found: LastRetraining, metric: str = "f1_macro") -> tuple[float, float | None]:
    """Return a metric of the candidate, and of the champion if there is one."""
    (each,) = [each for each in found.metrics if each.name == metric]
    return float(str(each.candidate)), None if each.champion is None else float(each.champion)


@pytest.mark.parametrize(
    ("name", "champion", "why"),
    [
        ("03", 0.99, "a few answers of a class that no row has do not cost the champion a whole class"),
        ("W5", 0.93, "nor does one answer of a class that has vanished"),
        ("07", 0.88, "True and 'True' are one class"),
    ],
)
def test_a_good_champion_is_not_marked_down(
    name: str, champion: float, why: str, tmp_path: Path, mlflow_uri: str
) -> None:
    """Both are scored alike, over the classes that the held-out rows have."""
    found = outcome(name, tmp_path, mlflow_uri)

    assert found.result is NOT_IMPROVED, why
    assert scored(found)[1] == pytest.approx(champion, abs=0.02), why


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("05a", "400 rows of the reference are in the current data too"),
        ("05b", "450 rows are copies of others"),
    ],
)
def test_rows_that_are_known_by_heart_are_no_evidence(
    name: str, said: str, tmp_path: Path, mlflow_uri: str
) -> None:
    """Coin flips stay coin flips, and the message counts the copies."""
    found = outcome(name, tmp_path, mlflow_uri)

    assert found.result is NOT_IMPROVED
    assert scored(found)[0] == pytest.approx(0.5, abs=0.15)
    assert said in found.message


def test_in_a_time_series_the_newest_rows_are_held_out(tmp_path: Path, mlflow_uri: str) -> None:
    """Neighbours of held-out rows are not learnt: the error is what it will be."""
    assert scored(outcome("06", tmp_path, mlflow_uri), "root_mean_squared_error")[0] > 4


@pytest.mark.parametrize("name", ["W2-1", "W2-2"])
def test_a_champion_is_examined_on_rows_that_it_has_not_learnt(
    name: str, tmp_path: Path, mlflow_uri: str
) -> None:
    """Otherwise nothing can beat it, and healing stops."""
    found = outcome(name, tmp_path, mlflow_uri)

    assert found.result is REGISTERED
    candidate, champion = scored(found, "root_mean_squared_error")
    assert champion is not None
    assert candidate < champion
    assert "fitted again on all" in found.message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("W3-2", "'length', 'width', 'height', 'weight' turned constant"),
        ("W3-4", "values are missing in the columns 'length', 'width', 'height', 'weight'"),
        ("W4-1", "numbers in the reference, text in current, such as 'unknown'"),
        ("W4-2", "the classes '0', '1', and in the reference 'no', 'yes'"),
    ],
)
def test_a_broken_feed_is_not_learnt_from(name: str, said: str, tmp_path: Path, mlflow_uri: str) -> None:
    """Before anything is fitted; the columns are named."""
    found = outcome(name, tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (FAILED, Reason.DATA_NOT_USABLE)
    assert said in found.message


@pytest.mark.filterwarnings("ignore::UserWarning")  # of MLflow, about integers in a signature
def test_a_champion_that_refuses_the_rows_is_not_replaced(tmp_path: Path, mlflow_uri: str) -> None:
    """By a coin it was."""
    found = outcome("14b", tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (FAILED, Reason.CHAMPION_NOT_SCORABLE)


def test_a_champion_whose_files_are_away_is_not_replaced(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    mlflow_uri: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are asked for again first."""
    monkeypatch.setattr("selfheal_jobs.retrain.run.STANDARD", RetryPolicy(timeout_seconds=5, retries=1))
    case, monitor = case_of("14a", tmp_path), FaultMonitor.new(mlflow_uri)
    monitor.prepare(case)
    folders = [each.parent for each in tmp_path_factory.getbasetemp().glob("mlflow*/**/MLmodel")]
    newest = max(folders, key=lambda folder: folder.stat().st_mtime)
    away = newest.rename(newest.with_name("away"))
    try:
        found = monitor.retrain(case.spec).last_retraining
    finally:
        shutil.move(away, newest)

    assert (found.result, found.reason) == (FAILED, Reason.CHAMPION_NOT_SCORABLE)
    assert monitor.retrain(case.spec).last_retraining.result is NOT_IMPROVED


def test_a_task_that_the_target_contradicts_is_forgotten(tmp_path: Path, mlflow_uri: str) -> None:
    """Fractions are no classes, whatever an earlier target was."""
    found = outcome("16-1", tmp_path, mlflow_uri)

    assert found.result is REGISTERED
    assert found.metrics[0].name == "root_mean_squared_error"


def test_four_rows_are_no_evidence(tmp_path: Path, mlflow_uri: str) -> None:
    """Twenty rows are too few to hold enough of them out."""
    found = outcome("21i", tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (FAILED, Reason.TOO_FEW_ROWS)


@pytest.mark.parametrize(("name", "column"), [("W8-1", "closed_because"), ("W8-2", "yearly")])
def test_a_column_that_gives_the_target_away_is_named(
    name: str, column: str, tmp_path: Path, mlflow_uri: str
) -> None:
    """And nothing is promoted unattended."""
    found = outcome(name, tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (NOT_IMPROVED, Reason.GATE_FAILED)
    assert f"the column {column!r} alone tells the target" in found.message


def test_the_model_that_runs_is_not_replaced_by_a_worse_one(tmp_path: Path, mlflow_uri: str) -> None:
    """Its answers are in the data, on the same rows."""
    found = outcome("W9", tmp_path, mlflow_uri)

    assert found.result is NOT_IMPROVED
    assert "the column 'said' 0.9" in found.message


def test_what_only_the_reference_shows_is_told_of(tmp_path: Path, mlflow_uri: str) -> None:
    """The next winter will come: with the reference nothing is forgotten, without it the message says so."""
    case, monitor = case_of("W12", tmp_path), FaultMonitor.new(mlflow_uri)
    monitor.prepare(case)
    spec: dict[str, Any] = {**case.spec, "retraining": {"trainingData": "Current"}}

    found = monitor.retrain(spec).last_retraining

    assert "what only the reference shows is forgotten" in found.message


def test_a_class_of_one_row_is_learnt_and_named(tmp_path: Path, mlflow_uri: str) -> None:
    """The other classes keep their shares."""
    assert "no held-out row has the class 'once'" in outcome("W16", tmp_path, mlflow_uri).message


def test_by_chance_hardly_anything_is_registered(tmp_path: Path, mlflow_uri: str) -> None:
    """Twelve samples of one population: a tenth may look better beyond chance, where two of three did."""
    _, reports = retrain_case("17", tmp_path, mlflow_uri)

    registered = [each for each in reports if each.last_retraining.result is REGISTERED]
    assert len(registered) <= 2


def test_what_looks_better_on_one_split_is_not_registered(tmp_path: Path, mlflow_uri: str) -> None:
    """150 rows against 500 of the same population: `make bench-retrain` has the rates over many seeds."""
    found = outcome("W10", tmp_path, mlflow_uri)

    assert (found.result, found.reason) == (NOT_IMPROVED, Reason.NO_IMPROVEMENT)
    assert "within chance: better in " in found.message
