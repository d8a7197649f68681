"""The HTTP session for kopf: its lists are made empty, and its retries are rate limited."""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

import aiohttp
import kopf

NOTHING: Final = "metadata.name=-"
"""A field selector that matches no object: names start with a letter or a digit."""
WATCH_PAUSE: Final = 1.0
LOGIN_PAUSE: Final = 5.0


class WatchSession:
    """Creates a session for kopf after each login.

    kopf lists everything before it watches, at the start and after each gap. That takes 0.4 ms and a worker
    per object, and does not show what was deleted in the gap. So its lists are made empty: they only return
    the resourceVersion to watch from, and `on_list` requests a sweep for earlier changes.

    Args:
        on_list: Called after each list, when a watch is about to start.
        kinds: The plurals of the watched resources.
        tracing: Trace configurations, called for each request.
    """

    def __init__(
        self,
        on_list: Callable[[], None],
        kinds: Collection[str],
        tracing: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        self._on_list = on_list
        self._tracing = list(tracing)
        self._next: dict[str, float] = {}
        self.watched: dict[str, float] = dict.fromkeys(kinds, -math.inf)
        """When a watch of each resource last started, by the monotonic clock."""

    async def login(self, info: kopf.ConnectionInfo | None) -> kopf.AiohttpSession | None:
        """Return a new session for these credentials; kopf closes it."""
        if info is None:
            return None
        await self._pace("login", LOGIN_PAUSE)  # each 401 leads here
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
            headers=info.as_http_headers(),
            proxy=info.proxy_url,
            middlewares=(self._send,),
            trace_configs=self._tracing,
        )
        return kopf.AiohttpSession(
            server=info.server, default_namespace=info.default_namespace, aiohttp_session=session
        )

    async def _send(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        query = request.url.query
        if "watch" in query:
            # kopf reconnects without a pause after a stream has ended, even if every stream ends at once.
            await self._pace(request.url.path, WATCH_PAUSE)
            response = await handler(request)
            if response.ok:
                self.watched[_kind(request)] = time.monotonic()
            return response
        if request.method != "GET" or _kind(request) not in self.watched:
            return await handler(request)  # not a list of objects
        request.url = request.url.update_query(fieldSelector=NOTHING)
        response = await handler(request)
        if response.ok:
            self._on_list()
        return response

    async def _pace(self, what: str, pause: float) -> None:
        now = time.monotonic()
        turn = max(now, self._next.get(what, now))
        self._next[what] = turn + pause
        await asyncio.sleep(turn - now)


def _kind(request: aiohttp.ClientRequest) -> str:
    return request.url.path.rpartition("/")[2]
