"""An administrator's API client that bypasses all injected faults except a crash of the API server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from selfheal_operator.core.errors import UnavailableError
from selfheal_operator.kube.client import JSON, AlreadyExistsError, ApiClient

Document = dict[str, Any]

MERGE: Final = "application/merge-patch+json"
_PAUSE: Final = 0.3


class Admin:
    """Sends requests, and retries them while the API server is unreachable.

    A retried request may find the object of its first attempt, and a retried delete none: callers handle it.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> Document:
        """Send one request; raise what `ApiClient.request` does, except UnavailableError."""
        while True:
            try:
                return await self._client.request(method, path, body, query=query, content_type=content_type)
            except UnavailableError:
                await asyncio.sleep(_PAUSE)

    async def create(self, path: str, document: Document) -> None:
        """Create an object unless there is one of its name: it may be that of an earlier attempt."""
        try:
            await self.request("POST", path, document)
        except AlreadyExistsError:
            return

    async def listed(self, path: str, query: Mapping[str, str] | None = None) -> list[Document]:
        """Return all objects of a kind."""
        while True:
            try:
                return [item async for item in self._items(path, query)]
            except UnavailableError:
                await asyncio.sleep(_PAUSE)

    async def _items(self, path: str, query: Mapping[str, str] | None) -> AsyncIterator[Document]:
        async for page in self._client.pages(path, query):
            for item in page["items"]:
                yield item
