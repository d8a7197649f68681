"""The containers' code and a real MLflow server: what a run leaves there, and what a second attempt finds."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]  # it has no types
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.pyfunc.model import PythonModel

from selfheal_jobs.check.run import run_check
from selfheal_jobs.retrain import mlflow_run as retrain_run
from selfheal_jobs.retrain.run import run_retrain
from selfheal_jobs.tracking.model_registry import ModelRegistry
from selfheal_jobs.transport.retry_policy import RetryPolicy
from selfheal_operator.api.reasons import CheckResult, Purpose, RetrainResult
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import ModelVersion
from support.builders.run_requests import NOWHERE, run_request
from support.fakes.inbox import Inbox

SMALL_FOREST = {
    "name": "forest",
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "params": {"n_estimators": "5"},
}
JOB_UID = "3f1c5a52-7a3e-4b0e-9a53-51d6a2a4f0c9"
SILLY = {"name": "silly", "estimator": "sklearn.dummy.DummyClassifier"}
LINEAR = {"name": "linear", "estimator": "sklearn.linear_model.LogisticRegression"}


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def rows(count: int, *, shift: float, seed: int) -> pd.DataFrame:
    """Return rows whose label depends on where `x` lies from its mean, which moves."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"x": random.normal(shift, 1, count), "plan": random.choice(["a", "b"], count)})
    table["price"] = 3 * table["x"] + random.normal(0, 0.1, count)
    table["label"] = np.where(table["x"] + random.normal(0, 0.3, count) > shift, "yes", "no")
    return table


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a reference, and current data that has moved."""
    rows(200, shift=0, seed=1).drop(columns="price").to_csv(tmp_path / "reference.csv", index=False)
    rows(200, shift=2, seed=2).drop(columns="price").to_csv(tmp_path / "current.csv", index=False)
    return tmp_path


@pytest.fixture
def names(mlflow_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An experiment and a registered model that only this test uses; the environment is put back after it."""
    for name in ("TIMEOUT", "MAX_RETRIES", "BACKOFF_FACTOR"):
        monkeypatch.setenv(f"MLFLOW_HTTP_REQUEST_{name}", "1")
    monkeypatch.setenv("SELFHEAL_JOB_UID", JOB_UID)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(mlflow_uri)
    yield {
        "trackingURI": mlflow_uri,
        "experiment": f"test/{tmp_path.name}",
        "registeredModelName": f"test.{tmp_path.name}",
    }
    mlflow.set_tracking_uri(before)


def request(purpose: Purpose, data: Path, names: dict[str, str], **more: Any) -> RunRequest:
    """Return a request for the folder's data and the test's own names."""
    defaults: dict[str, Any] = {
        "reference": data / "reference.csv",
        "current": data / "current.csv",
        "mlflow": names,
    }
    return run_request(purpose, **(defaults | more))


def check(data: Path, names: dict[str, str], **more: Any) -> list[CheckReport]:
    """Run a check and return its reports, in their order."""
    inbox = Inbox()
    run_check(request(Purpose.CHECK, data, names, **more), inbox, now)
    return inbox.reports


def predicted_by(data: Path, column: str) -> dict[str, Any]:
    """Return the dataset with a column of predictions."""
    sides = {side: {"uri": str(data / f"{side}.csv")} for side in ("reference", "current")}
    return sides | {"columns": {"prediction": column}}


def retrain(
    data: Path,
    names: dict[str, str],
    *,
    champion: ModelVersion | None = None,
    force: bool = False,
    **more: Any,
) -> RetrainReport:
    """Run a retraining and return its report; with one quick candidate unless others are named."""
    more = {"retraining": {"candidates": [LINEAR]}, "job_name": "churn-retrain-1"} | more
    inbox = Inbox()
    asked = request(Purpose.RETRAIN, data, names, **more).replaced(champion=champion, force=force)
    run_retrain(asked, inbox, now)
    (report,) = inbox.reports
    assert isinstance(report, RetrainReport)
    return report


