"""Prints the matrix on a cluster of its own: `python -m testbed.permissions`; exit code 1 if it is wrong."""

import sys
import tempfile
from pathlib import Path

from localcluster import ControlPlaneOptions, LocalCluster
from localcluster.childprocess import wait_until
from testbed.install import rendered, wait_for_api, without_deployments
from testbed.kubectl import Kubectl
from testbed.permissions.matrix import Row, permission_matrix
from testbed.permissions.table import as_table

NAMESPACES = ("team-a", "team-b")


def main() -> None:
    """Install the manifests, ask, print, and stop the cluster."""
    with tempfile.TemporaryDirectory() as folder:
        options = ControlPlaneOptions(scheduler=False)
        state = Path(folder) / "state"
        cluster = LocalCluster(state, process_node=False, options=options, guarded=True, say=_say)
        try:
            cluster.start()
            rows = _asked(cluster)
        finally:
            cluster.stop()
    print(as_table(rows))
    sys.exit(not all(row.holds for row in rows))


def _asked(cluster: LocalCluster) -> list[Row]:
    admin = Kubectl(cluster.kubectl, cluster.kubeconfig, NAMESPACES[0])
    admin.apply_server_side(*without_deployments(rendered(admin)))
    wait_for_api(admin)
    for name in NAMESPACES:
        admin("create", "namespace", name)
    wait_until(lambda: bool(admin.get("serviceaccounts")["items"]), timeout_seconds=30)
    return permission_matrix(cluster, *NAMESPACES)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
