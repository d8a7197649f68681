"""What users do to a monitor takes effect at once. No check runs here but one: the slots are a year away."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localcluster import LocalCluster
from support.builders.monitors import monitor_manifest, promise_slot
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.kubectl import Kubectl, KubectlError

NOWHERE = "/nowhere.parquet"


@pytest.fixture(scope="module")
def operator(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator that knows no MLflow server, so that each monitor has to name one."""
    operator = Operator(installation, tmp_path_factory.mktemp("editing") / "operator")
    operator.start()
    yield operator
    assert operator.stop() == 0


@pytest.fixture
def monitor(kubectl: Kubectl, operator: Operator) -> "Monitor":
    """A monitor that the operator has seen."""
    monitor = Monitor(kubectl)
    monitor.apply()
    monitor.wait_for("Ready", "True", "MonitorActive")
    return monitor


class Monitor:
    """The monitor named `edited`."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    @property
    def status(self) -> dict[str, Any]:
        """The status as it is now."""
        status: dict[str, Any] = self._kubectl.get("modelmonitor", "edited").get("status", {})
        return status

    def apply(self) -> None:
        """Make it, or make it anew."""
        mlflow = {"trackingURI": "http://127.0.0.1:9"}
        self._kubectl.apply(monitor_manifest("edited", reference=NOWHERE, current=NOWHERE, mlflow=mlflow))

    def edit(self, **spec: Any) -> None:
        """Change fields of the spec; None removes one."""
        self._kubectl(
            "patch", "modelmonitor", "edited", "--type=merge", "--patch", json.dumps({"spec": spec})
        )

    def condition(self, kind: str) -> dict[str, Any]:
        """Return one condition."""
        return next((c for c in self.status.get("conditions", []) if c["type"] == kind), {})

    def wait_for(self, kind: str, status: str, reason: str) -> str:
        """Wait until a condition is so; return its message."""
        eventually(
            lambda: (
                (self.condition(kind).get("status"), self.condition(kind).get("reason")) == (status, reason)
            ),
            f"{kind} is {status} by {reason}",
        )
        message: str = self.condition(kind)["message"]
        return message


def test_a_new_schedule_counts_from_now_on(monitor: Monitor) -> None:
    """The next check moves, and what the new schedule would have asked for earlier is not caught up."""
    before = monitor.status["nextCheckTime"]
    monitor.edit(schedule="0 0 2 1 *", timeZone="Asia/Tokyo")

    eventually(lambda: monitor.status["nextCheckTime"] != before, "the next check has moved")
    assert monitor.status["nextCheckTime"].endswith("-01-01T15:00:00Z")  # midnight of the 2nd in Tokyo
    assert "lastScheduleTime" not in monitor.status
    assert monitor.status["observedGeneration"] == 2


def test_suspending_stops_new_work_and_resuming_begins_it_again(monitor: Monitor) -> None:
    """While suspended there is no next check; afterwards there is, and nothing is caught up."""
    monitor.edit(suspend=True)
    monitor.wait_for("Ready", "True", "Suspended")
    assert "nextCheckTime" not in monitor.status

    monitor.edit(suspend=False)
    monitor.wait_for("Ready", "True", "MonitorActive")
    assert datetime.fromisoformat(monitor.status["nextCheckTime"]) > datetime.now(UTC)
    assert "lastScheduleTime" not in monitor.status


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"schedule": "0 0 31 2 *"}, "spec.schedule: '0 0 31 2 *' never matches a day of the calendar"),
        (
            {"mlflow": None},
            (
                "spec.mlflow.trackingURI: no MLflow server is known; name one here, or have the platform "
                "team set the operator's default (SELFHEAL_MLFLOW_TRACKING_URI)"
            ),
        ),
        (
            {"retraining": {"candidates": [{"name": "a", "estimator": "sklearn.ensemble.RandomForest"}]}},
            (
                "spec.retraining.candidates[name=a].estimator: sklearn.ensemble.RandomForest is not a "
                "classifier or regressor of scikit-learn; "
                "did you mean sklearn.ensemble.RandomForestRegressor?"
            ),
        ),
    ],
)
def test_what_cel_cannot_see_is_said_and_mending_it_helps(
    monitor: Monitor, spec: dict[str, Any], sentence: str
) -> None:
    """Ready says the field and the remedy; the next edit is tried at once."""
    monitor.edit(**spec)
    assert monitor.wait_for("Ready", "False", "InvalidSpec") == sentence

    monitor.edit(
        schedule="0 0 1 1 *", mlflow={"trackingURI": "http://127.0.0.1:9"}, retraining={"candidates": None}
    )
    monitor.wait_for("Ready", "True", "MonitorActive")


def test_a_pod_template_that_the_api_server_refuses_is_said(monitor: Monitor, kubectl: Kubectl) -> None:
    """The API server's own sentence is in Ready; no check is lost while it is mended."""
    monitor.edit(podTemplate={"volumeMounts": [{"name": "nowhere", "mountPath": "/data"}]})
    eventually(lambda: monitor.status["observedGeneration"] == 2, "the edit is seen")
    promise_slot(kubectl, "edited")

    message = monitor.wait_for("Ready", "False", "JobRejected")
    assert "volumeMounts[0].name: Not found" in message
    monitor.edit(podTemplate=None)
    eventually(lambda: kubectl.get("jobs")["items"], "the check has started")


