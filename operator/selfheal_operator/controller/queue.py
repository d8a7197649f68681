"""A queue of keys: each at most once, never two workers on one, and each at its time."""

import asyncio
import collections
import contextlib
import heapq
import itertools
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from enum import IntEnum, auto
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_LONGEST_SLEEP: Final = timedelta(seconds=5)
"""Wall clocks are stepped, and asyncio sleeps by another one: look at the wall at least this often."""

_SPARE: Final = 64
"""Replaced times that are not worth a clean-up."""


class Line(IntEnum):
    """Where a key waits; the first line is the first to be served."""

    DUE = auto()
    NEWS = auto()
    IN_CASE = auto()


class WorkQueue(Generic[K]):
    """What to look at, and when.

    A key added while it is being worked on is worked on once more afterwards. Of several times set for a
    key, the newest one counts.

    There are three lines. Keys whose time has come go before those that something has happened to: with a
    thousand due in the same second, the first Jobs' news would else keep the last Jobs waiting. Last come
    those that are looked at just in case, as all are by a new leader: news need not wait for ten thousand.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lines: dict[Line, collections.deque[K]] = {line: collections.deque() for line in Line}
        self._line_of: dict[K, Line] = {}
        """The first line in which each waiting key stands."""
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
        """Have the key worked on as soon as a worker is free."""
        self._put(key, Line.NEWS)

    def add_last(self, key: K) -> None:
        """Have the key worked on when there is nothing better to do."""
        self._put(key, Line.IN_CASE)

    def _put(self, key: K, line: Line) -> None:
        if key in self._working:
            self._dirty.add(key)
        elif key not in self._waiting:
            self._waiting[key] = self._clock()
            self._stand(key, line)
            self._ready.release()
        elif line < self._line_of[key]:
            self._stand(key, line)  # in the other line as well; it is taken from the first

    def _stand(self, key: K, line: Line) -> None:
        self._line_of[key] = line
        self._lines[line].append(key)

    def add_at(self, key: K, time: datetime | None) -> None:
        """Have the key worked on at `time`, instead of any time set before; None: only when added."""
        self._due.pop(key, None)
        if time is not None:
            ticket = next(self._ticket)
            self._due[key] = ticket
            heapq.heappush(self._heap, (time, ticket, key))
            self._changed.set()
        if len(self._heap) > _SPARE + 2 * len(self._due):
            self._drop_replaced()

    async def get(self) -> K:
        """Wait for a key. It must be given back with `done`."""
        await self._ready.acquire()
        if self._draining:
            await asyncio.Event().wait()
        while True:
            key = next(line for line in self._lines.values() if line).popleft()
            if self._waiting.pop(key, None) is not None:
                del self._line_of[key]
                self._working.add(key)
                return key

    def done(self, key: K) -> None:
        """Say that the key is no longer worked on."""
        self._working.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)
        if not self._working:
            self._idle.set()

    async def drain(self) -> None:
        """Give out no more keys, and return when none is worked on."""
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
        """Since when the key that waits longest does so; None if none waits."""
        return next(iter(self._waiting.values()), None)

    async def run_clock(self) -> None:
        """Move keys whose time has come, for ever."""
        while True:
            self._changed.clear()
            pause = self.release_due(self._clock())
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes with the event, and a
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
        """Take out times that were replaced: those far ahead would stay for as long, one for every look."""
        self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[1]]
        heapq.heapify(self._heap)
