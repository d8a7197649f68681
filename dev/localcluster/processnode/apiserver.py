"""The process node's API client, with JSON documents in and out."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Self, TypeVar

import aiohttp

Document = dict[str, Any]
T = TypeVar("T")

REQUEST_SECONDS = 10.0
# The API server ends a watch after this time; we end it a little later, in case its close got lost.
WATCH_SECONDS = 300
MERGE_PATCH = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"  # JSON is YAML
UNREACHABLE = (aiohttp.ClientError, TimeoutError, ConnectionError)


class ApiError(Exception):
    """The API server responded with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later.

        This includes 401 and 403: our rights are fixed, but after a restart the API server must first learn
        which pods are bound to this node.
        """
        return self.status in {401, 403, 408, 429} or self.status >= 500


class ApiServer:
    """Requests with a client certificate.

    All methods raise `ApiError` for an error response, and one of `UNREACHABLE` without a response.
    """

    def __init__(self, server: str, context: ssl.SSLContext) -> None:
        self._server = server
        self._context = context

    async def __aenter__(self) -> Self:
        """Open the connections."""
        connector = aiohttp.TCPConnector(ssl=self._context)
        # An event may be longer than aiohttp's limit for a line.
        self._session = aiohttp.ClientSession(self._server, connector=connector, read_bufsize=2**21)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Document:
        """Read one document or one list."""
        return await self._request("GET", path, query=query)

    async def post(self, path: str, body: Document) -> Document:
        """Create a document."""
        return await self._request("POST", path, body=body)

    async def put(self, path: str, body: Document) -> Document:
        """Replace a document."""
        return await self._request("PUT", path, body=body)

    async def patch(self, path: str, body: Document) -> Document:
        """Change parts of a document (JSON merge patch: a list is replaced whole)."""
        return await self._request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def apply(self, path: str, body: Document, manager: str) -> Document:
        """Apply `body` as the field manager (server-side apply)."""
        query = {"fieldManager": manager, "force": "true"}
        return await self._request("PATCH", path, query=query, body=body, content_type=APPLY)

    async def delete(self, path: str, body: Document) -> Document:
        """Delete a document; `body` are the DeleteOptions."""
        return await self._request("DELETE", path, body=body)

    async def watch(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Document]:
        """Yield events until the API server ends the stream."""
        timeout = aiohttp.ClientTimeout(total=WATCH_SECONDS + REQUEST_SECONDS, sock_connect=REQUEST_SECONDS)
        query = {
            **query,
            "watch": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
            "allowWatchBookmarks": "true",
        }
        async with self._session.get(path, params=query, timeout=timeout) as answer:
            await _check(answer)
            async for line in answer.content:
                yield json.loads(line)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Document | None = None,
        content_type: str = "application/json",
    ) -> Document:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        async with self._session.request(
            method, path, params=query, data=data, headers=headers, timeout=timeout
        ) as answer:
            await _check(answer)
            document: Document = await answer.json()
            return document


async def until_answered(call: Callable[[], Awaitable[T]]) -> T:
    """Retry a request while the API server is unreachable or the error is temporary.

    Raises:
        ApiError: The error is permanent: the object is gone or replaced, or the request is invalid.
    """
    pause = 0.1
    while True:
        try:
            return await call()
        except ApiError as error:
            if not error.passing:
                raise
        except UNREACHABLE:
            pass
        await asyncio.sleep(pause)
        pause = min(2 * pause, 1.0)


async def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status < 400:
        return
    text = await answer.text()
    try:
        message = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        message = text[:200]
    raise ApiError(answer.status, message)
