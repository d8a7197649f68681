"""The whole loop with real containers, real MLflow, two operators, and an API server that is restarted.

Eight monitors go on at the same time, each with its own fate; a test tells what became of one.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localcluster import LocalCluster
from support.builders.monitors import monitor_manifest, promise_slot, write_table
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(420)  # the first test also pays for the cluster, MLflow and the stage
PATIENCE_SECONDS = 240
BROKEN_PYTHON = [{"name": "PYTHONHOME", "value": "/nonexistent"}]
"""With it the interpreter dies before it runs a line, as a broken image would."""


@dataclass(frozen=True)
class Stage:
    """Where the monitors act."""

    kubectl: Kubectl
    mlflow_uri: str
    tables: Path

    def status(self, name: str) -> dict[str, Any]:
        """Return the status of a monitor."""
        status: dict[str, Any] = self.kubectl.get("modelmonitor", name).get("status", {})
        return status

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """Return one condition of a monitor."""
        conditions = self.status(name).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def wait(self, name: str, reached: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        """Return the status once it is so."""
        eventually(lambda: reached(self.status(name)), f"{name}: {what}", timeout_seconds=PATIENCE_SECONDS)
        return self.status(name)

    def jobs(self, name: str) -> list[dict[str, Any]]:
        """Return all Jobs of a monitor: none is removed within a day."""
        items: list[dict[str, Any]] = self.kubectl.get("jobs", f"--selector=selfheal.dev/monitor={name}")[
            "items"
        ]
        return items

    def events(self, name: str) -> list[str]:
        """Return the reasons of a monitor's Events."""
        selector = f"--field-selector=involvedObject.name={name},involvedObject.kind=ModelMonitor"
        return [event["reason"] for event in self.kubectl.get("events", selector)["items"]]


def _manifests(tables: Path) -> list[dict[str, Any]]:
    reference = write_table(tables / "reference.parquet", rows=3000, shift=0, seed=1)
    quiet = write_table(tables / "quiet.parquet", rows=3000, shift=0, seed=2)
    moved = write_table(tables / "moved.parquet", rows=1500, shift=1.5, seed=3)
    return [
        monitor_manifest("drifting", reference=reference, current=moved),
        monitor_manifest("quiet", reference=reference, current=quiet),
        monitor_manifest("lost-data", reference=reference, current=tables / "nowhere.parquet"),
        monitor_manifest(
            "dying-check", reference=reference, current=quiet, podTemplate={"env": BROKEN_PYTHON}
        ),
        monitor_manifest(
            "dying-retrain", reference=reference, current=moved, retraining={"mode": "Disabled"}
        ),
        monitor_manifest(
            "voiceless", reference=reference, current=quiet, podTemplate={"serviceAccountName": "no-rights"}
        ),
        monitor_manifest(
            "no-mlflow", reference=reference, current=quiet, mlflow={"trackingURI": "http://127.0.0.1:9"}
        ),
        monitor_manifest("wrong", reference=reference, current=quiet, schedule="61 * * * *"),
    ]