def client(names: dict[str, str]) -> MlflowClient:
    """Return a client of the test's server."""
    return MlflowClient(names["trackingURI"])


def runs(names: dict[str, str]) -> list[Run]:
    """Return all runs of the test's experiment."""
    experiment = client(names).get_experiment_by_name(names["experiment"])
    return list(client(names).search_runs([experiment.experiment_id])) if experiment else []


def versions(names: dict[str, str]) -> list[Any]:
    """Return all versions of the test's registered model."""
    return list(client(names).search_model_versions(f"name = '{names['registeredModelName']}'"))


def artifact(names: dict[str, str], run_id: str, path: str) -> str:
    """Return an artifact's text."""
    return str(mlflow.artifacts.load_text(f"runs:/{run_id}/{path}"))


# --- checks -------------------------------------------------------------------------------------------------


def test_a_check_reports_its_verdict_before_and_after_it_is_logged(data: Path, names: dict[str, str]) -> None:
    """The verdict never waits for MLflow; the run's address follows."""
    first, second = check(data, names)

    assert first.last_check.result is CheckResult.DRIFT
    assert first.last_check.run_id is None
    assert second.last_check.run_id is not None
    assert second.last_check.report_uri == (
        f"{client(names).get_run(second.last_check.run_id).info.artifact_uri}/drift_report.html"
    )
    changed = {"run_id": second.last_check.run_id, "report_uri": second.last_check.report_uri}
    assert first.last_check.replaced(**changed) == second.last_check


def test_a_check_leaves_every_number_and_the_report_in_mlflow(data: Path, names: dict[str, str]) -> None:
    """Share, rows, each column's method, score and threshold; a table; Evidently's page; whose run it is."""
    *_, report = check(data, names)

    (run,) = runs(names)
    assert run.info.run_id == report.last_check.run_id
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "churn-check-1"
    assert run.data.metrics["drift_share"] == 0.5
    assert run.data.metrics["rows_current"] == 200
    assert run.data.params["method/x"] == "ks"
    # Evidently's 0.05, or less: the rule Calibrated is stricter where few columns and rows are compared.
    assert run.data.metrics["score/x"] < float(run.data.params["threshold/x"]) <= 0.05
    assert run.data.tags["selfheal.monitorUID"] == "uid-1"
    table = json.loads(artifact(names, run.info.run_id, "drift_columns.json"))
    assert [(row["column"], row["drifted"]) for row in table] == [("x", True), ("plan", False)]
    assert "<!DOCTYPE html>" in artifact(names, run.info.run_id, "drift_report.html")


def test_each_signal_is_a_series_of_its_own_in_mlflow(data: Path, names: dict[str, str]) -> None:
    """Its value as `signal/<name>`, beside the drift; one that nobody could tell has no value."""
    signals = [
        {"name": "rows", "type": "DataQuality", "dataQuality": {"metric": "row_count", "minValue": 1}},
        {"name": "target", "type": "TargetDrift"},
        {"name": "accuracy", "type": "Performance", "performance": {"metric": "accuracy", "minValue": 0.5}},
    ]
    *_, report = check(data, names, signals=signals, dataset=predicted_by(data, "x"))

    (run,) = runs(names)
    series = {name: value for name, value in run.data.metrics.items() if name.startswith("signal/")}
    told = {f"signal/{each.name}": each.value for each in report.last_check.signals if each.value is not None}
    assert series.keys() == told.keys() == {"signal/rows", "signal/target"}
    assert series["signal/rows"] == 200


def test_a_repeated_check_uses_the_run_that_is_there(data: Path, names: dict[str, str]) -> None:
    """A pod that is started again does not double the history."""
    *_, first = check(data, names)
    *_, again = check(data, names)

    assert first.last_check.run_id == again.last_check.run_id
    assert len(runs(names)) == 1


