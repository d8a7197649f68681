"""The operator's own credential, so that missing RBAC rights fail here as in a cluster."""

from pathlib import Path

from localcluster import LocalCluster
from localcluster.kubeconfig import kubeconfig, write_kubeconfig
from testbed.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from testbed.kubectl import Kubectl

TOKEN_LIFETIME = "24h"  # noqa: S105 - a duration, longer than any run


def write_operator_kubeconfig(
    cluster: LocalCluster, path: Path, *, server: str = "", namespace: str = OPERATOR_NAMESPACE
) -> str:
    """Write a kubeconfig with a token of the operator's ServiceAccount, and return the token.

    Args:
        cluster: The cluster to connect to.
        path: The file to write.
        server: Another URL of the API server, such as a proxy's; empty for its own.
        namespace: The operator's namespace.
    """
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, namespace)
    token = kubectl("create", "token", OPERATOR_ACCOUNT, f"--duration={TOKEN_LIFETIME}").strip()
    authority = (cluster.state.pki / "ca.crt").read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_kubeconfig(path, kubeconfig(server or cluster.server, authority, {"token": token}))
    return token
