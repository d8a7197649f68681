"""A way to the API server whose faults a test switches on and off.

It runs in a thread of its own, so that tests can wait and look while it works.
"""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from testbed.call_kind import CallKind
from testbed.fault_proxy import Answer, Call, Exchange, HungUpError, NetworkFault, Proxy, Trap


class Arrival(NamedTuple):
    """A request that arrived."""

    time: float
    """By the monotonic clock."""
    method: str
    path: str
    is_write: bool
    """But for renewals of Leases."""


class FaultProxy:
    """One way to the API server."""

    def __init__(self, server: str, authority: Path) -> None:
        self._server, self._authority = server, authority
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.seen: list[Arrival] = []

    # --- faults ---------------------------------------------------------------------------------------------

    def stall(self) -> None:
        """Nothing comes through any more, in either direction, and nobody is told: a black hole."""
        self._call(self._stall)

    def freeze_watches(self) -> None:
        """The watches that are open now are never heard of again; all else works."""
        self._call(self._freeze)

    def answer(self, status: int, *, retry_after: str | None = None) -> None:
        """Answer everything with this status."""
        headers = {"Retry_After": retry_after} if retry_after else {}
        refusal = Answer.failure(status, "Injected", "injected", **headers)
        self._call(self._begin, NetworkFault.UNAVAILABLE, refusal)

    def lose_answers(self, count: int) -> None:
        """Carry out the next writes, but lose their answers; renewals of Leases are spared."""
        self._call(self._set_traps, count)

    def heal(self) -> None:
        """Let new requests through again."""
        self._call(self._heal)

    def cut(self) -> None:
        """Break all connections."""
        self._call(self._cut)

    def say_in_watches(self, text: str) -> None:
        """Put something into each open watch, and end it properly."""
        self._call(self._say, text.encode())

    # --- what came through ----------------------------------------------------------------------------------

    def writes_after(self, moment: float) -> list[Arrival]:
        """Return what was written after `moment`, but for renewals of Leases."""
        return [each for each in self.seen if each.time > moment and each.is_write]

    @property
    def open_watches(self) -> int:
        """The number of watches that are open, and not frozen."""
        return sum(stream.flows for stream in tuple(self._proxy.watches))

    # --- its life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self._call(self._listen)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._proxy.address

    def stop(self) -> None:
        """End it, and everything that is held up in it."""
        self._call(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _call(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        asyncio.run_coroutine_threadsafe(work(*arguments), self._loop).result(timeout=20)

    async def _listen(self) -> None:
        trust = ssl.create_default_context(cafile=self._authority)
        self._proxy = Proxy("operator", self._server, trust, observe=self._observe)
        await self._proxy.start()

    def _observe(self, call: Call) -> None:
        is_write = call.is_a(CallKind.WRITE_BUT_LEASES)
        self.seen.append(Arrival(time.monotonic(), call.method, call.path, is_write))

    async def _begin(self, fault: NetworkFault, refusal: Answer) -> None:
        self._proxy.begin(fault, refusal)

    async def _stall(self) -> None:
        self._proxy.begin(NetworkFault.BLACK_HOLE)
        await self._freeze()

    async def _freeze(self) -> None:
        for stream in self._proxy.watches:
            stream.freeze()

    async def _set_traps(self, count: int) -> None:
        for _ in range(count):
            self._proxy.set_trap(Trap(CallKind.WRITE_BUT_LEASES, 0, _lose))

    async def _heal(self) -> None:
        self._proxy.clear_traps()
        self._proxy.end()

    async def _cut(self) -> None:
        self._proxy.hang_up_all()

    async def _say(self, text: bytes) -> None:
        for stream in list(self._proxy.watches):
            await stream.end_with(text)

    async def _close(self) -> None:
        self._proxy.hang_up_all()
        await self._proxy.close()
        held_up = asyncio.all_tasks() - {asyncio.current_task()}
        for task in held_up:
            task.cancel()
        await asyncio.gather(*held_up, return_exceptions=True)


async def _lose(exchange: Exchange) -> Answer:
    await exchange.forward()
    raise HungUpError


def error_line(code: int) -> str:
    """Return what the API server says in a watch that it cannot go on with."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "injected"}
    return json.dumps({"type": "ERROR", "object": status}) + "\n"