def test_a_torn_run_of_a_dead_pod_is_marked_as_killed(data: Path, names: dict[str, str]) -> None:
    """And the check is logged anew, whole."""
    check(data, names)
    (torn,) = runs(names)
    client(names).update_run(torn.info.run_id, status="RUNNING")

    *_, report = check(data, names)

    assert client(names).get_run(torn.info.run_id).info.status == "KILLED"
    assert report.last_check.run_id != torn.info.run_id


def test_the_same_job_name_of_another_monitor_is_another_run(data: Path, names: dict[str, str]) -> None:
    """A monitor that was deleted and made anew has Jobs of the same names."""
    *_, first = check(data, names)
    *_, second = check(data, names, monitor={"uid": "uid-2"})

    assert first.last_check.run_id != second.last_check.run_id


def test_a_check_that_could_not_look_leaves_no_run(data: Path, names: dict[str, str]) -> None:
    """There are no numbers to keep; the status has the sentence."""
    (report,) = check(data, names, current=data / "nothing.csv")

    assert report.last_check.result is CheckResult.ERROR
    assert runs(names) == []


def test_a_verdict_survives_an_mlflow_that_is_down(data: Path, names: dict[str, str]) -> None:
    """The message says which server and what is lost."""
    *_, report = check(data, names | {"trackingURI": NOWHERE})

    assert report.last_check.result is CheckResult.DRIFT
    assert report.last_check.run_id is None
    assert f"MLflow at {NOWHERE} could not be reached" in report.last_check.message
    assert "The run was not logged" in report.last_check.message


# --- retrainings --------------------------------------------------------------------------------------------


def test_a_retraining_registers_the_best_candidate(data: Path, names: dict[str, str]) -> None:
    """Version 1, with the run that trained it, and metrics under scikit-learn's names."""
    report = retrain(data, names, retraining={"candidates": [SILLY, LINEAR]})

    outcome, model = report.last_retraining, report.model
    assert outcome.result is RetrainResult.REGISTERED
    assert model is not None
    assert model.run_id is not None
    assert (outcome.version, model.version, model.previous_version) == ("1", "1", None)
    assert outcome.candidate == "linear"
    assert client(names).get_run(model.run_id).info.run_name == "linear"
    assert [metric.name for metric in outcome.metrics] == [
        "f1_macro",
        "accuracy",
        "precision_macro",
        "recall_macro",
        "roc_auc",
        "brier_score",
        "log_loss",
    ]
    assert [gate.name for gate in outcome.gates] == ["baseline", "leak"]
    assert outcome.cpu_seconds is not None
    assert outcome.rows is not None
    assert (outcome.rows.train, outcome.rows.test) == (160, 40)


