"""A queue of keys: each at most once, never two workers on one, and each at its time."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_LONGEST_SLEEP: Final = timedelta(seconds=5)
"""Wall clocks are stepped, and asyncio sleeps by another one: look at the wall at least this often."""

_SPARE: Final = 64
"""Replaced times that are not worth a clean-up."""


class WorkQueue(Generic[K]):
    """What to look at, and when.

    A key added while it is being worked on is worked on once more afterwards. Of several times set for a
    key, the newest one counts.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ready: asyncio.Queue[K] = asyncio.Queue()
        self._waiting: dict[K, datetime] = {}
        """Since when each key waits for a worker."""
        self._working: set[K] = set()
        self._dirty: set[K] = set()
        self._heap: list[tuple[datetime, int, K]] = []
        self._due: dict[K, int] = {}
        self._ticket = itertools.count()
        self._changed = asyncio.Event()

    def add(self, key: K) -> None:
        """Have the key worked on as soon as a worker is free."""
        if key in self._working:
            self._dirty.add(key)
        elif key not in self._waiting:
            self._waiting[key] = self._clock()
            self._ready.put_nowait(key)

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
        key = await self._ready.get()
        del self._waiting[key]
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        """Say that the key is no longer worked on."""
        self._working.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)

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
            pause = self._release(self._clock())
            try:
                await asyncio.wait_for(self._changed.wait(), pause.total_seconds())
            except TimeoutError:
                continue

    def _drop_replaced(self) -> None:
        """Take out times that were replaced: those far ahead would stay for as long, one for every look."""
        self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[1]]
        heapq.heapify(self._heap)

    def _release(self, now: datetime) -> timedelta:
        """Add what is due; return how long nothing else will be."""
        while self._heap:
            time, ticket, key = self._heap[0]
            if self._due.get(key) != ticket:  # replaced by another time
                heapq.heappop(self._heap)
            elif time <= now:
                heapq.heappop(self._heap)
                del self._due[key]
                self.add(key)
            else:
                return min(time - now, _LONGEST_SLEEP)
        return _LONGEST_SLEEP
