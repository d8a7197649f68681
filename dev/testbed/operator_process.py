"""The operator as a process on this machine: started, frozen, killed, and its metrics read."""

import os
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from localcluster.childprocess import ProcessRecord, wait_until
from testbed.program import Program, free_port
from testbed.workspace import Workspace

READY_SECONDS: Final = 300


class OperatorProcess:
    """One operator. A restart starts a new process with the same settings.

    Args:
        workspace: The folder for its log and its process record.
        kubeconfig: Its kubeconfig.
        name: The name of its log and its process record.
        environment: Its settings, as environment variables.
    """

    def __init__(
        self, workspace: Workspace, kubeconfig: Path, name: str, environment: Mapping[str, str]
    ) -> None:
        self.program = Program(name, workspace)
        self._record, self.log = workspace.record(name), workspace.log(name)
        self._port = free_port()
        self._environment = {
            # The local cluster's pods are processes of this machine, and read its files without a mount.
            "SELFHEAL_DATA_PATHS": "/",
            **environment,
            "KUBECONFIG": str(kubeconfig),
            "SELFHEAL_HEALTH_PORT": str(self._port),
        }

    @property
    def url(self) -> str:
        """Where it serves its health and its metrics."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> float:
        """Start it, and return the seconds that passed until it was ready.

        Raises:
            ProgramFailedError: if it ends, or does not become ready in time.
        """
        began = time.monotonic()
        self.program.start([sys.executable, "-m", "selfheal_operator"], self._environment)
        self.program.wait(f"{self.url}/readyz", timeout_seconds=READY_SECONDS, poll_seconds=0.05)
        return time.monotonic() - began

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.program.running

    @property
    def pid(self) -> int:
        """Its process.

        Raises:
            ProgramFailedError: if it has ended.
        """
        record = ProcessRecord.read(self._record)
        if record is None or not record.running:
            raise self.program.failed("has ended")
        return record.pid

    def metrics(self) -> str:
        """Return its metrics, as Prometheus would read them."""
        url = f"{self.url}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - its own
            return str(answer.read().decode())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def suspend(self) -> None:
        """Suspend it with SIGSTOP, as a debugger or a machine out of memory would."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume it with SIGCONT."""
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it with SIGKILL, as a crash of its machine would."""
        self.send(signal.SIGKILL)
        wait_until(lambda: not self.running, timeout_seconds=15, poll_seconds=0.02)

    def stop(self) -> int | None:
        """Stop it gracefully and return its exit code; None if it was not running."""
        return self.program.stop()
