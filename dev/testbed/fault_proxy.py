"""A reverse proxy between one operator and the API server that can drop, delay or refuse calls.

The operator connects with plain HTTP; the proxy connects to the API server with HTTPS and the operator's
token.
"""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from enum import Enum, auto
from typing import Final, Self

import aiohttp
from aiohttp import web
from yarl import URL

from testbed.call_kind import CallKind

_PASSED_ON: Final = ("Authorization", "Content-Type", "Accept")
_KEPT: Final = ("Content-Type", "Retry-After", "Date")
_LARGEST_BODY: Final = 64 * 2**20
_LEASE: Final = re.compile(r"/leases(/|$)")


@dataclass(frozen=True, slots=True)
class Call:
    """A request of the operator."""

    method: str
    target: str
    """Path and query, as sent."""
    body: bytes

    @property
    def path(self) -> str:
        """The path of the request."""
        return self.target.partition("?")[0]

    @property
    def is_watch(self) -> bool:
        """Whether the response is a stream of events."""
        return "watch=true" in self.target

    def is_a(self, kind: CallKind) -> bool:
        """Return whether a fault for this kind of call applies."""
        match kind:
            case CallKind.CREATE_JOB:
                return self.method == "POST" and self.path.endswith("/jobs")
            case CallKind.WRITE_STATUS:
                return self.method == "PATCH" and self.path.endswith("/status")
            case CallKind.WRITE:
                return self.method != "GET"
            case CallKind.WRITE_BUT_LEASES:
                return self.method != "GET" and not _LEASE.search(self.path)
            case CallKind.CALL:
                return not self.is_watch

    def __str__(self) -> str:
        name = ""
        if self.is_a(CallKind.CREATE_JOB):
            name = "/" + json.loads(self.body)["metadata"]["name"]
        return f"{self.method} {self.path}{name}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the API server, or one injected in its place."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def failure(cls, status: int, reason: str, message: str, **headers: str) -> Self:
        """Build an error response like the API server's."""
        document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": status,
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json", **named})


FAILURES: Final = (
    Answer.failure(500, "InternalError", "etcdserver: leader changed"),
    Answer.failure(503, "ServiceUnavailable", "apiserver is shutting down"),
    Answer.failure(504, "Timeout", "Timeout: request did not complete within requested timeout"),
    Answer.failure(500, "InternalError", "etcdserver: request timed out"),
)


class NetworkFault(Enum):
    """A fault that affects all calls through the proxy."""

    CLEAR = auto()
    THROTTLED = auto()
    UNAVAILABLE = auto()
    PARTITION = auto()
    BLACK_HOLE = auto()
    """A partition without errors: requests are held, and delivered when the fault ends."""


class HungUpError(Exception):
    """The connection must be closed without a response."""


@dataclass(slots=True)
class Exchange:
    """One intercepted call, for the handler that decides how to respond."""

    call: Call
    proxy: "Proxy"
    """The proxy that received it."""
    forward: Callable[[], Awaitable[Answer]]
    """Forwards the call to the API server and returns its response; a write is committed then."""


Spring = Callable[[Exchange], Awaitable[Answer]]
"""The handler of a trap: returns the response for the operator, or raises HungUpError."""


@dataclass(slots=True)
class Trap:
    """A fault that waits for a matching call, on one proxy or on several."""

    calls: CallKind
    spared: int
    spring: Spring
    caught: "asyncio.Future[Call]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def takes(self, call: Call) -> bool:
        """Return whether the fault applies to this call."""
        if self.caught.done() or not call.is_a(self.calls):
            return False
        self.spared -= 1
        if self.spared >= 0:
            return False
        self.caught.set_result(call)
        return True


