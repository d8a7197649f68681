"""The operator under measurement, with default settings and its own RBAC, and its resource usage."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from localcluster import LocalCluster
from localcluster.cluster import CLUSTER_MARK
from selfheal_bench.errors import BenchError
from testbed.credentials import write_operator_kubeconfig
from testbed.errors import ProgramFailedError
from testbed.install import OPERATOR_NAMESPACE
from testbed.operator_process import OperatorProcess
from testbed.workspace import Workspace

NAME: Final = "operator"
USER: Final = "system:serviceaccount:selfheal-system:selfheal-operator"
"""The operator's user name at the API server."""
MLFLOW: Final = "http://mlflow.invalid:5000"
"""The only setting without a usable default. Nothing here ever connects to it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The resources that a process has used so far."""

    cpu_seconds: float
    resident_bytes: int
    peak_resident_bytes: int


NO_CAPS: Final = {
    f"SELFHEAL_MAX_ACTIVE_{each}": "0"
    for each in ("CHECKS", "CHECKS_PER_NAMESPACE", "RETRAINS", "RETRAINS_PER_NAMESPACE")
}
"""A benchmark measures how many Jobs the operator can start at once, not how many it is allowed to."""


class MeasuredOperator(OperatorProcess):
    """One operator on a benchmark's cluster.

    Args:
        cluster: The cluster it manages.
        workspace: The folder for its log and its kubeconfig.
        pod: The name of its pod, if it is one of several replicas with leader election.
    """

    def __init__(self, cluster: LocalCluster, workspace: Workspace, pod: str = "") -> None:
        name = pod or NAME
        self._cluster, self.kubeconfig = cluster, workspace.root / f"{name}.kubeconfig"
        environment = {
            # As in its Deployment, it holds a Lease.
            "POD_NAME": pod or "selfheal-operator-bench",
            "POD_NAMESPACE": OPERATOR_NAMESPACE,
            "SELFHEAL_MLFLOW_TRACKING_URI": MLFLOW,
            **NO_CAPS,
            CLUSTER_MARK: str(cluster.state.root),  # so that it is stopped with the cluster if we are killed
        }
        super().__init__(workspace, self.kubeconfig, name, environment)

    def take_token(self) -> str:
        """Request a token of the operator's ServiceAccount, and return its credential id in the audit log."""
        claims = write_operator_kubeconfig(self._cluster, self.kubeconfig).split(".")[1]
        return f"JTI={json.loads(base64.urlsafe_b64decode(claims + '=' * (-len(claims) % 4)))['jti']}"

    def start(self) -> float:
        """Start it, and return the seconds that passed until it was ready.

        Raises:
            BenchError: if it never is.
        """
        try:
            return super().start()
        except ProgramFailedError as error:
            raise BenchError(str(error)) from error

    def usage(self) -> Usage:
        """Return what it has used.

        Raises:
            BenchError: if it has ended.
        """
        try:
            return usage_of(self.pid)
        except ProgramFailedError as error:
            raise BenchError(str(error)) from error


def usage_of(pid: int) -> Usage:
    """Return what a process has used, from /proc."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return Usage(times.user + times.system, process.memory_info().rss, int(peak.split()[1]) * 1024)
