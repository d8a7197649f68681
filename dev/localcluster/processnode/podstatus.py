"""A pod's status as a kubelet would report it. Pure: the moment is an argument."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localcluster.processnode.apiserver import Document
from localcluster.processnode.podspec import main_container

UNKNOWN_EXIT_CODE = 137
START_ERROR_EXIT_CODE = 128
MESSAGE_BYTES = 4096
"""A terminated container's message is cut to its last 4096 bytes (kubelet, MaxContainerTerminationMessageLength)."""


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
    def of_process(cls, return_code: int, *, started: datetime, finished: datetime, message: str) -> "ContainerEnd":
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
    return _status(pod, now, phase="Pending", state=state, why_not_ready="ContainersNotReady")


def running_status(pod: Document, started: datetime, *, pid: int) -> Document:
    """Return the status of a pod whose container runs; without probes it is ready as soon as it runs."""
    state = {"running": {"startedAt": timestamp(started)}}
    return _status(pod, started, phase="Running", state=state, why_not_ready="", container_id=f"process://{pid}")


def ended_status(pod: Document, end: ContainerEnd) -> Document:
    """Return the status of a pod whose container ended by itself or because the pod was deleted."""
    succeeded = end.exit_code == 0
    phase, why = ("Succeeded", "PodCompleted") if succeeded else ("Failed", "PodFailed")
    return _status(pod, end.finished, phase=phase, state=_terminated(end), why_not_ready=why)


def failed_status(pod: Document, end: ContainerEnd, *, reason: str, message: str) -> Document:
    """Return the status of a pod that the node itself gave up, and why."""
    status = _status(pod, end.finished, phase="Failed", state=_terminated(end), why_not_ready="PodFailed")
    return {**status, "reason": reason, "message": message}


def _status(
    pod: Document,
    now: datetime,
    *,
    phase: str,
    state: dict[str, Any],
    why_not_ready: str,
    container_id: str = "",
) -> Document:
    container = main_container(pod)
    ready = not why_not_ready
    container_status = {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": ready,
        "started": ready,
        "restartCount": 0,
        "state": state,
        **({"containerID": container_id} if container_id else {}),
    }
    return {
        "observedGeneration": pod["metadata"].get("generation", 0),
        "phase": phase,
        "startTime": pod.get("status", {}).get("startTime") or timestamp(now),
        "hostIP": "127.0.0.1",
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "conditions": conditions(pod, now, ready=ready, why_not_ready=why_not_ready),
        "containerStatuses": [container_status],
    }


def conditions(pod: Document, now: datetime, *, ready: bool, why_not_ready: str) -> list[Document]:
    """Return all conditions of the pod; a condition's time moves only when its status flips."""
    previous = {c["type"]: c for c in pod.get("status", {}).get("conditions", [])}
    wanted = {
        "PodReadyToStartContainers": (True, ""),
        "Initialized": (True, ""),
        "Ready": (ready, why_not_ready),
        "ContainersReady": (ready, why_not_ready),
        "PodScheduled": (True, ""),
    }
    result = {name: _condition(name, is_true, reason, now) for name, (is_true, reason) in wanted.items()}
    for name, new in result.items():
        old = previous.get(name, {})
        if old.get("status") == new["status"] and old.get("lastTransitionTime"):
            new["lastTransitionTime"] = old["lastTransitionTime"]
    # Others wrote theirs too, the Job controller's DisruptionTarget for one: a merge patch would drop them.
    return [*result.values(), *(c for name, c in previous.items() if name not in result)]


def _condition(name: str, is_true: bool, reason: str, now: datetime) -> Document:  # noqa: FBT001 - see `wanted`
    status = "True" if is_true else "False"
    return {
        "type": name,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(now),
        **({"reason": reason} if reason else {}),
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
