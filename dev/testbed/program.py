"""A child process: started, awaited and stopped by this one."""

import os
import socket
import urllib.request
from collections.abc import Mapping, Sequence

from localcluster import childprocess
from localcluster.childprocess import ProcessRecord
from testbed.errors import ProgramFailedError
from testbed.workspace import Workspace

STOP_SECONDS = 15


class Program:
    """One program and its log."""

    def __init__(self, name: str, folder: Workspace) -> None:
        self._name = name
        file = name.lower().replace(" ", "-")
        self._record = folder.record(file)
        self._log = folder.log(file)

    def start(self, command: Sequence[str], settings: Mapping[str, str]) -> None:
        """Start it with `settings` added to our environment."""
        environment = {**os.environ, **settings}
        childprocess.start(command, record=self._record, log=self._log, env=environment)

    def wait(self, url: str, *, timeout_seconds: float, poll_seconds: float = 0.2) -> None:
        """Wait until `url` responds.

        Raises:
            ProgramFailedError: if the program ends, or does not answer in time.
        """
        childprocess.wait_until(
            lambda: answers(url) or not self.running,
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
        )
        self.check()
        if not answers(url):
            raise self.failed(f"did not become ready within {timeout_seconds:.0f} s")

    def wait_for_end(self, *, timeout_seconds: float) -> None:
        """Wait until the program exits with any code; raise `ProgramFailedError` if it takes too long."""
        if not childprocess.wait_until(
            lambda: not self.running, timeout_seconds=timeout_seconds, poll_seconds=0.2
        ):
            raise self.failed(f"took longer than {timeout_seconds:.0f} s")

    def check(self) -> None:
        """Raise `ProgramFailedError` if it has ended."""
        if not self.running:
            raise self.failed("has ended")

    def failed(self, what: str) -> ProgramFailedError:
        """Return the error that says what the program did, and shows the end of its log."""
        return ProgramFailedError.with_log(f"the {self._name} {what}", self._log)

    def stop(self) -> int | None:
        """Stop it, gracefully at first, and return its exit code; None if it was not running."""
        return childprocess.stop(self._record, grace_seconds=STOP_SECONDS)

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        record = ProcessRecord.read(self._record)
        return record is not None and record.running


def answers(url: str) -> bool:
    """Return whether a request to `url` succeeds, without any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
