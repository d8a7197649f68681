"""The cluster that all happens in: its parts, the operator's rights, and its record of what was asked."""

import asyncio
import base64
import json
import shutil
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from chaos.admin import Admin, Document
from chaos.record import AUDIT_LOG, SIGHTINGS
from chaos.users import NAMESPACES
from localcluster import ControlPlaneOptions, LocalCluster
from localcluster.controlplane import Ports
from localcluster.options import QUICK_CLIENT
from localcluster.processnode.apiserver import ApiServer
from selfheal_operator.api.names import GROUP, LABEL_MANAGED_BY, MANAGED_BY, PLURAL, VERSION
from selfheal_operator.kube.client import ApiClient
from testbed.credentials import write_operator_kubeconfig
from testbed.install import OPERATOR_NAMESPACE, rendered, wait_for_api, without_deployments
from testbed.kubectl import Kubectl

MONITORS: Final = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
JOBS: Final = "/apis/batch/v1/jobs"
OURS: Final = {"labelSelector": f"{LABEL_MANAGED_BY}={MANAGED_BY}"}

AUDIT_POLICY: Final[Mapping[str, Any]] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "omitManagedFields": True,
    "rules": [
        {
            "level": "RequestResponse",
            "verbs": ["create"],
            "resources": [{"group": "batch", "resources": ["jobs"]}],
        },
        {
            "level": "RequestResponse",
            "verbs": ["update", "patch"],
            "resources": [{"group": "batch", "resources": ["jobs/status"]}],
        },
        {
            "level": "RequestResponse",
            "verbs": ["create", "update", "patch", "delete"],
            "resources": [{"group": GROUP, "resources": ["modelmonitors", "modelmonitors/status"]}],
        },
        {"level": "None"},
    ],
}

_CONTROLLERS: Final = (
    # What is not here is not missed, and would take its share of the machine.
    "--controllers=job-controller,garbage-collector-controller,namespace-controller,serviceaccount-controller",
    "--concurrent-job-syncs=20",
    *QUICK_CLIENT,
)


class Testbed:
    """A control plane without a node, with selfheal's CRD and rights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        options = ControlPlaneOptions(
            scheduler=False, controller_manager=_CONTROLLERS, audit_policy=AUDIT_POLICY
        )
        self.cluster = LocalCluster(folder / "cluster", process_node=False, options=options, guarded=True)
        self._sightings = (folder / SIGHTINGS).open("w")

    def start(self) -> None:
        """Bring it up, and install selfheal's CRD and rights."""
        self.cluster.start()
        kubectl = self._kubectl(OPERATOR_NAMESPACE)
        kubectl.apply_server_side(*without_deployments(rendered(kubectl)))
        wait_for_api(kubectl)
        namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in NAMESPACES]
        kubectl.apply_server_side(*namespaces)

    def stop(self) -> None:
        """Take all of it down."""
        self._sightings.close()
        self.cluster.stop()

    def operator_kubeconfig(self, name: str, address: str) -> Path:
        """Write a kubeconfig for an operator behind its own proxy, with the rights of its ServiceAccount."""
        path = self.folder / f"{name}.kubeconfig"
        write_operator_kubeconfig(self.cluster, path, server=address)
        return path

    def trust(self) -> ssl.SSLContext:
        """Return what recognises the API server."""
        return ssl.create_default_context(cafile=self.cluster.state.pki / "ca.crt")

    async def admin(self) -> tuple[Admin, ApiClient]:
        """Connect as an administrator; the client is to be closed."""
        client = await ApiClient.connect(str(self.cluster.kubeconfig))
        return Admin(client), client

    def watching(self) -> ApiServer:
        """Return a connection that can watch, as an administrator; to be entered."""
        trust = self.trust()
        pki = self.cluster.state.pki
        trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        return ApiServer(self.cluster.server, trust)

    async def compact(self) -> int:
        """Have etcd forget all but the newest revision, and return that.

        Whoever wants to go on watching from an older one is told that it is gone.
        """
        pki = self.cluster.state.pki
        trust = ssl.create_default_context(cafile=pki / "etcd-ca.crt")
        trust.load_cert_chain(pki / "etcd-client.crt", pki / "etcd-client.key")
        server = f"https://127.0.0.1:{Ports.kept(self.cluster.state.ports).etcd}"
        connector = aiohttp.TCPConnector(ssl=trust)
        async with aiohttp.ClientSession(server, connector=connector, raise_for_status=True) as session:
            key = base64.b64encode(b"/registry/health").decode()
            async with session.post("/v3/kv/range", json={"key": key}) as answer:
                revision = int((await answer.json())["header"]["revision"])
            # The programs' own watches may be a little behind, and are not what is tested here.
            await asyncio.sleep(1)
            async with session.post("/v3/kv/compaction", json={"revision": revision}) as answer:
                await answer.read()
        return revision

    async def sight(self, admin: Admin) -> list[Document]:
        """Note which Jobs and monitors are there, and return them.

        An API server that is killed may have committed a write that its log no longer got.
        """
        seen = [
            {**body, "kind": kind, "metadata": _without_fields(body["metadata"])}
            for kind, path, query in (("Job", JOBS, OURS), ("ModelMonitor", MONITORS, None))
            for body in await admin.listed(path, query)
        ]
        self._sightings.writelines(json.dumps(body) + "\n" for body in seen)
        self._sightings.flush()
        return seen

    def keep_log(self) -> None:
        """Copy the audit log to where it outlives the cluster."""
        shutil.copy(self.cluster.state.audit_log, self.folder / AUDIT_LOG)

    def _kubectl(self, namespace: str) -> Kubectl:
        return Kubectl(self.cluster.kubectl, self.cluster.kubeconfig, namespace)


def _without_fields(metadata: Document) -> Document:
    """Leave out who owns which field: two thirds of a document."""
    return {name: value for name, value in metadata.items() if name != "managedFields"}
