"""Runs on demand, limits, Replace and history on the real API server, with containers that look at data.

The data comes from a server that never answers where a check has to go on until it is stopped, and is missing
where it has to end at once.
"""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localcluster import LocalCluster
from selfheal_operator.controller.capacity import Capacity
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.resync import resync
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.observed import JobDefaults
from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.cluster import Cluster
from support.builders.monitors import monitor_manifest, promise_slot
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(300)
PATIENCE_SECONDS = 120
NOWHERE = "/nonexistent/table.parquet"
NO_MLFLOW = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Stage:
    """Where the monitors act: an operator that may run two checks at once."""

    kubectl: Kubectl
    operator: Operator
    endless: str
    """Data that a container waits for."""

    def apply(self, name: str, current: str = NOWHERE, **spec: Any) -> None:
        """Make a monitor whose next slot is a year away."""
        self.kubectl.apply(monitor_manifest(name, reference=current, current=current, **spec))
        self.wait(name, lambda status: status.get("observedGeneration"), "is noticed")

    def ask(self, name: str, token: str, what: str = "check") -> None:
        """Ask for a run."""
        annotation = f"selfheal.dev/{what}-requested-at={token}"
        self.kubectl("annotate", "--overwrite", "modelmonitor", name, annotation)

    def status(self, name: str) -> dict[str, Any]:
        """Return the status of a monitor."""
        status: dict[str, Any] = self.kubectl.get("modelmonitor", name).get("status", {})
        return status

    def wait(self, name: str, reached: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        """Return the status once it is so."""
        eventually(lambda: reached(self.status(name)), f"{name}: {what}", timeout_seconds=PATIENCE_SECONDS)
        return self.status(name)

    def wait_for_answer(self, name: str, token: str) -> None:
        """Return when a request has been answered."""
        self.wait(name, lambda status: status.get("lastHandledCheckRequest") == token, f"{token} is answered")

    def wait_for_reports(self, name: str, number: int) -> dict[str, Any]:
        """Return the status when so many checks have reported."""
        return self.wait(name, lambda s: len(s.get("history", [])) == number, f"{number} have reported")

    def jobs(self, name: str = "") -> list[dict[str, Any]]:
        """Return the Jobs of a monitor, or of all."""
        selector = f"--selector=selfheal.dev/monitor={name}" if name else "--selector=selfheal.dev/monitor"
        items: list[dict[str, Any]] = self.kubectl.get("jobs", selector)["items"]
        return items

    def all_have_finished(self, name: str) -> bool:
        """Say whether the Job controller has said of all Jobs of a monitor how they ended."""
        return all(_ends(job) & {"Complete", "Failed"} for job in self.jobs(name))

    def has_failed(self, job: str) -> bool:
        """Say whether the Job controller calls the Job failed."""
        return "Failed" in _ends(self.kubectl.get("job", job))

    def suspend(self, job: str, *, suspend: bool) -> None:
        """Suspend or resume a Job."""
        patch = json.dumps({"spec": {"suspend": suspend}})
        self.kubectl("patch", "job", job, "--type=merge", f"--patch={patch}")

    def job_status(self, job: str) -> dict[str, Any]:
        """Return what the Job controller says of a Job."""
        status: dict[str, Any] = self.kubectl.get("job", job).get("status", {})
        return status

    def waiting_checks(self) -> float | None:
        """Return how many checks wait until fewer run, as the operator's metrics say."""
        return self.operator.scrape().value("selfheal_jobs_waiting", purpose="Check")

    @staticmethod
    def ready(status: dict[str, Any]) -> tuple[str, str]:
        """Return status and reason of the condition Ready."""
        found = next(each for each in status["conditions"] if each["type"] == "Ready")
        return found["status"], found["reason"]

    @staticmethod
    def ready_message(status: dict[str, Any]) -> str:
        """Return the message of the condition Ready; empty if nothing is said yet."""
        found = (each["message"] for each in status.get("conditions", ()) if each["type"] == "Ready")
        return next(found, "")

    def requests(self, name: str) -> list[str]:
        """Return the tokens on a monitor's Jobs."""
        annotations = [job["metadata"]["annotations"] for job in self.jobs(name)]
        return sorted(each["selfheal.dev/request"] for each in annotations if "selfheal.dev/request" in each)


def _ends(job: dict[str, Any]) -> set[str]:
    conditions = job["status"].get("conditions", [])
    return {each["type"] for each in conditions if each["status"] == "True"}


@pytest.fixture(scope="module")
def stage(
    cluster: LocalCluster, installation: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One operator, serving one namespace."""
    folder = tmp_path_factory.mktemp("scheduling")
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "scheduling")
    kubectl("create", "namespace", kubectl.namespace)
    settings = {
        "namespaces": kubectl.namespace,
        "max_active_checks_per_namespace": "2",
        "mlflow_tracking_uri": NO_MLFLOW,
    }
    operator = Operator(installation, folder / "operator", **settings)
    operator.start()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield Stage(kubectl, operator, f"http://127.0.0.1:{silent.getsockname()[1]}/endless.csv")
    operator.kill()


def test_each_request_is_answered_once(stage: Stage) -> None:
    """Each new token by one Job, and it is echoed when the check has reported."""
    stage.apply("asked", failedJobsHistoryLimit=5, successfulJobsHistoryLimit=5)
    for token in ("first", "second"):
        stage.ask("asked", token)
        stage.wait_for_answer("asked", token)
    status = stage.wait_for_reports("asked", 2)

    assert stage.requests("asked") == ["first", "second"]
    assert status["lastCheck"]["reason"] == "DataNotFound"
    assert "lastScheduleTime" not in status
    assert status["missedChecks"] == 0


async def test_finished_jobs_beyond_the_limit_are_deleted_after_five_minutes(
    stage: Stage, installation: Path
) -> None:
    """Three checks leave the newest; until then, the names of all keep anybody from making them again."""
    stage.apply("tidy")
    for number in range(3):
        stage.ask("tidy", f"token-{number}")
        stage.wait_for_reports("tidy", number + 1)
    eventually(lambda: stage.all_have_finished("tidy"), "all have finished", timeout_seconds=60)
    assert stage.requests("tidy") == ["token-0", "token-1", "token-2"]

    await look_in_five_minutes(installation, Key(stage.kubectl.namespace, "tidy"))

    eventually(lambda: stage.requests("tidy") == ["token-2"], "only the newest is kept", timeout_seconds=60)


async def look_in_five_minutes(installation: Path, key: Key) -> None:
    """Have an operator do what there is to do for a monitor by then."""

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=5)

    store, client = Store(), await ApiClient.connect(str(installation))
    try:
        cluster = Cluster(client, (key.namespace,))
        await resync(cluster, store)
        executor, defaults = Executor(cluster, store, clock), JobDefaults(tracking_uri=NO_MLFLOW)
        queue = WorkQueue[Key](clock)
        capacity = Capacity(store, {}, queue.add)
        await Reconciler(queue, store, executor, capacity, defaults, clock).reconcile(key)
    finally:
        await client.close()


def test_a_suspended_monitor_answers_a_request_when_it_is_resumed(stage: Stage) -> None:
    """And starts nothing before: Ready says that the check waits."""
    stage.apply("resting", suspend=True)
    stage.ask("resting", "please")
    stage.wait("resting", lambda status: "the requested check" in stage.ready_message(status), "it waits")
    assert stage.jobs("resting") == []

    stage.kubectl("patch", "modelmonitor", "resting", "--type=merge", '--patch={"spec":{"suspend":false}}')

    stage.wait_for_answer("resting", "please")


def test_a_slot_that_is_too_late_is_passed_over_and_counted(stage: Stage) -> None:
    """No Job is made for it, and an Event says so."""
    stage.apply("late", startingDeadlineSeconds=600)
    slot = promise_slot(stage.kubectl, "late")

    status = stage.wait("late", lambda s: s.get("missedChecks"), "it is counted")

    assert status["missedChecks"] == 1
    assert status["lastScheduleTime"] == f"{slot:%Y-%m-%dT%H:%M:%SZ}"
    assert stage.jobs("late") == []
    events = stage.kubectl.get("events", "--field-selector=involvedObject.name=late")["items"]
    assert "ChecksMissed" in {event["reason"] for event in events}


def test_replace_stops_the_check_that_still_runs(stage: Stage) -> None:
    """The slot after it gets its Job; both count as started."""
    begun = datetime.now(UTC)
    stage.apply("hasty", stage.endless, intervalSeconds=60, concurrencyPolicy="Replace")
    first = stage.wait("hasty", lambda s: s.get("lastScheduleTime"), "the first slot is started")

    status = stage.wait(
        "hasty",
        lambda s: s.get("lastScheduleTime") != first["lastScheduleTime"],
        "the second slot is started",
    )

    one, two = (datetime.fromisoformat(s["lastScheduleTime"]) for s in (first, status))
    assert begun < one == two - timedelta(seconds=60)
    assert status["missedChecks"] == 0
    jobs = {job["metadata"]["annotations"]["selfheal.dev/slot"]: job for job in stage.jobs("hasty")}
    assert set(jobs) == {first["lastScheduleTime"], status["lastScheduleTime"]}
    stopped = jobs[first["lastScheduleTime"]]["metadata"]["name"]
    eventually(lambda: stage.has_failed(stopped), "the first one's pod is ended", timeout_seconds=60)
    assert "lastCheck" not in stage.status("hasty"), "a check that was stopped has no outcome"
    events = stage.kubectl.get("events", "--field-selector=involvedObject.name=hasty")["items"]
    assert "CheckReplaced" in {event["reason"] for event in events}
    stage.kubectl("delete", "modelmonitor", "hasty", "--wait=false")


def test_a_check_that_a_queue_holds_is_queued_until_it_is_admitted(stage: Stage) -> None:
    """The test does to the Job what Kueue does; without a startTime, the Job's deadline does not run."""
    stage.apply("queued", stage.endless)
    stage.ask("queued", "please")
    stage.wait_for_answer("queued", "please")
    (job,) = (job["metadata"]["name"] for job in stage.jobs("queued"))
    stage.suspend(job, suspend=True)

    stage.wait("queued", lambda status: stage.ready(status) == ("True", "Queued"), "its Job is queued")
    eventually(lambda: "startTime" not in stage.job_status(job), "no deadline runs", timeout_seconds=60)
    assert [active["name"] for active in stage.status("queued")["active"]] == [job]
    assert stage.job_status(job).get("active", 0) == 0

    stage.suspend(job, suspend=False)
    eventually(lambda: stage.job_status(job).get("ready") == 1, "its pod runs", timeout_seconds=60)
    stage.wait("queued", lambda status: stage.ready(status) == ("True", "MonitorActive"), "its Job runs")
    assert "startTime" in stage.job_status(job)
    stage.kubectl("delete", "modelmonitor", "queued", "--wait=false")


def test_no_more_checks_run_at_once_than_are_allowed(stage: Stage) -> None:
    """The others get their turn when one ends."""
    two, others = ["endless-0", "endless-1"], ["waiting-0", "waiting-1"]
    for name in two:
        stage.apply(name, stage.endless)
        stage.ask(name, "now")
        stage.wait_for_answer(name, "now")
    for name in others:
        stage.apply(name)
        stage.ask(name, "now")
    eventually(lambda: stage.waiting_checks() == len(others), "two wait", timeout_seconds=PATIENCE_SECONDS)
    assert [job for name in others for job in stage.jobs(name)] == []

    stage.kubectl("delete", "modelmonitor", two[0], "--wait=false")

    for name in others:
        stage.wait_for_reports(name, 1)
    assert len(stage.jobs(two[1])) == 1
    stage.kubectl("delete", "modelmonitor", two[1], "--wait=false")
