"""A pod's status as a kubelet would report it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcluster.processnode.podstatus import (
    ContainerEnd,
    ended_status,
    failed_status,
    running_status,
    waiting_status,
)

Document = dict[str, Any]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def pod(**status: Any) -> Document:
    """Make a pod with one container."""
    return {
        "metadata": {"name": "p", "generation": 1},
        "spec": {"containers": [{"name": "main", "image": "i"}]},
        "status": status,
    }


def end(code: int, message: str = "") -> ContainerEnd:
    """Make the end of a container that ran from noon."""
    return ContainerEnd.of_process(code, started=NOON, finished=LATER, message=message)


@pytest.mark.parametrize(
    ("return_code", "exit_code", "signal", "reason"),
    [
        (0, 0, 0, "Completed"),
        (1, 1, 0, "Error"),
        (255, 255, 0, "Error"),
        (-9, 137, 9, "Error"),
        (-15, 143, 15, "Error"),
    ],
)
def test_exit_codes(return_code: int, exit_code: int, signal: int, reason: str) -> None:
    """A signal's number becomes an exit code above 128."""
    ended = end(return_code)

    assert (ended.exit_code, ended.signal, ended.reason) == (exit_code, signal, reason)


@pytest.mark.parametrize(
    ("status", "phase", "ready"),
    [
        (waiting_status(pod(), NOON, reason="r", message="m"), "Pending", "False"),
        (running_status(pod(), NOON, pid=7), "Running", "True"),
        (ended_status(pod(), end(0)), "Succeeded", "False"),
        (ended_status(pod(), end(1)), "Failed", "False"),
        (failed_status(pod(), end(0), reason="DeadlineExceeded", message="m"), "Failed", "False"),
    ],
)
def test_phase_and_readiness(status: Document, phase: str, ready: str) -> None:
    """A pod is ready exactly while it runs; one that was given up failed, whatever its exit code."""
    assert status["phase"] == phase
    assert {c["type"]: c["status"] for c in status["conditions"]}["Ready"] == ready


def test_terminated_state() -> None:
    """The end tells when it began, when it ended, how, and the last words."""
    state = ended_status(pod(), end(3, "no data"))["containerStatuses"][0]["state"]

    assert state == {
        "terminated": {
            "exitCode": 3,
            "reason": "Error",
            "message": "no data",
            "startedAt": "2026-01-01T12:00:00Z",
            "finishedAt": "2026-01-01T12:05:00Z",
        }
    }


def test_start_time_stays() -> None:
    """A pod's startTime is set once: its deadline counts from there."""
    assert running_status(pod(), NOON, pid=7)["startTime"] == "2026-01-01T12:00:00Z"
    started = pod(startTime="2026-01-01T11:00:00Z")
    assert running_status(started, NOON, pid=7)["startTime"] == "2026-01-01T11:00:00Z"


def test_transition_times_move_only_with_the_status() -> None:
    """Ready flips when the container ends and takes the new time; Initialized keeps its own."""
    running = pod(**running_status(pod(), NOON, pid=7))

    ended = {c["type"]: c["lastTransitionTime"] for c in ended_status(running, end(0))["conditions"]}

    assert (ended["Ready"], ended["Initialized"]) == ("2026-01-01T12:05:00Z", "2026-01-01T12:00:00Z")


def test_foreign_conditions_are_kept() -> None:
    """The patch replaces the whole list, so it must carry what others wrote."""
    foreign = {"type": "DisruptionTarget", "status": "True"}

    assert foreign in ended_status(pod(conditions=[foreign]), end(0))["conditions"]