@pytest.fixture(scope="module")
def stage(
    cluster: LocalCluster,
    installation: Path,
    mlflow_uri: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Two operators that find eight monitors with one slot due each, and an API server that goes away."""
    folder = tmp_path_factory.mktemp("stage")
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "stage")
    kubectl("create", "namespace", "stage")
    kubectl("create", "serviceaccount", "no-rights")
    manifests = _manifests(folder)
    kubectl.apply(*manifests)
    for manifest in manifests:
        promise_slot(kubectl, manifest["metadata"]["name"])
    first, second = (
        Operator(installation, folder / f"operator-{n}", mlflow_tracking_uri=mlflow_uri) for n in (1, 2)
    )
    stage = Stage(kubectl, mlflow_uri, folder)
    try:
        first.start()
        second.start()
        # By its Job: a status that only tells of a start waits for the verdict.
        eventually(lambda: stage.jobs("quiet"), "its check has started", timeout_seconds=PATIENCE_SECONDS)
        cluster.restart_apiserver()
        first.kill()
        first.start()
        yield stage
    finally:
        assert [first.stop(), second.stop()] == [0, 0]
        kubectl("delete", "namespace", "stage", "--wait=false")


def test_drift_is_answered_by_one_retraining_and_a_new_version(stage: Stage) -> None:
    """Applied, checked, found drifted, retrained once, registered: with two operators, one of them killed."""
    status = stage.wait(
        "drifting", lambda s: s.get("model") and not s.get("active"), "a version is registered"
    )

    assert status["lastCheck"]["result"] == "Drift"
    assert status["lastCheck"]["driftShare"] == "0.8000"
    assert {column["name"] for column in status["lastCheck"]["topDriftedColumns"]} == {
        "age",
        "income",
        "tenure",
        "usage",
    }
    assert status["lastRetraining"]["result"] == "Registered"
    assert status["model"]["version"] == status["lastRetraining"]["version"] == "1"
    assert status["retraining"]["count"] == 1
    purposes = [job["metadata"]["labels"]["selfheal.dev/purpose"] for job in stage.jobs("drifting")]
    assert sorted(purposes) == ["Check", "Promote", "Retrain"]
    assert stage.condition("drifting", "Ready")["status"] == "True"
    assert stage.condition("drifting", "DriftDetected")["reason"] == "ThresholdExceeded"
    assert stage.condition("drifting", "Retraining")["reason"] == "ModelRegistered"
    assert stage.condition("drifting", "Promoted")["reason"] == "ModelPromoted"
    assert status["model"]["alias"] == "champion"


def test_mlflow_holds_the_runs_and_the_version(stage: Stage) -> None:
    """The run of the check with the report, the retraining's runs, and exactly one registered version."""
    status = stage.wait("drifting", lambda s: s.get("model") and s["lastCheck"].get("runID"), "all is logged")

    name = status["model"]["name"]
    versions = _mlflow(stage, f"model-versions/search?filter=name%3D%27{name}%27")["model_versions"]
    assert [version["version"] for version in versions] == ["1"]
    run = _mlflow(stage, f"runs/get?run_id={status['lastCheck']['runID']}")["run"]
    metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
    assert metrics["drift_share"] == pytest.approx(0.8)
    files = _mlflow(stage, f"artifacts/list?run_id={status['lastCheck']['runID']}")["files"]
    assert "drift_report.html" in {file["path"] for file in files}


def _mlflow(stage: Stage, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{stage.mlflow_uri}/api/2.0/mlflow/{path}", timeout=30) as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def test_events_tell_the_story_once(stage: Stage) -> None:
    """Drift, the start of the retraining, and its end: each is told."""
    stage.wait("drifting", lambda s: s.get("model") and not s.get("active"), "a version is registered")

    told = {"DriftDetected", "RetrainingStarted", "ModelRegistered", "ModelPromoted"}
    eventually(lambda: told <= set(stage.events("drifting")), "the events are there")
    # The status is compare-and-swapped, and an Event follows a write that won: two operators tell it once.
    assert stage.events("drifting").count("ModelRegistered") == 1
    assert stage.events("drifting").count("ModelPromoted") == 1


def test_a_quiet_monitor_stays_quiet(stage: Stage) -> None:
    """No drift, no retraining, one check."""
    status = stage.wait("quiet", lambda s: s.get("lastCheck") and not s.get("active"), "it is checked")

    assert (status["lastCheck"]["result"], status["lastCheck"]["driftShare"]) == ("NoDrift", "0.0000")
    assert stage.condition("quiet", "DriftDetected")["status"] == "False"
    assert stage.condition("quiet", "Retraining")["reason"] == "NeverNeeded"
    assert len(stage.jobs("quiet")) == 1
    assert status["missedChecks"] == 0


def test_nothing_but_the_status_is_written(stage: Stage) -> None:
    """The operator and the containers own fields of the status only; the spec's generation stays 1."""
    stage.wait("drifting", lambda s: s.get("model") and not s.get("active"), "a version is registered")
    metadata = stage.kubectl.get("modelmonitor", "drifting", "--show-managed-fields")["metadata"]

    ours = [entry for entry in metadata["managedFields"] if entry["manager"].startswith("selfheal-")]
    assert {entry["manager"] for entry in ours} == {
        "selfheal-operator",
        "selfheal-check",
        "selfheal-retrain",
        "selfheal-promote",
    }
    assert all(set(entry["fieldsV1"]) == {"f:status"} for entry in ours)
    assert metadata["generation"] == 1
    assert "finalizers" not in metadata
    assert "labels" not in metadata


def test_missing_data_is_an_error_and_no_verdict(stage: Stage) -> None:
    """A file that is not there shows in Ready with its field, and DriftDetected is Unknown, not False."""
    status = stage.wait("lost-data", lambda s: s.get("lastFailedCheckTime"), "the check has failed")

    assert (status["lastCheck"]["result"], status["lastCheck"]["reason"]) == ("Error", "DataNotFound")
    ready = stage.condition("lost-data", "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ChecksFailing")
    assert "spec.dataset.current.uri" in ready["message"]
    assert "nowhere.parquet" in ready["message"]
    assert stage.condition("lost-data", "DriftDetected")["status"] == "Unknown"


def test_a_check_that_dies_is_an_error_that_names_the_job(stage: Stage) -> None:
    """A container that ends before it can report is reported on its behalf, after its retries."""
    status = stage.wait("dying-check", lambda s: s.get("lastFailedCheckTime"), "the check has failed")

    assert (status["lastCheck"]["result"], status["lastCheck"]["reason"]) == ("Error", "CheckFailed")
    (job,) = stage.jobs("dying-check")
    assert job["metadata"]["name"] in status["lastCheck"]["message"]
    assert "exit code 1" in status["lastCheck"]["message"]
    assert stage.condition("dying-check", "DriftDetected")["status"] == "Unknown"


def test_a_report_that_the_container_could_not_deliver_is_recovered(stage: Stage) -> None:
    """The pods' account may not patch the status; the verdict comes from their termination message."""
    status = stage.wait("voiceless", lambda s: s.get("lastCheck") and not s.get("active"), "it is recovered")

    assert status["lastCheck"]["result"] == "NoDrift"
    assert status["lastCheck"]["columnsChecked"] == 5
    assert stage.condition("voiceless", "Ready")["status"] == "True"


def test_a_verdict_survives_an_mlflow_that_is_down(stage: Stage) -> None:
    """The verdict is there, without a run, and the message says why."""
    status = stage.wait("no-mlflow", lambda s: s.get("lastCheck") and not s.get("active"), "it is checked")

    assert status["lastCheck"]["result"] == "NoDrift"
    assert "runID" not in status["lastCheck"]
    assert "MLflow" in status["lastCheck"]["message"]


def test_a_retraining_that_dies_is_not_begun_again_for_the_same_drift(stage: Stage) -> None:
    """Enabling it starts it at once, by the spec as it is then; its death is reported, and counted once."""
    stage.wait("dying-retrain", lambda s: s.get("lastCheck") and not s.get("active"), "drift is found")
    assert stage.condition("dying-retrain", "Retraining")["reason"] == "RetrainingDisabled"
    edit = {"spec": {"retraining": {"mode": "Auto"}, "podTemplate": {"env": BROKEN_PYTHON}}}
    stage.kubectl("patch", "modelmonitor", "dying-retrain", "--type=merge", "--patch", json.dumps(edit))

    status = stage.wait(
        "dying-retrain", lambda s: s.get("lastRetraining") and not s.get("active"), "it has died"
    )

    assert (status["lastRetraining"]["result"], status["lastRetraining"]["reason"]) == (
        "Failed",
        "RetrainingFailed",
    )
    assert "model" not in status
    assert status["retraining"]["count"] == 1
    assert len(stage.jobs("dying-retrain")) == 2


def test_a_wrong_spec_says_what_to_change_and_harms_nobody(stage: Stage) -> None:
    """Ready is False with the field and the remedy; no Job is started."""
    ready = eventually(
        lambda: stage.condition("wrong", "Ready"), "the spec is read", timeout_seconds=PATIENCE_SECONDS
    )

    assert (ready["status"], ready["reason"]) == ("False", "InvalidSpec")
    assert ready["message"] == "spec.schedule: the minute 61 is not between 0 and 59"
    assert stage.jobs("wrong") == []
    assert "InvalidSpec" in stage.events("wrong")
