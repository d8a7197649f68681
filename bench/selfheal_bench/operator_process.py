"""The operator under measurement: a real process with its own settings' defaults and its own rights."""

import base64
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from demo.folders import DemoFolder
from demo.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from demo.kubectl import Kubectl
from demo.program import Program, answers, free_port
from localcluster import LocalCluster
from localcluster.childprocess import ProcessRecord, wait_until
from localcluster.cluster import CLUSTER_MARK
from localcluster.kubeconfig import kubeconfig, write_kubeconfig
from selfheal_bench.errors import BenchError

NAME: Final = "operator"
READY_SECONDS: Final = 300
USER: Final = "system:serviceaccount:selfheal-system:selfheal-operator"
"""What the API server calls the operator."""
MLFLOW: Final = "http://mlflow.invalid:5000"
"""The one setting without a default that works. Nothing here ever calls it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_seconds: float
    resident_bytes: int
    peak_resident_bytes: int


class OperatorProcess:
    """One operator; stopped and started again, it is a new process.

    Args:
        cluster: What it works on.
        folder: Where its log and its kubeconfig are.
        pod: The name of its pod, if it is one of several replicas of which one leads.
    """

    def __init__(self, cluster: LocalCluster, folder: DemoFolder, pod: str = "") -> None:
        self._cluster = cluster
        self._folder = folder
        self._name = pod or NAME
        self._pod = {"POD_NAME": pod, "POD_NAMESPACE": OPERATOR_NAMESPACE} if pod else {}
        self._program = Program(self._name, folder)
        self.kubeconfig = folder.root / f"{self._name}.kubeconfig"

    def take_token(self, kubectl: Kubectl) -> str:
        """Get a token of the operator's ServiceAccount: what RBAC does not grant fails as in a cluster.

        Returns:
            What the audit log calls that token.
        """
        token = kubectl.run("create", "token", OPERATOR_ACCOUNT, "--duration=24h").strip()
        authority = (self._cluster.state.pki / "ca.crt").read_bytes()
        write_kubeconfig(self.kubeconfig, kubeconfig(self._cluster.server, authority, {"token": token}))
        claims = token.split(".")[1]
        return f"JTI={json.loads(base64.urlsafe_b64decode(claims + '=' * (-len(claims) % 4)))['jti']}"

    def start(self) -> float:
        """Start it, and return the seconds it took until it said that it is ready.

        Raises:
            BenchError: if it never does.
        """
        port = free_port()
        settings = {
            "KUBECONFIG": str(self.kubeconfig),
            "SELFHEAL_HEALTH_PORT": str(port),
            # As in its Deployment: it keeps a Lease.
            "POD_NAME": "selfheal-operator-bench",
            "POD_NAMESPACE": OPERATOR_NAMESPACE,
            "SELFHEAL_MLFLOW_TRACKING_URI": MLFLOW,
            CLUSTER_MARK: str(self._cluster.state.root),  # so that it goes with the cluster if we are killed
            **self._pod,
        }
        began = time.monotonic()
        self._program.start([sys.executable, "-m", "selfheal_operator"], settings)
        url = f"http://127.0.0.1:{port}/readyz"
        wait_until(
            lambda: answers(url) or not self._program.running,
            timeout_seconds=READY_SECONDS,
            poll_seconds=0.05,
        )
        seconds = time.monotonic() - began
        if not answers(url):
            raise BenchError(str(self._program.failed(f"is not ready after {seconds:.0f} s")))
        return seconds

    def stop(self) -> None:
        """End it, politely at first; nothing happens if it does not run."""
        self._program.stop()

    @property
    def pid(self) -> int:
        """Its process.

        Raises:
            BenchError: if it has ended.
        """
        record = ProcessRecord.read(self._folder.record(self._name))
        if record is None or not record.running:
            raise BenchError(str(self._program.failed("has ended")))
        return record.pid

    def usage(self) -> Usage:
        """Return what it has used.

        Raises:
            BenchError: if it has ended.
        """
        return usage_of(self.pid)


def usage_of(pid: int) -> Usage:
    """Return what a process has used, from /proc."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return Usage(times.user + times.system, process.memory_info().rss, int(peak.split()[1]) * 1024)
