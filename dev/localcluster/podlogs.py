"""Finds pods' logs in a cluster's state directory; they are kept after the pods are deleted."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PodLog:
    """One pod's log and the pod's metadata."""

    namespace: str
    pod: str
    job: str
    created: str
    path: Path

    @classmethod
    def read(cls, folder: Path) -> "PodLog":
        """Read the metadata that the process node stored when it received the pod."""
        noted: dict[str, Any] = json.loads((folder / "pod.json").read_text())
        owners = noted.get("ownerReferences") or []
        return cls(
            namespace=noted["namespace"],
            pod=noted["name"],
            job=next((owner["name"] for owner in owners if owner["kind"] == "Job"), ""),
            created=noted["creationTimestamp"],
            path=folder / f"{noted['container']}.log",
        )


def newest_log(pods: Path, name: str, namespace: str | None = None) -> PodLog | None:
    """Find the log of the newest pod of a Job, or of the pod of that name.

    Args:
        pods: The pods' folder of a state directory.
        name: A Job's or a pod's name.
        namespace: Where to look; everywhere if not given.
    """
    logs = [PodLog.read(note.parent) for note in pods.glob("*/pod.json")]
    found = [log for log in logs if name in {log.job, log.pod} and namespace in {None, log.namespace}]
    return max(found, key=lambda log: log.created, default=None)
