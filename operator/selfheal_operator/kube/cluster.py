"""The operator's calls to the API server. The RBAC rules in manifests/ grant exactly these."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from selfheal_operator.api.names import (
    API_VERSION,
    GROUP,
    KIND,
    LABEL_MANAGED_BY,
    MANAGED_BY,
    OPERATOR_MANAGER,
    PLURAL,
    RUNNER_ACCOUNT,
    VERSION,
)
from selfheal_operator.core.observed import Monitor
from selfheal_operator.kube.batch_jobs import BatchJobs
from selfheal_operator.kube.client import (
    APPLY,
    MERGE,
    METADATA_LIST,
    AlreadyExistsError,
    ApiClient,
    NotFoundError,
)
from selfheal_operator.kube.collection import EVERYWHERE, Collection, Listed, listed
from selfheal_operator.kube.engine import Engine
from selfheal_operator.kube.one_object import one_object
from selfheal_operator.metrics.instruments import Instruments

_MONITORS: Final = Collection(f"{GROUP}/{VERSION}", PLURAL)
_ACCOUNTS: Final = Collection("v1", "serviceaccounts")
_BINDINGS: Final = Collection("rbac.authorization.k8s.io/v1", "rolebindings")


class Cluster:
    """A typed client for the resources that the operator reads and writes.

    Args:
        client: The API client.
        namespaces: The namespaces to serve; empty for all.
        engine: The engine that runs checks and retrainings; by default Jobs of batch/v1.
    """

    def __init__(
        self, client: ApiClient, namespaces: Sequence[str] = (), engine: Engine | None = None
    ) -> None:
        self._client = client
        self.engine: Engine = engine or BatchJobs(client)
        self.scopes: tuple[str, ...] = tuple(namespaces) or (EVERYWHERE,)

    @property
    def instruments(self) -> Instruments:
        """The client's instruments."""
        return self._client.instruments

    async def probe(self, namespace: str = EVERYWHERE) -> None:
        """Return if ModelMonitors can be listed.

        Raises:
            NotFoundError: The CRD is not installed.
        """
        path, call = _MONITORS.path(namespace), _MONITORS.call("list")
        await self._client.request("GET", path, query={"limit": "1"}, call=call)

    async def monitors(self, namespace: str = EVERYWHERE) -> AsyncIterator[dict[str, Any]]:
        """Yield all ModelMonitors, as documents."""
        async for item in _MONITORS.items(self._client, namespace):
            yield item

    async def monitors_listed(self, namespace: str = EVERYWHERE) -> AsyncIterator[Listed]:
        """Yield the metadata of all ModelMonitors."""
        async for item in _MONITORS.items(self._client, namespace, accept=METADATA_LIST):
            found = None
            with one_object(self.instruments, PLURAL, item):
                found = listed(item, item["metadata"]["name"])
            if found is not None:
                yield found

    async def monitor(self, namespace: str, name: str) -> dict[str, Any]:
        """Read one ModelMonitor, as a document."""
        path, call = _MONITORS.path_of(namespace, name), _MONITORS.call("get")
        return await self._client.request("GET", path, call=call)

    async def apply_status(
        self, monitor: Monitor, status: dict[str, Any], manager: str = OPERATOR_MANAGER
    ) -> dict[str, Any]:
        """Apply all status fields of one field manager, if the monitor's resourceVersion is unchanged.

        This is optimistic concurrency: a decision from a stale read writes nothing.

        Returns:
            The monitor after the write, as a document.

        Raises:
            ConflictError: The monitor has changed; read it again.
        """
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": monitor.name,
                "namespace": monitor.namespace,
                "uid": monitor.uid,
                "resourceVersion": monitor.resource_version,
            },
            "status": status,
        }
        path = f"{_MONITORS.path_of(monitor.namespace, monitor.name)}/status"
        query, call = {"fieldManager": manager, "force": "true"}, _MONITORS.call("patch", "status")
        return await self._client.request("PATCH", path, body, query=query, content_type=APPLY, call=call)

    async def set_status(self, monitor: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
        """Set fields of a monitor's status, whoever owns them; None removes one.

        Args:
            monitor: The monitor as a document, as it was read.
            fields: The fields, as a merge patch.

        Raises:
            ConflictError: The monitor has changed; read it again.
        """
        metadata = monitor["metadata"]
        kept = {name: metadata[name] for name in ("uid", "resourceVersion")}
        path = f"{_MONITORS.path_of(metadata['namespace'], metadata['name'])}/status"
        body, call = {"metadata": kept, "status": fields}, _MONITORS.call("patch", "status")
        query = {"fieldManager": OPERATOR_MANAGER}
        return await self._client.request("PATCH", path, body, query=query, content_type=MERGE, call=call)

    async def ensure_runner_account(self, namespace: str) -> None:
        """Create the ServiceAccount and RoleBinding for containers that patch the status, if missing."""
        metadata = {"name": RUNNER_ACCOUNT, "labels": {LABEL_MANAGED_BY: MANAGED_BY}}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": RUNNER_ACCOUNT,
            },
            "subjects": [{"kind": "ServiceAccount", "name": RUNNER_ACCOUNT, "namespace": namespace}],
        }
        await self._create_if_absent(_ACCOUNTS, namespace, account)
        await self._create_if_absent(_BINDINGS, namespace, binding)

    async def _create_if_absent(self, kind: Collection, namespace: str, body: dict[str, Any]) -> None:
        path, name = kind.path(namespace), body["metadata"]["name"]
        try:
            await self._client.request("GET", kind.path_of(namespace, name), call=kind.call("get"))
        except NotFoundError:
            with contextlib.suppress(AlreadyExistsError):
                await self._client.request("POST", path, body, call=kind.call("create"))
