"""The operator as a process on this machine, under the ServiceAccount that it has in a cluster."""

import sys
from typing import Final

from demo.folders import DemoFolder
from demo.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from demo.kubectl import Kubectl
from demo.program import Program, free_port
from localcluster import LocalCluster
from localcluster.kubeconfig import kubeconfig, write_kubeconfig

READY_SECONDS: Final = 60


class OperatorProcess:
    """An operator for the local cluster."""

    def __init__(self, folder: DemoFolder) -> None:
        self.program = Program("operator", folder)
        self._kubeconfig = folder.root / "operator" / "kubeconfig"

    def start(self, cluster: LocalCluster, kubectl: Kubectl) -> None:
        """Start it, and return when it is ready.

        It gets a token of its ServiceAccount, not the administrator's certificate: what RBAC does not grant,
        fails here as it would in a cluster.

        Raises:
            PieceFailedError: if it ends, or does not become ready in time.
        """
        self._write_kubeconfig(cluster, kubectl)
        port = free_port()
        settings = {"KUBECONFIG": str(self._kubeconfig), "SELFHEAL_HEALTH_PORT": str(port)}
        self.program.start([sys.executable, "-m", "selfheal_operator"], settings)
        self.program.wait(f"http://127.0.0.1:{port}/readyz", timeout_seconds=READY_SECONDS)

    def _write_kubeconfig(self, cluster: LocalCluster, kubectl: Kubectl) -> None:
        account = ("create", "token", OPERATOR_ACCOUNT, f"--namespace={OPERATOR_NAMESPACE}")
        token = kubectl.run(*account, "--duration=24h").strip()
        authority = (cluster.state.pki / "ca.crt").read_bytes()
        self._kubeconfig.parent.mkdir(exist_ok=True)
        write_kubeconfig(self._kubeconfig, kubeconfig(cluster.server, authority, {"token": token}))
