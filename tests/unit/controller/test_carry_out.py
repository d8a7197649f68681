import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from selfheal_operator.api.names import PLURAL
from selfheal_operator.api.reasons import CheckResult, SignalResult
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.v1alpha1.status import SignalStatus
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import RejectedError, UnavailableError
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Job, Monitor
from selfheal_operator.core.plan import Event
from selfheal_operator.kube.cluster import Cluster
from support.builders.objects import (
    DEFAULTS,
    HOUR,
    NOON,
    finished_job,
    last_check,
    monitor_body,
    pod,
    spec_document,
)
from support.builders.steps import job_created
from support.fakes.memory_api import JOBS, MONITORS, MemoryApi

CHURN = Key("team-a", "churn")
ONE = NOON + HOUR


@dataclass
class Line:
    """The line to a server whose answers to the next creations are lost."""

    api: MemoryApi
    losses: int = 0
    asked: list[str] = field(default_factory=list)

    async def request(self, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        """Send a request."""
        self.asked.append(f"{method} {path.rpartition('/jobs')[2] or 'jobs'}")
        answer = await self.api.request(method, path, *arguments, **options)
        if method == "POST" and path.endswith("/jobs") and self.losses:
            self.losses -= 1
            raise UnavailableError("the answer was lost")
        return answer


@pytest.fixture
def line() -> Line:
    """Return a line to a server that holds the monitor."""
    api = MemoryApi(lambda: NOON)
    manual = spec_document(retraining={"mode": "Manual"})
    api.create(f"{MONITORS}/namespaces/team-a/{PLURAL}", monitor_body(spec=manual))
    return Line(api)


async def test_a_check_whose_creation_was_not_answered_keeps_the_next_one_waiting(line):
    """The watch has not told of it when the next slot is due; one check runs at a time all the same."""
    store, line.losses = Store(), 1
    executor = Executor(Cluster(line), store, lambda: NOON)
    store.put_monitor(line.api.get(f"{MONITORS}/namespaces/team-a/{PLURAL}/churn"))

    async def look(now) -> None:
        seen = store.observe(CHURN, DEFAULTS)
        assert seen is not None
        await executor.carry_out(CHURN, seen, plan_monitor(seen, now))

    with pytest.raises(UnavailableError):
        await look(ONE)
    line.asked.clear()
    await look(ONE + HOUR)
    assert line.asked == [f"GET /churn-check-{int(ONE.timestamp()) // 60}"]

    seen = store.observe(CHURN, DEFAULTS)
    assert seen is not None
    assert seen.unanswered == ()
    assert job_created(plan_monitor(seen, ONE + HOUR)) is None
    assert len([path for path in line.api.objects if path.startswith(JOBS)]) == 1


@dataclass
class Recorder:
    """A sink; one that fails has nothing that it could tell with."""

    fails: bool = False
    told: list[str] = field(default_factory=list)

    async def tell(self, monitor: Monitor, event: Event, now: datetime) -> None:
        """Take the event down, or fail."""
        assert (monitor.name, now) == ("churn", NOON)
        if self.fails:
            raise UnavailableError("away")
        self.told.append(str(event.reason))


async def test_a_sink_that_fails_keeps_nobody_from_being_told(line):
    """The status is stored by then, and says the same."""
    path = f"{MONITORS}/namespaces/team-a/{PLURAL}/churn"
    line.api.edit_spec(path, spec_document(timeZone="Mars"))
    store, sink = Store(), Recorder()
    store.put_monitor(line.api.get(path))
    seen = store.observe(CHURN, DEFAULTS)
    assert seen is not None

    executor = Executor(Cluster(line), store, lambda: NOON, sinks=[Recorder(fails=True), sink])
    await executor.carry_out(CHURN, seen, plan_monitor(seen, NOON))

    assert sink.told == ["InvalidSpec"]
    assert line.api.get(path)["status"]["observedGeneration"] == 2


# --- reports that cannot be stored, and statuses that others have written -----------------------------------

CHURN_PATH = f"{MONITORS}/namespaces/team-a/{PLURAL}/churn"


class Strict(MemoryApi):
    """Refuses a list of signals in which a name is there twice, as the CRD has it."""

    def apply_status(self, path: str, sent: dict[str, Any], manager: str) -> dict[str, Any]:
        """Apply a status."""
        names = [each["name"] for each in sent["status"].get("lastCheck", {}).get("signals", ())]
        if len(names) != len(set(names)):
            raise RejectedError(f"lastCheck.signals: Duplicate value: {names[-1]!r}")
        return super().apply_status(path, sent, manager)


def signal(name: str) -> SignalStatus:
    """Return what a check found of a signal."""
    return SignalStatus(
        name=name, type="Performance", result=SignalResult.UNKNOWN, reason="NoLabels", message="m"
    )


def left_by(job_: Job, message: str, **metadata: Any) -> dict[str, Any]:
    """Return a pod of a Job, which has left this termination message."""
    owner = {"kind": "Job", "name": job_.name, "uid": job_.uid, "controller": True}
    found = pod(message=message)
    return found | {
        "metadata": {"namespace": job_.namespace, "ownerReferences": [owner], **found["metadata"], **metadata}
    }


async def recovered(message: str, **metadata: Any) -> dict[str, Any]:
    """Return the lastCheck after the recovery of a check that left this, and all that is left to do then."""
    api, store = Strict(lambda: NOON), Store()
    quiet = monitor_body(spec=spec_document(schedule="0 0 1 1 *", retraining={"mode": "Manual"}))
    api.create(f"{MONITORS}/namespaces/team-a/{PLURAL}", quiet)
    body = api.get(CHURN_PATH)
    ended = finished_job(owner_uid=body["metadata"]["uid"])
    api.pods[ended.uid] = [left_by(ended, message, **metadata)]
    store.put_monitor(body)
    store.put_job(ended, "1001")
    executor = Executor(Cluster(api), store, lambda: NOON)  # type: ignore[arg-type]  # as far as is needed
    for _ in range(4):
        seen = store.observe(CHURN, DEFAULTS)
        assert seen is not None
        if not await executor.carry_out(CHURN, seen, plan_monitor(seen, NOON)):
            status: dict[str, Any] = api.get(CHURN_PATH)["status"]
            return status
    raise AssertionError("the monitor is never done")


def ready(status: dict[str, Any]) -> tuple[str, str]:
    """Return status and message of the condition Ready."""
    return next((each["status"], each["message"]) for each in status["conditions"] if each["type"] == "Ready")


async def test_a_report_that_the_crd_refuses_becomes_a_failed_check_that_ready_tells():
    """Otherwise it would be tried for a day: the monitor would stand still, while Ready says all is well."""
    twice = last_check(NOON, CheckResult.NO_DRIFT, signals=[signal("s"), signal("s")])

    status = await recovered(CheckReport(last_check=twice).to_json())

    assert status["lastCheck"]["result"] == "Error"
    left = "Job churn-check-29923920 left a report that the API server refuses"
    assert ready(status) == ("False", f"CheckFailed: {left}: lastCheck.signals: Duplicate value: 's'")


async def test_a_report_that_cannot_be_written_becomes_a_failed_check():
    """A time that does not exist in UTC."""
    odd = last_check(NOON, CheckResult.NO_DRIFT, completion_time=None).to_wire()
    odd["completionTime"] = "9999-12-31T23:59:59-23:59"

    status = await recovered(json.dumps({"lastCheck": odd}))

    assert status["lastCheck"]["result"] == "Error"
    assert "left a report that cannot be read" in ready(status)[1]


@pytest.mark.parametrize(
    "metadata",
    [
        {"ownerReferences": []},
        {
            "ownerReferences": [
                {"kind": "Job", "name": "churn-check-29923920", "uid": "other", "controller": True}
            ]
        },
        {
            "ownerReferences": [
                {"kind": "Job", "name": "other", "uid": "uid-of-churn-check-29923920", "controller": True}
            ]
        },
        {
            "ownerReferences": [
                {"kind": "Job", "name": "churn-check-29923920", "uid": "uid-of-churn-check-29923920"}
            ]
        },
        {"namespace": "team-b"},
    ],
)
async def test_a_pod_that_is_not_the_jobs_reports_nothing(metadata):
    """Anybody may write the label by which the pods of a Job are listed."""
    forged = CheckReport(last_check=last_check(NOON, CheckResult.DRIFT))

    status = await recovered(forged.to_json(), **metadata)

    assert ready(status)[1] == "CheckFailed: Job churn-check-29923920 ended without a report"


async def test_what_another_client_wrote_into_the_operators_part_is_taken_away():
    """Server-side apply leaves what its manager does not send: it would be planned again, for ever."""
    api, store = MemoryApi(lambda: NOON), Store()
    api.create(f"{MONITORS}/namespaces/team-a/{PLURAL}", monitor_body(spec=spec_document(suspend=True)))
    forged = {
        "active": [{"name": "churn-check-7", "uid": "u", "purpose": "Check"}],
        "lastScheduleTime": "9999-12-31T23:59:59-23:59",
        "retraining": {
            "count": 999_999_999,
            "startTimes": [],
            "consecutiveFailures": 0,
            "lastStartTime": "0001-01-01T00:00:00Z",
        },
        "conditions": [
            {
                "type": "team-a/Reviewed",
                "status": "True",
                "reason": "ByHand",
                "message": "m",
                "lastTransitionTime": "2026-11-23T12:00:00Z",
            }
        ],
    }
    api.apply_status(CHURN_PATH, {"metadata": {}, "status": forged}, "somebody")
    store.put_monitor(api.get(CHURN_PATH))
    executor = Executor(Cluster(api), store, lambda: NOON)  # type: ignore[arg-type]  # as far as is needed

    for turn in range(3):
        seen = store.observe(CHURN, DEFAULTS)
        assert seen is not None
        changed = await executor.carry_out(CHURN, seen, plan_monitor(seen, NOON))
        assert changed is (turn == 0)

    status = api.get(CHURN_PATH)["status"]
    assert "lastScheduleTime" not in status
    assert status["active"] == []
    assert {name: value for name, value in status["retraining"].items() if value} == {}
