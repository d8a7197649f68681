"""Operators for tests: real processes, with the rights of the operator's own ServiceAccount."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from demo.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from demo.program import answers, free_port
from eventually import eventually
from kubectl import Kubectl
from localcluster import LocalCluster
from localcluster.kubeconfig import kubeconfig, write_kubeconfig
from scrapes import Scrape


def operator_kubeconfig(cluster: LocalCluster, path: Path) -> Path:
    """Write a kubeconfig with a token of the operator's ServiceAccount, and return its path."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, OPERATOR_NAMESPACE)
    token = kubectl("create", "token", OPERATOR_ACCOUNT, "--duration=8h").strip()
    authority = (cluster.state.pki / "ca.crt").read_bytes()
    write_kubeconfig(path, kubeconfig(cluster.server, authority, {"token": token}))
    return path


class Operator:
    """One operator process; its log is kept."""

    def __init__(self, kubeconfig: Path, log: Path, **settings: str) -> None:
        self.log = log
        self._port = free_port()
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "SELFHEAL_HEALTH_PORT": str(self._port),
            **{f"SELFHEAL_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    def scrape(self) -> Scrape:
        """Return its metrics, as Prometheus would read them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            return Scrape(answer.read().decode())

    def start(self) -> None:
        """Start it, and return when it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "selfheal_operator"], env=self._environment, stdout=log, stderr=log
            )
        eventually(
            lambda: answers(f"http://127.0.0.1:{self._port}/readyz"),
            "the operator is ready",
            timeout_seconds=60,
        )

    def kill(self) -> None:
        """End it as a crash of its machine would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(timeout=15)
