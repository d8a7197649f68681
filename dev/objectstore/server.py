"""Runs the S3 server over a folder: each folder in it is a bucket, each file below an object."""

import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from localcluster.childprocess import die_with_parent, wait_until
from localcluster.errors import ComponentError
from objectstore.program import versitygw

ROOT: Final = ("selfheal-root", "the-root-password")
"""Access key and secret key of the one who may do everything."""
READY_SECONDS: Final = 30


class S3Server:
    """A server on 127.0.0.1 that ends with this process."""

    def __init__(self, folder: Path, *, port: int, admin_port: int) -> None:
        self.buckets = folder / "buckets"
        self._accounts = folder / "accounts"
        self._log = folder / "log"
        self._port, self._admin_port = port, admin_port
        self._program = versitygw(print)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The address for AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and return when it answers.

        Raises:
            ComponentError: It does not.
        """
        for folder in (self.buckets, self._accounts):
            folder.mkdir(parents=True, exist_ok=True)
        command = [
            *(str(self._program), "--access", ROOT[0], "--secret", ROOT[1], "--quiet"),
            *("--port", f"127.0.0.1:{self._port}", "--admin-port", f"127.0.0.1:{self._admin_port}"),
            # Objects may be put into the folder by hand: what is kept beside them elsewhere is not needed.
            *("--iam-dir", str(self._accounts), "posix", "--nometa", str(self.buckets)),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,  # noqa: PLW1509  one system call, before any thread of ours matters
            )
        if not wait_until(lambda: _answers(self.endpoint), timeout_seconds=READY_SECONDS):
            raise ComponentError(f"the S3 server did not become ready:\n{self._log.read_text()[-2000:]}")

    def add_account(self, access_key: str, secret_key: str) -> None:
        """Add an account that may not read other accounts' buckets."""
        create = [
            *(str(self._program), "admin", "--access", ROOT[0], "--secret", ROOT[1]),
            *("--endpoint-url", f"http://127.0.0.1:{self._admin_port}"),
            *("create-user", "--access", access_key, "--secret", secret_key, "--role", "user"),
        ]
        subprocess.run(create, check=True, capture_output=True, env=_past_proxies())

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


def _answers(endpoint: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(endpoint, timeout=1).close()
    except urllib.error.HTTPError:  # it wants a signature: it is there
        return True
    except OSError:
        return False
    return True


def _past_proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
