"""A way to the API server that can be bad: an HTTP proxy whose faults a test switches on and off.

The operator speaks plain HTTP to it, and it HTTPS to the API server, with the operator's token. It runs in
a thread of its own, so that tests can wait and look while it works.
"""

import asyncio
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
from aiohttp import ClientTimeout, web

HOP_BY_HOP: Final = {"host", "connection", "transfer-encoding", "content-length", "content-encoding"}
FOR_EVER: Final = ClientTimeout(total=None)


class Seen(NamedTuple):
    """A request that arrived."""

    time: float
    """By the monotonic clock."""
    method: str
    path: str


class Window(NamedTuple):
    """Answers that are given instead of the API server's."""

    status: int
    retry_after: str | None


class FaultProxy:
    """One way to the API server."""

    def __init__(self, server: str, authority: Path) -> None:
        self._server = server
        self._authority = authority
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._watches: dict[web.StreamResponse, asyncio.Event] = {}
        self._transports: set[asyncio.BaseTransport] = set()
        self._stalled = False
        self._frozen: set[web.StreamResponse] = set()
        self._window: Window | None = None
        self._losses = 0
        self.seen: list[Seen] = []
        self.url = ""

    # --- faults ---------------------------------------------------------------------------------------------

    def stall(self) -> None:
        """Nothing comes through any more, in either direction, and nobody is told: a black hole."""
        self._stalled = True
        self.freeze_watches()

    def freeze_watches(self) -> None:
        """The watches that are open now are never heard of again; all else works."""
        self._call(self._freeze)

    def answer(self, status: int, *, retry_after: str | None = None) -> None:
        """Answer everything with this status."""
        self._window = Window(status, retry_after)

    def lose_answers(self, count: int) -> None:
        """Carry out the next writes, but lose their answers; renewals of Leases are spared."""
        self._losses = count

    def heal(self) -> None:
        """Let new requests through again; what was lost stays lost."""
        self._stalled, self._window, self._losses = False, None, 0

    def cut(self) -> None:
        """Break all connections."""
        self._call(self._cut)

    def say_in_watches(self, text: str) -> None:
        """Put something into each open watch, and end it properly."""
        self._call(lambda: self._say(text.encode()))

    # --- what came through ----------------------------------------------------------------------------------

    def writes_after(self, moment: float) -> list[Seen]:
        """Return what was written after `moment`, but for renewals of Leases."""
        return [each for each in self.seen if each.time > moment and _is_write(each.method, each.path)]

    @property
    def open_watches(self) -> int:
        """The number of watches that are open, and not frozen."""
        return len(set(self._watches) - self._frozen)

    # --- its life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self._call(self._listen)

    def stop(self) -> None:
        """End it, and everything that is held up in it."""
        self._call(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _call(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(timeout=20)

    async def _listen(self) -> None:
        context = ssl.create_default_context(cafile=self._authority)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context), timeout=FOR_EVER, auto_decompress=False
        )
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def _close(self) -> None:
        await self._cut()
        await self._runner.cleanup()
        await self._session.close()
        held_up = asyncio.all_tasks() - {asyncio.current_task()}
        for task in held_up:
            task.cancel()
        await asyncio.gather(*held_up, return_exceptions=True)

    async def _freeze(self) -> None:
        self._frozen |= set(self._watches)

    async def _cut(self) -> None:
        for transport in list(self._transports):
            transport.abort()  # type: ignore[attr-defined]  # of a socket, so it can

    async def _say(self, line: bytes) -> None:
        for response, ended in list(self._watches.items()):
            await response.write(line)
            ended.set()

    # --- one request ----------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self._transports.add(request.transport)
        self.seen.append(Seen(time.monotonic(), request.method, request.path))
        if self._stalled:
            await asyncio.Event().wait()
        if self._window is not None:
            return _refusal(self._window)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        async with self._session.request(
            request.method, self._server + request.path_qs, headers=headers, data=await request.read() or None
        ) as answer:
            if "watch" in request.query and answer.ok:
                return await self._stream(request, answer)
            body = await answer.read()
            if self._losses and _is_write(request.method, request.path):
                self._losses -= 1
                request.transport.abort()
            if self._stalled:
                await asyncio.Event().wait()
            return web.Response(body=body, status=answer.status, headers=_kept(answer))

    async def _stream(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=_kept(answer))
        await response.prepare(request)
        ended = self._watches[response] = asyncio.Event()
        pump = asyncio.ensure_future(self._pump(answer, response))
        end = asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait({pump, end}, return_when=asyncio.FIRST_COMPLETED)
            await response.write_eof()
        finally:
            self._watches.pop(response)
            pump.cancel()
            end.cancel()
            _hang_up(answer)
        return response

    async def _pump(self, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
        async for chunk in answer.content.iter_any():
            if response in self._frozen:
                break
            await response.write(chunk)
        if response in self._frozen:
            await asyncio.Event().wait()


def _hang_up(answer: aiohttp.ClientResponse) -> None:
    """Break the connection of an answer that is not read to its end.

    Closed in the usual way it would wait for the API server's goodbye, and nobody waits for that: the
    proxy's loop may be gone first, and the socket be found open by a later test.
    """
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()


def _is_write(method: str, path: str) -> bool:
    return method != "GET" and not re.search("/leases(/|$)", path)


def _kept(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}


def _refusal(window: Window) -> web.Response:
    status = {"kind": "Status", "code": window.status, "message": "injected", "reason": "Injected"}
    headers = {"Retry-After": window.retry_after} if window.retry_after else {}
    return web.json_response(status, status=window.status, headers=headers)


def error_line(code: int) -> str:
    """Return what the API server says in a watch that it cannot go on with."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "injected"}
    return json.dumps({"type": "ERROR", "object": status}) + "\n"
