"""The layout of a cluster's state directory."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcluster.errors import NotAClusterError

MARK = "this-is-a-localcluster"


@dataclass(frozen=True)
class StateDir:
    """The folder that holds all of one cluster's data, keys, logs and process records."""

    root: Path

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """The API server's data."""
        return self.root / "etcd"

    @property
    def pods(self) -> Path:
        """One folder per pod: its logs, its token, its scratch space."""
        return self.root / "pods"

    @property
    def ports(self) -> Path:
        """The ports chosen at the first start; a restarted API server uses the same one."""
        return self.root / "ports.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def audit_policy(self) -> Path:
        """The API server's audit policy, if any."""
        return self.root / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """The API server's own record of requests, one JSON line an event; it survives restarts."""
        return self.root / "audit.log"

    def log(self, component: str) -> Path:
        """Name the file that takes a component's output."""
        return self.root / "logs" / f"{component}.log"

    def record(self, component: str) -> Path:
        """Name the file that says which process runs a component."""
        return self.root / "processes" / f"{component}.json"

    @property
    def exists(self) -> bool:
        """Whether a cluster was made here."""
        return (self.root / MARK).exists()

    def create(self) -> None:
        """Make the folder, readable by its owner only; a folder with other contents is refused."""
        if self.root.exists() and any(self.root.iterdir()) and not self.exists:
            raise NotAClusterError(
                f"{self.root} holds other things than a local cluster: choose another --state"
            )
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.root / MARK).touch()
        for folder in (self.pki, self.etcd, self.pods, self.root / "logs", self.root / "processes"):
            folder.mkdir(mode=0o700, exist_ok=True)

    def remove(self) -> None:
        """Delete the folder, unless it holds something else."""
        if self.exists:
            shutil.rmtree(self.root)
        elif self.root.exists() and not any(self.root.iterdir()):
            self.root.rmdir()  # a second `down` that waited for the first has created it again to lock it

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Allow one `up` or `down` at a time; the others wait."""
        while True:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                handle = os.open(self.root, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                # The previous holder may have been `down`, which removes the folder we waited for.
                if os.fstat(handle).st_nlink == 0:
                    continue
                yield
                return
            finally:
                os.close(handle)
