"""An MLflow server on this machine: tracking, registry and artifacts in one folder."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testbed.program import Program, free_port
from testbed.workspace import Workspace

READY_SECONDS: Final = 120
ENVIRONMENT: Final = {
    # Its job runners take more than a gigabyte and are not used here.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


class MlflowServer:
    """A server that listens on 127.0.0.1.

    Args:
        folder: For its files.
        options: Further options of `mlflow server`.
    """

    def __init__(self, folder: Workspace, options: Sequence[str] = ()) -> None:
        self.program = Program("MLflow server", folder)
        self._folder = folder.mlflow
        self._port = free_port()
        self._options = ("--host", "127.0.0.1", *options)

    @property
    def uri(self) -> str:
        """The tracking URI, which is also the URL of the user interface."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it without waiting; `wait` returns when it responds."""
        script = server_script(self._folder, self._port, listen=self._options)
        self.program.start(["/bin/sh", "-c", script], ENVIRONMENT)

    def wait(self) -> None:
        """Wait until it responds; raise `ProgramFailedError` if it never does."""
        self.program.wait(f"{self.uri}/health", timeout_seconds=READY_SECONDS)


@contextmanager
def running_mlflow(root: Path, options: Sequence[str] = ()) -> Iterator[MlflowServer]:
    """Run a server of one's own in a folder, which is emptied, until the end of the block.

    Raises:
        ProgramFailedError: It never responds.
    """
    folder = Workspace(root)
    folder.create()
    server = MlflowServer(folder, options)
    try:
        server.start()
        server.wait()
        yield server
    finally:
        server.program.stop()


def server_script(
    folder: Path,
    port: int,
    *,
    python: str = sys.executable,
    listen: Sequence[str] = ("--host", "127.0.0.1"),
) -> str:
    """Return shell commands that create the database and then start the server.

    One process creates the database before the others start: two that both find it empty corrupt it.

    Args:
        folder: For the database and the artifacts.
        port: To listen on.
        python: The interpreter that has MLflow.
        listen: Options of `mlflow server` that say who may reach it.
    """
    database = f"sqlite:///{folder / 'mlflow.db'}"
    serve = [
        *("server", "--port", str(port), "--workers", "1", *listen),
        *("--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")),
    ]
    make, run = (shlex.join([python, "-m", "mlflow", *each]) for each in (["db", "upgrade", database], serve))
    return f"{make} && exec {run}"