def test_deleting_a_monitor_removes_its_jobs(monitor: Monitor, kubectl: Kubectl) -> None:
    """Garbage collection does it, by the owner reference: no finalizer, and no operator needed."""
    promise_slot(kubectl, "edited")
    eventually(lambda: kubectl.get("jobs")["items"], "the check has started")

    kubectl("delete", "modelmonitor", "edited", "--timeout=10s")

    eventually(lambda: not kubectl.get("jobs")["items"], "its Jobs are gone", timeout_seconds=60)
    eventually(lambda: not kubectl.get("pods")["items"], "their pods are gone", timeout_seconds=60)


def test_a_monitor_made_anew_under_the_same_name_begins_anew(
    monitor: Monitor, kubectl: Kubectl, cluster: LocalCluster
) -> None:
    """Jobs that the user kept from the one before are not its own, though they have the names it needs."""
    promise_slot(kubectl, "edited")
    eventually(lambda: kubectl.get("jobs")["items"], "the check has started")
    old = kubectl.get("modelmonitor", "edited")["metadata"]["uid"]
    kubectl("delete", "modelmonitor", "edited", "--cascade=orphan")
    monitor.apply()
    assert kubectl.get("modelmonitor", "edited")["metadata"]["uid"] != old
    monitor.wait_for("Ready", "True", "MonitorActive")
    promise_slot(kubectl, "edited")

    message = monitor.wait_for("Ready", "False", "NameConflict")
    (job,) = kubectl.get("jobs")["items"]
    assert message == (
        f"Job {job['metadata']['name']} exists and does not belong to this monitor; delete or rename it"
    )
    kubectl("delete", "job", job["metadata"]["name"])
    eventually(
        lambda: [
            owner["uid"]
            for each in kubectl.get("jobs")["items"]
            for owner in each["metadata"].get("ownerReferences", [])
            if owner["uid"] != old
        ],
        "the check has started",
        timeout_seconds=60,
    )


def want_a_check(kubectl: Kubectl) -> None:
    """Have the yearly slot due."""
    promise_slot(kubectl, "edited")


def want_a_retraining(kubectl: Kubectl) -> None:
    """Ask for one, as a user does."""
    kubectl("annotate", "modelmonitor", "edited", "selfheal.dev/retrain-requested-at=now")


@pytest.fixture(params=[want_a_check, want_a_retraining])
def want_a_run(request: pytest.FixtureRequest) -> Callable[[Kubectl], None]:
    """Return what makes a monitor need a Job whose name it shares with the monitor before."""
    want: Callable[[Kubectl], None] = request.param
    return want


@pytest.fixture
def left_behind(
    monitor: Monitor, kubectl: Kubectl, cluster: LocalCluster, want_a_run: Callable[[Kubectl], None]
) -> Iterator[dict[str, Any]]:
    """The Job of a monitor that was deleted and made anew; garbage collection does not get to it."""
    with cluster.paused_controllers():
        want_a_run(kubectl)
        (job,) = eventually(lambda: kubectl.get("jobs")["items"], "the Job has started")
        kubectl("delete", "modelmonitor", "edited", "--cascade=background")
        monitor.apply()
        monitor.wait_for("Ready", "True", "MonitorActive")
        yield job


def test_a_predecessors_job_that_was_not_collected_makes_room(
    left_behind: dict[str, Any], kubectl: Kubectl, want_a_run: Callable[[Kubectl], None]
) -> None:
    """The operator deletes it, and the run of the monitor that is there now starts under its name."""
    want_a_run(kubectl)

    job = eventually(lambda: newer_job(kubectl, left_behind), "the new monitor's Job has started")

    uid = kubectl.get("modelmonitor", "edited")["metadata"]["uid"]
    assert [owner["uid"] for owner in job["metadata"]["ownerReferences"]] == [uid]


def test_a_predecessors_job_that_is_being_deleted_is_waited_for(
    left_behind: dict[str, Any],
    monitor: Monitor,
    kubectl: Kubectl,
    want_a_run: Callable[[Kubectl], None],
) -> None:
    """Ready says what is waited for; the run starts once the name is free."""
    name = left_behind["metadata"]["name"]
    hold = '{"metadata": {"finalizers": %s}}'
    kubectl("patch", "job", name, "--type=merge", "--patch", hold % '["example.com/hold"]')
    kubectl("delete", "job", name, "--wait=false")
    want_a_run(kubectl)

    message = monitor.wait_for("Ready", "False", "JobTerminating")
    assert message == f"Job {name} of another owner is being deleted; waiting until it is gone"
    kubectl("patch", "job", name, "--type=merge", "--patch", hold % "null")

    eventually(lambda: newer_job(kubectl, left_behind), "the new monitor's Job has started")
    monitor.wait_for("Ready", "True", "MonitorActive")


def newer_job(kubectl: Kubectl, before: dict[str, Any]) -> dict[str, Any]:
    """Return the Job that has the name of another one before it; empty while there is none."""
    name, uid = before["metadata"]["name"], before["metadata"]["uid"]
    named = [job for job in kubectl.get("jobs")["items"] if job["metadata"]["name"] == name]
    return next((job for job in named if job["metadata"]["uid"] != uid), {})


def test_a_default_model_with_versions_cannot_be_exchanged_for_another(monitor, kubectl):
    """Its versions would no longer be what a new one has to beat."""
    model = {"name": f"{kubectl.namespace}.edited", "version": "1", "registeredTime": "2026-11-23T12:00:00Z"}
    patch = json.dumps({"status": {"model": model}})
    kubectl("patch", "modelmonitor", "edited", "--subresource=status", "--type=merge", "--patch", patch)

    with pytest.raises(KubectlError, match="that has versions: make another ModelMonitor"):
        monitor.edit(mlflow={"registeredModelName": "other"})

    monitor.edit(mlflow={"registeredModelName": model["name"]})
