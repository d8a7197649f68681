"""A pod's status as a kubelet would report it. The time is an argument."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from localcluster.processnode.apiserver import Document
from localcluster.processnode.podspec import main_container

UNKNOWN_EXIT_CODE = 137
START_ERROR_EXIT_CODE = 128
MESSAGE_BYTES = 4096
"""Only the end of a termination message is kept (kubelet, MaxContainerTerminationMessageLength)."""


@dataclass(frozen=True, kw_only=True)
class ContainerEnd:
    """How a container ended."""

    exit_code: int
    finished: datetime
    started: datetime | None = None
    reason: str = ""
    message: str = ""
    signal: int = 0

    @classmethod
    def of_process(cls, return_code: int, *, started: datetime, finished: datetime, message: str) -> Self:
        """Translate a process' return code, which is the negated number of the signal that ended it."""
        signal = max(0, -return_code)
        return cls(
            exit_code=128 + signal if signal else return_code,
            signal=signal,
            reason="Completed" if return_code == 0 else "Error",
            started=started,
            finished=finished,
            message=message,
        )


def waiting_status(pod: Document, now: datetime, *, reason: str, message: str) -> Document:
    """Return the status of a pod whose container cannot be started yet."""
    state = {"waiting": {"reason": reason, "message": message}}
    return _status(pod, now, _Phase("Pending", state, "ContainersNotReady"))


def running_status(pod: Document, started: datetime, *, pid: int) -> Document:
    """Return the status of a pod whose container runs; without probes it is ready as soon as it runs."""
    state = {"running": {"startedAt": timestamp(started)}}
    status = _status(pod, started, _Phase("Running", state))
    status["containerStatuses"][0]["containerID"] = f"process://{pid}"
    return status


def ended_status(pod: Document, end: ContainerEnd) -> Document:
    """Return the status of a pod whose container ended by itself or because the pod was deleted."""
    succeeded = end.exit_code == 0
    phase, why = ("Succeeded", "PodCompleted") if succeeded else ("Failed", "PodFailed")
    return _status(pod, end.finished, _Phase(phase, _terminated(end), why))


def failed_status(pod: Document, end: ContainerEnd, *, reason: str, message: str) -> Document:
    """Return the status of a pod that the node itself has failed, with the reason."""
    status = _status(pod, end.finished, _Phase("Failed", _terminated(end), "PodFailed"))
    return {**status, "reason": reason, "message": message}


@dataclass(frozen=True)
class _Phase:
    """What differs between the phases of a pod."""

    name: str
    state: dict[str, Any]
    why_not_ready: str = ""


def _status(pod: Document, now: datetime, phase: _Phase) -> Document:
    container = main_container(pod)
    ready = not phase.why_not_ready
    return {
        "observedGeneration": pod["metadata"].get("generation", 0),
        "phase": phase.name,
        "startTime": pod.get("status", {}).get("startTime") or timestamp(now),
        "hostIP": "127.0.0.1",
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "conditions": conditions(pod, now, why_not_ready=phase.why_not_ready),
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container.get("image", ""),
                "imageID": "",
                "ready": ready,
                "started": ready,
                "restartCount": 0,
                "state": phase.state,
            }
        ],
    }


def conditions(pod: Document, now: datetime, *, why_not_ready: str) -> list[Document]:
    """Return all conditions of the pod; lastTransitionTime changes only when the status does."""
    previous = {c["type"]: c for c in pod.get("status", {}).get("conditions", [])}
    why_not = {"Ready": why_not_ready, "ContainersReady": why_not_ready}
    names = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    result = {name: _condition(name, why_not.get(name, ""), now) for name in names}
    for name, new in result.items():
        old = previous.get(name, {})
        if old.get("status") == new["status"] and old.get("lastTransitionTime"):
            new["lastTransitionTime"] = old["lastTransitionTime"]
    # Keep conditions of other writers, such as DisruptionTarget: a merge patch would drop them.
    return [*result.values(), *(c for name, c in previous.items() if name not in result)]


def _condition(name: str, why_not: str, now: datetime) -> Document:
    return {
        "type": name,
        "status": "False" if why_not else "True",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(now),
        **({"reason": why_not} if why_not else {}),
    }


def _terminated(end: ContainerEnd) -> Document:
    terminated: Document = {
        "exitCode": end.exit_code,
        "reason": end.reason,
        "finishedAt": timestamp(end.finished),
        "startedAt": timestamp(end.started or end.finished),
    }
    if end.signal:
        terminated["signal"] = end.signal
    if end.message:
        terminated["message"] = end.message
    return {"terminated": terminated}


def timestamp(moment: datetime) -> str:
    """Write a moment in UTC as the API server does, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> datetime:
    """Read what `timestamp` wrote."""
    return datetime.fromisoformat(text)
