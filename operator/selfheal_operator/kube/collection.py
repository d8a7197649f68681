"""Collections of objects: their paths, and the entries of metadata-only lists."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from selfheal_operator.core.observed import Owner
from selfheal_operator.kube.client import JSON, ApiClient
from selfheal_operator.metrics.api_calls import ApiCall

EVERYWHERE: Final = ""
"""Stands for all namespaces."""


@dataclass(frozen=True, slots=True)
class Collection:
    """The objects of one resource, in all namespaces or in one."""

    group: str
    """The group and version, as in an object's apiVersion; `v1` for the core group."""
    plural: str

    def path(self, namespace: str = EVERYWHERE) -> str:
        """Return the path of the collection."""
        root = f"/apis/{self.group}" if "/" in self.group else f"/api/{self.group}"
        return f"{root}/{self.plural}" if namespace == EVERYWHERE else self._within(root, namespace)

    def path_of(self, namespace: str, name: str) -> str:
        """Return the path of one object."""
        return (
            f"{self.path(namespace)}/{quote(name, safe='')}"  # a status names Jobs, and anybody may forge it
        )

    def call(self, verb: str, subresource: str = "") -> ApiCall:
        """Return the request's verb and resource, as in RBAC rules."""
        return ApiCall(verb, f"{self.plural}/{subresource}" if subresource else self.plural)

    async def items(
        self,
        client: ApiClient,
        namespace: str,
        query: Mapping[str, str] | None = None,
        accept: str = JSON,
    ) -> AsyncIterator[dict[str, Any]]:
        """List the collection in pages; yield each item."""
        pages = client.pages(self.path(namespace), query, accept=accept, call=self.call("list"))
        async for page in pages:
            for item in page["items"] or ():  # null in an empty metadata-only list
                yield item

    def _within(self, root: str, namespace: str) -> str:
        return f"{root}/namespaces/{namespace}/{self.plural}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An entry of a metadata-only list: the object's identity and version."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    monitor: str
    """The name of the monitor, or of the Job's owner."""
    owner_uid: str = ""
    """The UID of the Job's owner; empty for a monitor."""

    @property
    def owner(self) -> Owner:
        """The monitor that a Job belongs to."""
        return Owner(self.namespace, self.owner_uid)


def listed(item: Mapping[str, Any], monitor: str, owner_uid: str = "") -> Listed:
    """Read an object's metadata."""
    metadata = item["metadata"]
    return Listed(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        monitor=monitor,
        owner_uid=owner_uid,
    )