def test_a_retraining_leaves_one_parent_run_and_one_below_it_for_each_candidate(
    data: Path, names: dict[str, str]
) -> None:
    """The parent has the comparison and the data's facts, the children params, metrics and models."""
    report = retrain(data, names, retraining={"candidates": [LINEAR, SMALL_FOREST]})

    parent = client(names).get_run(str(report.last_retraining.run_id))
    children = [run for run in runs(names) if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert {run.info.status for run in [parent, *children]} == {"FINISHED"}
    assert {run.info.run_name for run in children} == {"linear", "forest"}
    assert all("cross_validated/f1_macro" in run.data.metrics for run in children)
    (winner,) = [run for run in children if run.info.run_name == report.last_retraining.candidate]
    assert {"f1_macro", "roc_auc"} <= set(winner.data.metrics)
    facts = json.loads(artifact(names, parent.info.run_id, "data_facts.json"))
    assert set(facts["target"]["rowsPerClass"]) == {"yes", "no"}
    table = artifact(names, parent.info.run_id, "comparison.csv").splitlines()
    assert [line.split(",")[0] for line in table] == ["model", "linear", "forest"]
    assert artifact(names, parent.info.run_id, "comparison.md").startswith(
        "| model | estimator | cross_validated f1_macro | f1_macro |"
    )


def test_a_registered_model_serves_the_rows_of_the_file(data: Path, names: dict[str, str]) -> None:
    """With its signature checked, as a server would: nothing has to be prepared."""
    retrain(data, names)

    model = mlflow.pyfunc.load_model(f"models:/{names['registeredModelName']}/1")
    current = pd.read_csv(data / "current.csv")
    right = model.predict(current.drop(columns="label")) == current["label"]

    assert right.mean() > 0.8
    assert model.metadata.signature.inputs.input_names() == ["x", "plan"]
    example = model.input_example
    assert len(example) == len(model.predict(example)) == 1
    known = pd.concat([pd.read_csv(data / f"{side}.csv") for side in ("reference", "current")])
    assert not known["x"].isin(example["x"]).any(), "it is a row of the data"


def test_a_candidate_must_beat_the_champion_on_the_same_rows(data: Path, names: dict[str, str]) -> None:
    """The same candidates on the same data are no better: nothing is registered, both are shown."""
    retrain(data, names)

    report = retrain(data, names, job_name="churn-retrain-2")

    outcome = report.last_retraining
    assert outcome.result is RetrainResult.NOT_IMPROVED
    assert outcome.champion_version == "1"
    assert "champion" in [gate.name for gate in outcome.gates if not gate.passed]
    assert report.model is not None
    assert report.model.version == "1"  # recorded with the digest of its files
    assert len(versions(names)) == 1


def test_a_model_that_the_data_has_left_behind_is_replaced(data: Path, names: dict[str, str]) -> None:
    """It learnt from the reference; on current rows a new one is better."""
    rules = {"candidates": [LINEAR]}
    retrain(data, names, retraining=rules | {"trainingData": "Reference"})

    report = retrain(data, names, job_name="churn-retrain-2", retraining=rules)

    assert report.last_retraining.result is RetrainResult.REGISTERED
    assert report.model is not None
    assert (report.model.version, report.model.previous_version) == ("2", "1")
    f1 = report.last_retraining.metrics[0]
    assert float(str(f1.candidate)) > float(str(f1.champion))


def test_mlflow_shows_why_a_version_was_trained_and_its_score_beside_the_champions(
    data: Path, names: dict[str, str]
) -> None:
    """In its description; the tags are for programs."""
    rules = {"candidates": [LINEAR]}
    first = retrain(data, names, retraining=rules | {"trainingData": "Reference"}).last_retraining
    second = retrain(data, names, job_name="churn-retrain-2", retraining=rules).last_retraining

    assert first.rows is not None
    told = {version.version: version.description for version in versions(names)}
    assert told["1"] == (
        "Trained by the ModelMonitor team-a/churn (Job churn-retrain-1), as requested at "
        "2026-11-23T06:00:00Z. "
        f"On 40 held-out rows its f1_macro is {first.metrics[0].candidate}; it was compared with no earlier "
        f"version. The candidate linear has learnt {first.rows.train} rows."
    )
    assert f"is {second.metrics[0].candidate}, that of version 1 is {second.metrics[0].champion}" in told["2"]


def test_the_champion_is_the_version_that_the_status_names(data: Path, names: dict[str, str]) -> None:
    """Not the newest one: somebody may have registered another for a trial."""
    first = retrain(data, names, retraining={"candidates": [LINEAR], "trainingData": "Reference"})
    retrain(data, names, job_name="churn-retrain-2")
    assert first.model is not None

    report = retrain(data, names, job_name="churn-retrain-3", champion=first.model, force=True)

    assert report.last_retraining.champion_version == "1"


def test_a_champion_that_somebody_deleted_is_no_obstacle(data: Path, names: dict[str, str]) -> None:
    """Without it the newest version counts, or none."""
    first = retrain(data, names)
    client(names).delete_model_version(names["registeredModelName"], "1")

    report = retrain(data, names, job_name="churn-retrain-2", champion=first.model)

    assert report.last_retraining.result is RetrainResult.REGISTERED
    assert report.last_retraining.champion_version is None


# The process that loads a model does not find this module.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Threshold(PythonModel):
    """A user's own model: no scikit-learn, no signature."""

    # MLflow takes type hints for a schema.
    def predict(self, context, model_input, params=None):
        """Say yes from two upwards."""
        del context, params
        return np.where(model_input["x"] > 2, "yes", "no")


def test_a_champion_may_be_any_model(data: Path, names: dict[str, str]) -> None:
    """One that somebody registered by hand is compared by what it predicts."""
    mlflow.set_tracking_uri(names["trackingURI"])
    mlflow.set_experiment("test/by-hand")
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=Threshold(),
            pip_requirements=[],
            registered_model_name=names["registeredModelName"],
        )

    outcome = retrain(data, names).last_retraining

    assert outcome.champion_version == "1", outcome.message
    shown = {metric.name: metric.champion for metric in outcome.metrics}
    assert float(str(shown["f1_macro"])) > 0.8
    assert shown["roc_auc"] is None


