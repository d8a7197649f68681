"""The cluster of a run: its components, the operator's RBAC, and the audit log."""

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
from chaos.forgeries import Forged
from chaos.record import AUDIT_LOG, FORGERIES, SIGHTINGS, forgeries_in
from chaos.users import NAMESPACES
from localcluster import ControlPlaneOptions, LocalCluster
from localcluster.controlplane import Ports
from localcluster.options import QUICK_CLIENT
from localcluster.processnode.apiserver import ApiServer
from selfheal_operator.api.names import GROUP, LABEL_MANAGED_BY, MANAGED_BY, PLURAL, VERSION
from selfheal_operator.kube.client import ApiClient
from testbed.credentials import write_operator_kubeconfig
from testbed.errors import SetupError
from testbed.install import OPERATOR_NAMESPACE, rendered, wait_for_api, without_deployments
from testbed.kubectl import Kubectl
from testbed.nested_documents import deep_managed_fields

MONITORS: Final = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
CRD_PATH: Final = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{GROUP}"
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
    # Other controllers are not needed, and would use CPU time.
    "--controllers=job-controller,garbage-collector-controller,namespace-controller,serviceaccount-controller",
    "--concurrent-job-syncs=20",
    *QUICK_CLIENT,
)
_COMPACTED: Final = "required revision has been compacted"


class Testbed:
    """A control plane without a node, with selfheal's CRD and rights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        options = ControlPlaneOptions(
            scheduler=False, controller_manager=_CONTROLLERS, audit_policy=AUDIT_POLICY
        )
        self.cluster = LocalCluster(folder / "cluster", process_node=False, options=options, guarded=True)
        self._sightings = (folder / SIGHTINGS).open("w")
        self._forgeries = (folder / FORGERIES).open("w")

    def start(self) -> None:
        """Start it, and install selfheal's CRD and RBAC."""
        self.cluster.start()
        kubectl = self._kubectl(OPERATOR_NAMESPACE)
        kubectl.apply_server_side(*without_deployments(rendered(kubectl)))
        wait_for_api(kubectl)
        namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in NAMESPACES]
        kubectl.apply_server_side(*namespaces)

    def stop(self) -> None:
        """Stop all of it."""
        self._sightings.close()
        self._forgeries.close()
        self.cluster.stop()

    def operator_kubeconfig(self, name: str, address: str) -> Path:
        """Write a kubeconfig for an operator behind its own proxy, with the rights of its ServiceAccount."""
        path = self.folder / f"{name}.kubeconfig"
        write_operator_kubeconfig(self.cluster, path, server=address)
        return path

    def trust(self) -> ssl.SSLContext:
        """Return the TLS context that verifies the API server."""
        return ssl.create_default_context(cafile=self.cluster.state.pki / "ca.crt")

    async def admin(self) -> tuple[Admin, ApiClient]:
        """Connect as an administrator; the caller must close the client."""
        client = await ApiClient.connect(str(self.cluster.kubeconfig))
        return Admin(client), client

    def watching(self) -> ApiServer:
        """Return an administrator's client that can watch; the caller must enter it."""
        trust = self.trust()
        pki = self.cluster.state.pki
        trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        return ApiServer(self.cluster.server, trust)

    async def compact(self) -> int:
        """Compact etcd to its newest revision, and return that.

        A watch from an older revision then fails with 410 Gone.
        """
        pki = self.cluster.state.pki
        trust = ssl.create_default_context(cafile=pki / "etcd-ca.crt")
        trust.load_cert_chain(pki / "etcd-client.crt", pki / "etcd-client.key")
        server = f"https://127.0.0.1:{Ports.kept(self.cluster.state.ports).etcd}"
        connector = aiohttp.TCPConnector(ssl=trust)
        async with aiohttp.ClientSession(server, connector=connector) as session:
            key = base64.b64encode(b"/registry/health").decode()
            async with session.post("/v3/kv/range", json={"key": key}, raise_for_status=True) as answer:
                revision = int((await answer.json())["header"]["revision"])
            # The components' own watches may lag a little, and are not under test.
            await asyncio.sleep(1)
            async with session.post("/v3/kv/compaction", json={"revision": revision}) as answer:
                text = await answer.text()
                # Nothing may have been written since the last compaction.
                if not answer.ok and _COMPACTED not in text:
                    raise SetupError(f"etcd compacts no data: {text}")
        return revision

    async def sight(self, admin: Admin) -> list[Document]:
        """Record the existing Jobs and monitors, and return them.

        A killed API server may have committed a write that is missing from its audit log.
        """
        seen = [
            {**body, "kind": kind, "metadata": _without_fields(body["metadata"])}
            for kind, path, query in (("Job", JOBS, OURS), ("ModelMonitor", MONITORS, None))
            for body in await admin.listed(path, query)
        ]
        self._write_sightings(seen)
        return seen

    def note_forgery(self, line: Document, stored: Document) -> None:
        """Record a forgery, and the monitor that holds it."""
        self._forgeries.write(json.dumps(line) + "\n")
        self._forgeries.flush()
        self._write_sightings([{**stored, "metadata": _without_fields(stored["metadata"])}])

    @property
    def forged(self) -> list[Forged]:
        """What has been forged so far."""
        return forgeries_in(self.folder / FORGERIES)

    def nest_deep(self, namespace: str, name: str, depth: int) -> None:
        """Write that a field manager owns a field of a monitor which lies so deep: it is stored."""
        patch = deep_managed_fields("deep", depth)
        self._kubectl(namespace)("patch", PLURAL, name, "--type=merge", "--patch", patch)

    def _write_sightings(self, seen: list[Document]) -> None:
        self._sightings.writelines(json.dumps(body) + "\n" for body in seen)
        self._sightings.flush()

    def keep_log(self) -> None:
        """Copy the audit log out of the cluster's folder."""
        shutil.copy(self.cluster.state.audit_log, self.folder / AUDIT_LOG)

    def _kubectl(self, namespace: str) -> Kubectl:
        return Kubectl(self.cluster.kubectl, self.cluster.kubeconfig, namespace)


def _without_fields(metadata: Document) -> Document:
    """Leave out managedFields, which are two thirds of a document."""
    return {name: value for name, value in metadata.items() if name != "managedFields"}