class WatchStream:
    """One open watch."""

    def __init__(self, call: Call, request: web.Request, response: web.StreamResponse) -> None:
        self.call = call
        self._request, self._response = request, response
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ended = asyncio.Event()
        self._torn = False

    async def pump(self, lines: AsyncIterator[bytes], clear: Callable[[], Awaitable[None]]) -> None:
        """Forward events until either side, or a fault, ends the watch."""
        passing = asyncio.create_task(self._pass_on(lines, clear))
        ending = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait({passing, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            passing.cancel()
            ending.cancel()
            with contextlib.suppress(aiohttp.ClientError, ConnectionError, asyncio.CancelledError):
                await passing

    async def _pass_on(self, lines: AsyncIterator[bytes], clear: Callable[[], Awaitable[None]]) -> None:
        async for line in lines:
            await clear()
            await self._flowing.wait()
            if self._torn:
                await self._response.write(line[: len(line) // 2])
                return
            await self._response.write(line)

    async def stall(self, seconds: float) -> None:
        """Forward no event for `seconds`."""
        self._flowing.clear()
        await asyncio.sleep(seconds)
        self._flowing.set()

    def freeze(self) -> None:
        """Forward no event any more; the connection stays open."""
        self._flowing.clear()

    @property
    def flows(self) -> bool:
        """Whether events are forwarded."""
        return self._flowing.is_set()

    def tear(self) -> None:
        """Close the connection in the middle of the next event."""
        self._torn = True

    def cut(self) -> None:
        """Close the connection."""
        if self._request.transport is not None:
            self._request.transport.abort()
        self._ended.set()

    async def end_with_error(self, failure: Answer) -> None:
        """End with an ERROR event."""
        await self.end_with(b'{"type":"ERROR","object":' + failure.body + b"}\n")

    async def end_with(self, text: bytes) -> None:
        """Send some text, then end."""
        with contextlib.suppress(ConnectionError):
            await self._response.write(text)
        self._ended.set()


class Proxy:
    """A reverse proxy that serves one operator.

    Args:
        name: The operator's name in the API server's audit log.
        server: The API server's URL.
        trust: The TLS context that verifies the API server.
        now: The time in the Date header of responses; by default the API server's own.
        translate: Rewrites the bodies of responses, for accelerated time.
        observe: Called with each call when it arrives.
    """

    def __init__(  # noqa: PLR0913 - two are needed; the others are for a run in quick time
        self,
        name: str,
        server: str,
        trust: ssl.SSLContext,
        *,
        now: Callable[[], datetime] | None = None,
        translate: Callable[[bytes], bytes] = bytes,
        observe: Callable[[Call], None] = lambda _: None,
    ) -> None:
        self._name, self._server, self._trust = name, server, trust
        self._now, self._translate, self._observe = now, translate, observe
        self._clear = asyncio.Event()
        self._clear.set()
        self._refusal = FAILURES[0]
        self._traps: list[Trap] = []
        self._connections: set[asyncio.Transport] = set()
        self.network_fault = NetworkFault.CLEAR
        self.watches: set[WatchStream] = set()
        self.address = ""
        """The URL at which it serves."""
        self.worked = 0.0
        """When the operator last sent a write that only a leader sends, by the loop's clock."""

    async def start(self) -> None:
        """Start serving."""
        connector = aiohttp.TCPConnector(ssl=self._trust, limit=0)
        self._session = aiohttp.ClientSession(
            self._server,
            connector=connector,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            headers={"Accept-Encoding": "identity", "User-Agent": self._name},
        )
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()
        await self._session.close()

    def set_trap(self, trap: Trap) -> None:
        """Set a fault that is triggered by a matching call."""
        self._traps.append(trap)

    def clear_traps(self) -> None:
        """Remove all traps."""
        self._traps.clear()

    async def inject(self, fault: NetworkFault, seconds: float, refusal: Answer = FAILURES[0]) -> None:
        """Inject a network fault for `seconds`."""
        self.begin(fault, refusal)
        await asyncio.sleep(seconds)
        self.end()

    def begin(self, network_fault: NetworkFault, refusal: Answer = FAILURES[0]) -> None:
        """Start a network fault that lasts until `end`."""
        self.network_fault, self._refusal = network_fault, refusal
        if network_fault is NetworkFault.BLACK_HOLE:
            self._clear.clear()
        if network_fault is NetworkFault.PARTITION:
            self.hang_up_all()

    def end(self) -> None:
        """End the network fault."""
        self.network_fault = NetworkFault.CLEAR
        self._clear.set()

    def hang_up_all(self) -> None:
        """Close every connection."""
        for stream in list(self.watches):
            stream.cut()
        for connection in list(self._connections):
            connection.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.method, request.raw_path, await request.read())
        connection = request.transport
        if connection is None:
            raise web.HTTPBadGateway  # the connection is already closed
        self._connections.add(connection)
        self._observe(call)
        try:
            if (answer := await self._by_network_fault()) is None:
                if call.is_watch:
                    return await self._watch(request, call)
                answer = await self._answer(request, call)
        except (HungUpError, aiohttp.ClientError, ConnectionError):
            connection.abort()
            return web.Response(status=502)  # the connection is already closed
        finally:
            self._connections.discard(connection)
        # The operator reads the server's time from the Date header.
        date = {"Date": format_datetime(self._now(), usegmt=True)} if self._now else {}
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers | date)

    async def _by_network_fault(self) -> Answer | None:
        """Return the network fault's response; None if it lets calls through."""
        match self.network_fault:
            case NetworkFault.THROTTLED:
                return Answer.failure(
                    429, "TooManyRequests", "the server has received too many requests", Retry_After="1"
                )
            case NetworkFault.UNAVAILABLE:
                return self._refusal
            case NetworkFault.PARTITION:
                raise HungUpError
            case _:
                await self._clear.wait()
                return None

    async def _answer(self, request: web.Request, call: Call) -> Answer:
        if call.is_a(CallKind.CREATE_JOB) or call.is_a(CallKind.WRITE_STATUS):
            self.worked = asyncio.get_running_loop().time()
        exchange = Exchange(call, self, lambda: self._forward(request, call))
        trap = next((trap for trap in self._traps if trap.takes(call)), None)
        self._traps = [trap for trap in self._traps if not trap.caught.done()]
        if trap is not None:
            return await trap.spring(exchange)
        answer = await exchange.forward()
        await self._clear.wait()
        return answer

    async def _forward(self, request: web.Request, call: Call) -> Answer:
        async with self._session.request(
            call.method, _url(call), headers=_headers(request), data=call.body or None
        ) as answer:
            body = await answer.read()
            kept = {n: answer.headers[n] for n in _KEPT if n in answer.headers}
            return Answer(answer.status, self._translate(body), kept)

    async def _watch(self, request: web.Request, call: Call) -> web.StreamResponse:
        async with self._session.get(_url(call), headers=_headers(request)) as upstream:
            headers = {"Content-Type": upstream.headers.get("Content-Type", "application/json")}
            if upstream.status != 200:
                body = await upstream.read()
                return web.Response(status=upstream.status, body=body, headers=headers)
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            stream = WatchStream(call, request, response)
            self.watches.add(stream)
            try:
                await stream.pump(self._lines(upstream), self._until_clear)
            finally:
                self.watches.discard(stream)
                _hang_up(upstream)
            return response

    async def _lines(self, upstream: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """Yield whole lines of any length."""
        rest = b""
        async for chunk in upstream.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield self._translate(line) + b"\n"

    async def _until_clear(self) -> None:
        await self._clear.wait()


def _hang_up(answer: aiohttp.ClientResponse) -> None:
    """Abort the connection of a response that is not read to its end.

    A regular close would wait for the API server's TLS shutdown, but nothing awaits that: the proxy's loop
    may end first, and a later test would find the socket open.
    """
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()


def _url(call: Call) -> URL:
    return URL(call.target, encoded=True)


def _headers(request: web.Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