def test_a_champion_that_cannot_be_scored_is_never_replaced(data: Path, names: dict[str, str]) -> None:
    """It needs a column that is gone: nobody knows what would be lost."""
    retrain(data, names)
    for name in ("reference", "current"):
        pd.read_csv(data / f"{name}.csv").rename(columns={"plan": "tariff"}).to_csv(
            data / f"{name}.csv", index=False
        )

    outcome = retrain(data, names, job_name="churn-retrain-2").last_retraining

    assert (outcome.result, outcome.reason) == (RetrainResult.FAILED, "ChampionNotScorable")
    assert "cannot be scored (LookupError: it needs the column 'plan'" in outcome.message
    assert len(versions(names)) == 1


def test_a_version_tells_what_it_has_learnt_and_how_good_it_was(data: Path, names: dict[str, str]) -> None:
    """The next retraining examines it on other rows, and notices a feed that broke."""
    report = retrain(data, names)

    (version,) = versions(names)
    assert float(version.tags["selfheal.score"]) == pytest.approx(
        float(str(report.last_retraining.metrics[0].candidate)), abs=1e-4
    )
    assert version.tags["selfheal.metric"] == "f1_macro"
    assert float(version.tags["selfheal.baseline"]) < 0.6
    learnt = json.loads(mlflow.artifacts.load_text(version.tags["selfheal.learntRows"]))
    assert learnt["columns"] == ["x", "plan", "label"]


def test_with_times_the_version_learns_the_newest_rows_too(data: Path, names: dict[str, str]) -> None:
    """It is fitted again after the examination, and says until when it has learnt."""
    for name in ("reference", "current"):
        rows = pd.read_csv(data / f"{name}.csv")
        rows["at"] = pd.date_range(
            "2026-01-01" if name == "reference" else "2026-06-01", periods=200, freq="h"
        )
        rows.to_csv(data / f"{name}.csv", index=False)
    sides = {side: {"uri": str(data / f"{side}.csv")} for side in ("reference", "current")}
    dataset = sides | {"columns": {"timestamp": "at"}}

    first = retrain(data, names, dataset=dataset)
    again = retrain(data, names, dataset=dataset, job_name="churn-retrain-2").last_retraining

    assert first.model is not None
    assert first.model.trained_until_time == datetime(2026, 6, 9, 7, tzinfo=UTC)
    assert "fitted again on all" in first.last_retraining.message
    assert (again.result, again.reason) == (RetrainResult.INCONCLUSIVE, "TooFewNewRows")


def test_the_same_rows_do_not_make_another_version(data: Path, names: dict[str, str]) -> None:
    """Also where the alias stays on an older one."""
    retrain(data, names)
    client(names).set_registered_model_alias(names["registeredModelName"], "champion", "1")
    rows(400, shift=4, seed=3).drop(columns="price").to_csv(data / "current.csv", index=False)

    second, again = (retrain(data, names, job_name=f"churn-retrain-{number}") for number in (2, 3))

    assert second.last_retraining.result is RetrainResult.REGISTERED
    assert again.last_retraining.reason == "TooFewNewRows"
    assert "Version 2 has been registered from the same rows" in again.last_retraining.message
    assert len(versions(names)) == 2


