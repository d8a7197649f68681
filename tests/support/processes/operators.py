"""Operators for tests: real processes, with the rights of the operator's own ServiceAccount."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from demo.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from demo.program import answers, free_port
from localcluster import LocalCluster
from localcluster.kubeconfig import kubeconfig, write_kubeconfig
from support.eventually import eventually
from support.processes.kubectl import Kubectl
from support.scrapes import Scrape


def operator_kubeconfig(
    cluster: LocalCluster, path: Path, server: str | None = None, namespace: str = OPERATOR_NAMESPACE
) -> Path:
    """Write a kubeconfig with a token of the operator's ServiceAccount, and return its path.

    Args:
        cluster: Whose API server it is for.
        path: Where it is written.
        server: Another way to that API server.
        namespace: Where the operator is installed.
    """
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, namespace)
    token = kubectl("create", "token", OPERATOR_ACCOUNT, "--duration=8h").strip()
    authority = (cluster.state.pki / "ca.crt").read_bytes()
    write_kubeconfig(path, kubeconfig(server or cluster.server, authority, {"token": token}))
    return path


class Operator:
    """One operator process; its log is kept.

    Args:
        kubeconfig: Its way to the API server.
        log: Where its log lines go.
        pod_namespace: Where its pod would be, if it is one of several of which one leads.
        settings: Its settings, by their names.
    """

    def __init__(self, kubeconfig: Path, log: Path, *, pod_namespace: str = "", **settings: str) -> None:
        self.log = log
        pod = {"POD_NAMESPACE": pod_namespace, "POD_NAME": log.stem}
        self._port = free_port()
        self._environment = {
            **os.environ,
            **pod,
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

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def suspend(self) -> None:
        """Stop it as a machine does that is out of memory, or a debugger: all at once, and not for ever."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash of its machine would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        self._signal(number)
        assert self._process is not None
        return self._process.wait(timeout=15)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
