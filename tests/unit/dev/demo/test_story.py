"""What is told when a status changes."""

from datetime import UTC, datetime
from typing import Any

from demo.story import told
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
RUN = {"scheduledTime": "2026-01-01T12:00:00Z", "reason": "Some", "observedGeneration": 1}
DRIFT = RUN | {
    "jobName": "m-check-1",
    "result": "Drift",
    "message": "1 of 2 columns drifted (0.5000 > 0.3000)",
    "topDriftedColumns": [{"name": "age", "method": "ks", "score": "0.01", "threshold": "0.05"}],
}
REGISTERED = RUN | {"jobName": "m-retrain-1", "result": "Registered", "message": "Version 2 registered"}


def sentences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what is told between two statuses."""
    read = ModelMonitorStatus.from_wire
    return list(told(read(before), read(after), now=NOW))


def job(name: str, purpose: str) -> dict[str, str]:
    """Return an active Job."""
    return {"name": name, "uid": name, "purpose": purpose}


def ready(status: str, message: str = "") -> dict[str, Any]:
    """Return a status with a Ready condition."""
    time = "2026-01-01T00:00:00Z"
    condition = {"type": "Ready", "status": status, "reason": "Why", "message": message}
    return {"conditions": [condition | {"lastTransitionTime": time}]}


def test_nothing_is_told_when_nothing_changed() -> None:
    """A look at the same status is silent."""
    status = {
        "lastCheck": DRIFT,
        "lastRetraining": REGISTERED,
        "active": [job("a", "Check")],
        **ready("True"),
    }

    assert sentences(status, status) == []


def test_the_first_due_time_is_told_once() -> None:
    """With the seconds until then; later due times are not news."""
    first, later = {"nextCheckTime": "2026-01-01T12:00:24Z"}, {"nextCheckTime": "2026-01-01T12:01:24Z"}

    assert sentences({}, first) == ["first check due at 12:00:24 UTC, in 24 s"]
    assert sentences(first, later) == []


def test_a_whole_round_is_told_in_its_order() -> None:
    """Events that fall between two looks keep the order in which the loop goes round."""
    after = {"lastCheck": DRIFT, "active": [job("m-retrain-1", "Retrain"), job("m-check-2", "Check")]}

    assert sentences({}, after) == [
        "check started: Job m-check-2",
        "verdict Drift: 1 of 2 columns drifted (0.5000 > 0.3000); furthest age (0.01, limit 0.05)",
        "retraining started: Job m-retrain-1",
    ]


def test_a_second_verdict_of_the_same_words_is_news() -> None:
    """Another Job said it."""
    assert len(sentences({"lastCheck": DRIFT}, {"lastCheck": DRIFT | {"jobName": "m-check-2"}})) == 1


def test_a_registered_version_and_a_failure_read_differently() -> None:
    """Success speaks for itself; a failure is named."""
    failed = REGISTERED | {"result": "Failed", "message": "no rows"}

    assert sentences({}, {"lastRetraining": REGISTERED}) == ["Version 2 registered"]
    assert sentences({}, {"lastRetraining": failed}) == ["retraining ended as Failed: no rows"]


def test_a_monitor_that_is_not_ready_says_why_and_when_it_is_over() -> None:
    """Being ready from the start is not news."""
    assert sentences({}, ready("True")) == []
    assert sentences({}, ready("False", "no such zone")) == ["not ready (Why): no such zone"]
    assert sentences(ready("False", "no such zone"), ready("True")) == ["ready again"]