def test_a_candidate_that_fails_does_not_stop_the_others(data: Path, names: dict[str, str]) -> None:
    """It is a failed run, and named in the message."""
    broken = {"name": "broken", "estimator": LINEAR["estimator"], "params": {"C": "-1"}}

    outcome = retrain(data, names, retraining={"candidates": [broken, LINEAR]}).last_retraining

    assert outcome.result is RetrainResult.REGISTERED
    assert outcome.candidate == "linear"
    assert outcome.message.endswith("failed: broken.")
    (failed,) = [run for run in runs(names) if run.info.run_name == "broken"]
    assert failed.info.status == "FAILED"
    assert "C" in failed.data.tags["selfheal.problem"]


def test_when_every_candidate_fails_the_retraining_fails(data: Path, names: dict[str, str]) -> None:
    """With each one's reason."""
    unknown = {"name": "unknown", "estimator": "sklearn.linear_model.LogisticRegresion"}

    outcome = retrain(data, names, retraining={"candidates": [unknown]}).last_retraining

    assert (outcome.result, outcome.reason) == (RetrainResult.FAILED, "TrainingFailed")
    assert "Did you mean sklearn.linear_model.LogisticRegression?" in outcome.message
    assert client(names).get_run(str(outcome.run_id)).info.status == "FAILED"


def test_data_that_allows_no_training_is_an_outcome(data: Path, names: dict[str, str]) -> None:
    """Before any run is started."""
    outcome = retrain(data, names, target="churned").last_retraining

    assert (outcome.result, outcome.reason) == (RetrainResult.FAILED, "ColumnMissing")
    assert runs(names) == []


def test_a_regression_is_judged_by_its_error(tmp_path: Path, names: dict[str, str]) -> None:
    """The task is inferred from the target; lower is better."""
    for name, shift in (("reference", 0), ("current", 2)):
        rows(200, shift=shift, seed=shift).to_csv(tmp_path / f"{name}.csv", index=False)
    linear = {"name": "linear", "estimator": "sklearn.linear_model.LinearRegression"}
    silly = {"name": "silly", "estimator": "sklearn.dummy.DummyRegressor"}

    outcome = retrain(
        tmp_path, names, target="price", retraining={"candidates": [silly, linear]}
    ).last_retraining

    assert outcome.candidate == "linear"
    assert [metric.name for metric in outcome.metrics] == [
        "root_mean_squared_error",
        "mean_absolute_error",
        "mean_squared_error",
        "r2",
    ]


def test_an_mlflow_that_is_down_fails_the_retraining_with_a_sentence(
    data: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be registered, so nothing is trained."""
    monkeypatch.setattr("selfheal_jobs.retrain.run.PATIENT", RetryPolicy(timeout_seconds=1, retries=1))

    outcome = retrain(data, names | {"trackingURI": NOWHERE}).last_retraining

    assert (outcome.result, outcome.reason) == (RetrainResult.FAILED, "MLflowUnavailable")
    assert f"MLflow at {NOWHERE} could not be reached" in outcome.message


# --- attempts that die --------------------------------------------------------------------------------------


class DiedError(BaseException):
    """Stands for SIGKILL: no handler of the code's own runs the rest of a step."""


def dies_at(step: str, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """Make the next attempt die before or after a step of `retrain_run`."""
    real = getattr(retrain_run, step)

    def dying(*arguments: Any, **more: Any) -> Any:
        if after:
            real(*arguments, **more)
        raise DiedError

    monkeypatch.setattr(retrain_run, step, dying)


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("log_comparison", False),
        ("store", False),
        ("store", True),
        ("_registered_once", True),
        ("carry_out", True),
    ],
)
def test_an_attempt_that_dies_anywhere_is_finished_once_by_the_next(
    data: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool
) -> None:
    """One version, one finished parent run, whichever step it died at."""
    with monkeypatch.context() as patch:
        dies_at(step, patch, after=after)
        with pytest.raises(DiedError):
            retrain(data, names)

    report = retrain(data, names)

    assert report.last_retraining.result is RetrainResult.REGISTERED
    assert [str(version.version) for version in versions(names)] == ["1"]
    parents = [run for run in runs(names) if run.data.tags["selfheal.purpose"] == "Retrain"]
    assert sum(run.info.status == "FINISHED" for run in parents) == 1
    assert not [run for run in runs(names) if run.info.status == "RUNNING"]


