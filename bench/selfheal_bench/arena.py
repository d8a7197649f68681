"""The environment of one measurement: a new control plane without a node, the CRD and the operator's RBAC."""

import shutil
import signal
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from localcluster import ControlPlaneOptions, LocalCluster
from localcluster.processnode.apiserver import ApiServer
from selfheal_bench.measured_operator import MeasuredOperator
from testbed.install import OPERATOR_NAMESPACE, rendered, wait_for_api, without_deployments
from testbed.kubectl import Kubectl
from testbed.workspace import Workspace

NAMESPACES: Final = tuple(f"bench-{number}" for number in range(10))


@dataclass(frozen=True, slots=True)
class Arena:
    """A control plane, and an operator that is not started yet."""

    cluster: LocalCluster
    operator: MeasuredOperator


@contextmanager
def arena(options: ControlPlaneOptions, keep: Path | None) -> Iterator[Arena]:
    """Yield a new arena; stop all of it afterwards, even on an error.

    Args:
        options: The control plane's options. There is no node, so a scheduler has no work.
        keep: A folder to which the audit log and the programs' logs are copied before they are deleted.
    """
    with ExitStack() as ends:
        # Otherwise SIGTERM would end Python at once, without deleting the folder.
        ends.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, _leave))
        root = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="selfheal-bench-")))
        folder = Workspace(root / "operator")
        folder.root.mkdir()
        folder.create()
        cluster = LocalCluster(root / "cluster", process_node=False, options=options, guarded=True)
        ends.callback(cluster.stop)
        operator = MeasuredOperator(cluster, folder)
        ends.callback(operator.stop)
        if keep is not None:
            ends.callback(_keep, root, keep)
        say(f"starting {', '.join(cluster.components)}; flags of the controller manager: {_flags(options)}")
        cluster.start()
        kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, OPERATOR_NAMESPACE)
        namespaces = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES
        ]
        kubectl.apply_server_side(*without_deployments(rendered(kubectl)), *namespaces)
        wait_for_api(kubectl)
        operator.take_token()
        yield Arena(cluster, operator)


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def administrator(server: str, pki: Path) -> ApiServer:
    """Return a connection as the cluster's administrator, whose requests are exempt from queueing."""
    context = ssl.create_default_context(cafile=pki / "ca.crt")
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return ApiServer(server, context)


def say(line: str) -> None:
    """Print progress to standard error; standard output is for the results."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _flags(options: ControlPlaneOptions) -> str:
    return " ".join(options.controller_manager) or "none, its defaults"


def _keep(root: Path, keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    for file in (root / "cluster" / "audit.log", *root.glob("*/logs/*.log")):
        if file.exists():
            shutil.copy(file, keep)
