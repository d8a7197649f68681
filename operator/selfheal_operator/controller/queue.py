"""A work queue of keys with deduplication, one worker per key, and delayed adds."""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from enum import IntEnum, auto
from typing import Final, Generic, TypeVar

from selfheal_operator.controller.fair_line import FairLine

K = TypeVar("K", bound=Hashable)

_LONGEST_SLEEP: Final = timedelta(seconds=5)
"""The wall clock may be stepped, and asyncio sleeps by the monotonic one: check at least this often."""

_SPARE: Final = 64
"""Up to this many replaced times, the heap is not cleaned up."""


class Line(IntEnum):
    """The priority of a waiting key; a lower value is served first."""

    DUE = auto()
    NEWS = auto()
    IN_CASE = auto()


class WorkQueue(Generic[K]):
    """The keys to reconcile, and when.

    A key that is added while a worker processes it is processed again afterwards. If several times are set
    for a key, the last one set counts.

    There are three priorities. Keys whose time has come go before keys with an event: with a thousand due in
    the same second, otherwise events about the first Jobs would delay creating the last. Keys of a full
    resync by a new leader come last, so that events do not wait for ten thousand of them. Within a priority,
    tenants are served in turn.

    Args:
        clock: Returns the current time.
        tenant_of: Returns whose key it is; by default all are the same tenant's.
    """

    def __init__(
        self, clock: Callable[[], datetime], tenant_of: Callable[[K], Hashable] = lambda _: None
    ) -> None:
        self._clock = clock
        self._lines: dict[Line, FairLine[K]] = {line: FairLine(tenant_of) for line in Line}
        self._line_of: dict[K, Line] = {}
        """The priority at which each waiting key is queued."""
        self._ready = asyncio.Semaphore(0)
        self._waiting: dict[K, datetime] = {}
        """Since when each key waits for a worker."""
        self._working: set[K] = set()
        self._dirty: set[K] = set()
        self._heap: list[tuple[datetime, int, K]] = []
        self._due: dict[K, int] = {}
        self._ticket = itertools.count()
        self._changed = asyncio.Event()
        self._draining = False
        self._idle = asyncio.Event()

    def add(self, key: K) -> None:
        """Queue the key for the next free worker."""
        self._put(key, Line.NEWS)

    def add_last(self, key: K) -> None:
        """Queue the key at the lowest priority."""
        self._put(key, Line.IN_CASE)

    def _put(self, key: K, line: Line) -> None:
        if key in self._working:
            self._dirty.add(key)
        elif key not in self._waiting:
            self._waiting[key] = self._clock()
            self._stand(key, line)
            self._ready.release()
        elif line < self._line_of[key]:
            self._lines[self._line_of[key]].remove(key)
            self._stand(key, line)

    def _stand(self, key: K, line: Line) -> None:
        self._line_of[key] = line
        self._lines[line].add(key)

    def add_at(self, key: K, time: datetime | None) -> None:
        """Queue the key at `time`, replacing any time set before; None clears the time."""
        self._due.pop(key, None)
        if time is not None:
            ticket = next(self._ticket)
            self._due[key] = ticket
            heapq.heappush(self._heap, (time, ticket, key))
            self._changed.set()
        if len(self._heap) > _SPARE + 2 * len(self._due):
            self._drop_replaced()

    async def get(self) -> K:
        """Wait for a key. The caller must call `done` with it."""
        await self._ready.acquire()
        if self._draining:
            await asyncio.Event().wait()
        key = next(line for line in self._lines.values() if line).take()
        del self._waiting[key], self._line_of[key]
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        """Mark the key as processed; requeue it if it was added meanwhile."""
        self._working.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)
        if not self._working:
            self._idle.set()

    async def drain(self) -> None:
        """Hand out no more keys; return when no key is being processed."""
        self._draining = True
        self._idle.clear()
        if self._working:
            await self._idle.wait()

    @property
    def depth(self) -> int:
        """How many keys wait for a worker."""
        return len(self._waiting)

    @property
    def oldest(self) -> datetime | None:
        """When the longest-waiting key was queued; None if none waits."""
        return next(iter(self._waiting.values()), None)

    async def run_clock(self) -> None:
        """Queue keys when their time comes, for ever."""
        while True:
            self._changed.clear()
            pause = self.release_due(self._clock())
            # Not wait_for: before Python 3.12 it swallows a cancellation that arrives with the event, and a
            # leader that has lost its Lease would wait for this task for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._changed.wait()

    def release_due(self, now: datetime) -> timedelta:
        """Queue the keys that are due; return how long to wait for the next one, at most five seconds."""
        while self._heap:
            time, ticket, key = self._heap[0]
            if self._due.get(key) != ticket:  # replaced by another time
                heapq.heappop(self._heap)
            elif time <= now:
                heapq.heappop(self._heap)
                del self._due[key]
                self._put(key, Line.DUE)
            else:
                return min(time - now, _LONGEST_SLEEP)
        return _LONGEST_SLEEP

    def _drop_replaced(self) -> None:
        """Remove replaced times: otherwise each reconciliation could leave one until its time comes."""
        self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[1]]
        heapq.heapify(self._heap)