def test_a_repeated_pod_reports_the_same_again(data: Path, names: dict[str, str]) -> None:
    """Down to the times. A model that another pod has logged has no digest: it may have been exchanged."""
    first = retrain(data, names)
    again = retrain(data, names)

    assert first.model is not None
    assert again.to_wire() == first.replaced(model=first.model.replaced(digest=None, origin=None)).to_wire()
    assert len(versions(names)) == 1


def decide_and_die(data: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a retraining whose pod dies when it has stored its decision."""
    with monkeypatch.context() as patch:
        dies_at("store", patch, after=True)
        with pytest.raises(DiedError):
            retrain(data, names)


def test_a_decision_is_carried_out_without_training_again(
    data: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the data is needed any more."""
    decide_and_die(data, names, monkeypatch)
    (data / "current.csv").unlink()

    assert retrain(data, names).last_retraining.version == "1"
    assert "has learnt 160 rows" in versions(names)[0].description


@pytest.mark.timeout(400)
def test_two_pods_of_one_job_leave_one_version(data: Path, names: dict[str, str], tmp_path: Path) -> None:
    """The node of the first was lost, but not the pod: both register at the same moment, and say the same."""
    asked = request(
        Purpose.RETRAIN, data, names, job_name="churn-retrain-1", retraining={"candidates": [LINEAR]}
    )
    script = Path(__file__).resolve().parents[1] / "support/processes/registering_process.py"
    (meeting := tmp_path / "meeting").mkdir()
    command = [sys.executable, str(script), asked.to_json(), str(meeting)]
    pods = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    reports = [RetrainReport.from_json(pod.communicate(timeout=300)[0].splitlines()[-1]) for pod in pods]

    left = client(names).search_model_versions(f"name = '{names['registeredModelName']}'")
    assert [each.version for each in left] == ["1"]
    models = [report.model for report in reports]
    assert [model and (model.version, model.run_id) for model in models] == [("1", left[0].run_id)] * 2
    assert len(list(meeting.iterdir())) == 2


# --- what others write to MLflow ----------------------------------------------------------------------------


def forged_run(names: dict[str, str], original: Run, **changes: str) -> Run:
    """Log a finished run with the tags of another one, but for the changes, as any client of MLflow can."""
    tags = {name: value for name, value in original.data.tags.items() if name.startswith("selfheal.")}
    changed = {f"selfheal.{name}": value for name, value in changes.items()}
    made = client(names).create_run(original.info.experiment_id, tags=tags | changed)
    client(names).set_terminated(made.info.run_id)
    return client(names).get_run(made.info.run_id)


def evil_model(names: dict[str, str]) -> str:
    """Log a model as somebody else, and return its address."""
    experiment = client(names).create_experiment(f"{names['experiment']}/others")
    made = client(names).create_logged_model(experiment, name="evil")
    client(names).finalize_logged_model(made.model_id, "READY")
    return str(made.model_uri)


@pytest.mark.parametrize("proof", ["copied", "", "\u00e4", None])
def test_a_decision_that_no_pod_of_the_job_made_is_ignored(
    data: Path, names: dict[str, str], caplog: pytest.LogCaptureFixture, proof: str | None
) -> None:
    """The proof of another run is none. The model of the forged decision is not registered."""
    honest = client(names).get_run(str(retrain(data, names).last_retraining.run_id))
    decided = json.loads(honest.data.tags["selfheal.decision"].replace("churn-retrain-1", "churn-retrain-2"))
    decision = json.dumps({**decided, "modelURI": evil_model(names)})
    changes = {"jobName": "churn-retrain-2", "decision": decision}
    forged = forged_run(names, honest, **changes, **({} if proof == "copied" else {"proof": proof or ""}))
    if proof is None:
        client(names).delete_tag(forged.info.run_id, "selfheal.proof")

    outcome = retrain(data, names, job_name="churn-retrain-2").last_retraining

    assert outcome.result is RetrainResult.NOT_IMPROVED
    assert outcome.run_id not in (None, forged.info.run_id, honest.info.run_id)
    assert [each.version for each in versions(names)] == ["1"]
    assert f"decision in MLflow's run {forged.info.run_id} is ignored" in caplog.text


def test_a_decision_that_was_changed_in_its_own_run_is_ignored(
    data: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pod that follows trains again, and registers what it has trained."""
    decide_and_die(data, names, monkeypatch)
    (parent,) = [run for run in runs(names) if run.data.tags["selfheal.purpose"] == "Retrain"]
    decided = json.loads(parent.data.tags["selfheal.decision"])
    evil = evil_model(names)
    changed = json.dumps({**decided, "modelURI": evil})
    client(names).set_tag(parent.info.run_id, "selfheal.decision", changed)

    report = retrain(data, names)

    assert report.last_retraining.result is RetrainResult.REGISTERED
    assert [each.source == evil for each in versions(names)] == [False]


def test_without_its_jobs_uid_a_run_believes_no_earlier_one(
    data: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run by hand has none. The second one trains again, and has to beat the version of the first one."""
    monkeypatch.delenv("SELFHEAL_JOB_UID")
    retrain(data, names)

    again = retrain(data, names).last_retraining

    assert again.result is RetrainResult.NOT_IMPROVED
    assert again.champion_version == "1"
    assert not [run for run in runs(names) if "selfheal.proof" in run.data.tags]


@pytest.mark.parametrize("meanwhile", [False, True])
def test_tags_do_not_make_a_version_that_of_a_job(
    data: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, meanwhile: bool
) -> None:
    """The Job registers its own version, and deletes none, also if the tags are set while it registers."""
    rules = {"candidates": [LINEAR]}
    retrain(data, names, retraining=rules | {"trainingData": "Reference"})
    real = ModelRegistry.register

    def tag() -> None:
        client(names).set_model_version_tag(
            names["registeredModelName"], "1", "selfheal.jobName", "churn-retrain-2"
        )

    def register(self: ModelRegistry, *arguments: Any, **more: Any) -> Any:
        tag()
        return real(self, *arguments, **more)

    if meanwhile:
        monkeypatch.setattr(ModelRegistry, "register", register)
    else:
        tag()

    monkeypatch.setenv("SELFHEAL_JOB_UID", JOB_UID.replace("3f", "4f"))  # each Job has its own
    report = retrain(data, names, job_name="churn-retrain-2", retraining=rules)

    assert report.last_retraining.result is RetrainResult.REGISTERED
    assert report.model is not None
    assert report.model.version == "2"
    assert {each.version for each in versions(names)} == {"1", "2"}


def test_a_finished_check_that_no_pod_of_the_job_made_is_not_its_evidence(
    data: Path, names: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Its numbers and its report would be somebody else's, also with the proof of another run."""
    check(data, names)
    (honest,) = runs(names)
    forged = forged_run(names, honest, jobName="churn-check-2")

    *_, report = check(data, names, job_name="churn-check-2")

    assert report.last_check.run_id not in (None, forged.info.run_id)
    assert f"MLflow's run {forged.info.run_id} is not used" in caplog.text
