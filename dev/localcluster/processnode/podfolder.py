"""The files of one pod on this node."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from localcluster.processnode.apiserver import Document
from localcluster.processnode.podspec import main_container
from localcluster.processnode.podstatus import MESSAGE_BYTES

NOTED = ("namespace", "name", "creationTimestamp", "ownerReferences")
FALLBACK_LINES = 80
FALLBACK_BYTES = 2048
"""How much of the log replaces a missing termination message (kubelet, FallbackToLogsOnError)."""


@dataclass(frozen=True)
class PodFolder:
    """A pod's log, which is kept, and its process's files, which are deleted when the process ends."""

    path: Path

    @classmethod
    def of(cls, pods: Path, pod: Document) -> "PodFolder":
        """Name the folder of a pod: namespace, name and UID, as the kubelet names its log folders."""
        metadata = pod["metadata"]
        return cls(pods / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}")

    @property
    def scratch(self) -> Path:
        """The folder that is deleted when the process ends."""
        return self.path / "scratch"

    @property
    def home(self) -> Path:
        """The process' home and working directory."""
        return self.scratch / "home"

    @property
    def tmp(self) -> Path:
        """The process' TMPDIR."""
        return self.scratch / "tmp"

    @property
    def token(self) -> Path:
        """The pod's ServiceAccount token."""
        return self.scratch / "token"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig that uses the token."""
        return self.scratch / "kubeconfig"

    @property
    def termination_message(self) -> Path:
        """The file that replaces the container's terminationMessagePath."""
        return self.scratch / "termination-log"

    @property
    def _started_mark(self) -> Path:
        return self.path / "started"

    def log(self, container: str) -> Path:
        """Name the file with all that a container wrote to standard output and standard error."""
        return self.path / f"{container}.log"

    def create(self, pod: Document) -> None:
        """Create the folder, and store the pod's metadata for finding its log after its deletion."""
        for folder in (self.home, self.tmp):
            folder.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        noted = {key: pod["metadata"].get(key) for key in NOTED}
        (self.path / "pod.json").write_text(json.dumps({**noted, "container": main_container(pod)["name"]}))

    @property
    def started(self) -> bool:
        """Whether a process was started for this pod, or was about to be when the node crashed."""
        return self._started_mark.exists()

    def mark_started(self) -> None:
        """Record the start before starting the process, so that the pod never runs twice.

        After a crash between the two, the pod is reported as lost although it never ran; the Job then creates
        another pod. The reverse order could run the pod twice.
        """
        self._started_mark.touch()

    def end_message(self, pod: Document, return_code: int) -> str:
        """Return the container's termination message, by its terminationMessagePolicy."""
        message = _tail(self.termination_message, MESSAGE_BYTES)
        container = main_container(pod)
        fallback = container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        if not message and return_code != 0 and fallback:
            lines = _tail(self.log(container["name"]), FALLBACK_BYTES).splitlines(keepends=True)
            return "".join(lines[-FALLBACK_LINES:])
        return message

    def clean(self) -> None:
        """Delete the scratch folders and the token."""
        shutil.rmtree(self.scratch, ignore_errors=True)


def _tail(path: Path, size: int) -> str:
    try:
        return path.read_bytes()[-size:].decode(errors="replace")
    except OSError:
        return ""
