"""An MLflow server on this machine: tracking, registry and artifacts in one folder."""

import os
import shlex
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from demo.errors import PieceFailedError
from demo.folders import DemoFolder
from localcluster import childprocess
from localcluster.childprocess import ProcessRecord

NAME: Final = "mlflow"
READY_SECONDS: Final = 120
ENVIRONMENT: Final = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its job runners take more than a gigabyte, and we have no use for them
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


class MlflowServer:
    """A server that listens on 127.0.0.1 and ends with the demo."""

    def __init__(self, folder: DemoFolder) -> None:
        self._record = folder.record(NAME)
        self._log = folder.log(NAME)
        self._folder = folder.mlflow
        self._port = free_port()

    @property
    def uri(self) -> str:
        """The tracking URI, which is also the URL of the user interface."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Begin to start it; `wait` returns when it answers."""
        childprocess.start(
            ["/bin/sh", "-c", server_script(self._folder, self._port)],
            record=self._record,
            log=self._log,
            env={**os.environ, **ENVIRONMENT},
            tied=True,
        )

    def wait(self) -> None:
        """Return when the server answers.

        Raises:
            PieceFailedError: if it ends, or does not answer in time.
        """
        childprocess.wait_until(
            lambda: answers(f"{self.uri}/health") or not self.running, timeout_seconds=READY_SECONDS, poll_seconds=0.2
        )
        if not (self.running and answers(f"{self.uri}/health")):
            raise PieceFailedError.with_log("the MLflow server did not start", self._log)

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        record = ProcessRecord.read(self._record)
        return record is not None and record.running

    def stop(self) -> None:
        """End it."""
        childprocess.stop(self._record, grace_seconds=5)


def server_script(folder: Path, port: int) -> str:
    """Return shell commands that make the database and then serve it.

    The database is made by one process, before there is a second: two that both find it empty break it for good.
    """
    database = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow = [sys.executable, "-m", "mlflow"]
    serve = [
        *(*mlflow, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")),
    ]
    return f"{shlex.join([*mlflow, 'db', 'upgrade', database])} && exec {shlex.join(serve)}"


def answers(url: str) -> bool:
    """Say whether something answers there with success, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
