"""How many Jobs may run at once, and which monitor is next when there is room for one more.

A Job suspended by a queue such as Kueue's counts only once it is admitted: until then it uses no resources,
and would block namespaces whose own queues have room. The queue's quota limits how many are admitted.
"""

import heapq
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most Jobs of one purpose that may be active at once; 0 for any number."""

    total: int = 0
    per_namespace: int = 0

    def leave_room(self, active: int, active_in_namespace: int) -> bool:
        """Return whether one more may start."""
        return (not self.total or active < self.total) and (
            not self.per_namespace or active_in_namespace < self.per_namespace
        )


class Load(Protocol):
    """How many Jobs of a purpose are active."""

    def total(self) -> int:
        """Return the number in all namespaces."""

    def __getitem__(self, namespace: str, /) -> int:
        """Return the number in a namespace."""


@dataclass(slots=True)
class Tally:
    """Counts by namespace; each count and their total are read in O(1)."""

    by_namespace: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    """How often a count has changed."""
    _total: int = 0

    def add(self, namespace: str, change: int) -> None:
        """Change the count of a namespace."""
        self.by_namespace[namespace] += change
        if not self.by_namespace[namespace]:
            del self.by_namespace[namespace]
        self._total += change
        self.changes += 1

    def total(self) -> int:
        """Return the sum of all counts."""
        return self._total

    def __getitem__(self, namespace: str) -> int:
        """Return the count of a namespace."""
        return self.by_namespace[namespace]


@dataclass(slots=True)
class WaitingRoom(Generic[K]):
    """Keys that wait for their turn, by namespace.

    Fair between namespaces: the next key comes from the namespace with the fewest active Jobs, so that a
    namespace with a thousand monitors does not delay one with three. Within a namespace, and on a tie, the
    oldest slot goes first.
    """

    _slots: dict[K, datetime] = field(default_factory=dict)
    _heaps: dict[str, list[tuple[datetime, K]]] = field(default_factory=dict)
    changes: int = 0
    """How often a key has entered."""

    def __len__(self) -> int:
        return len(self._slots)

    def enter(self, key: K, namespace: str, slot: datetime) -> None:
        """Add the key; one that waits already keeps its place."""
        if key not in self._slots:
            self._slots[key] = slot
            self.changes += 1
            heapq.heappush(self._heaps.setdefault(namespace, []), (slot, key))

    def leave(self, key: K) -> None:
        """Remove the key."""
        self._slots.pop(key, None)

    def call(self, limits: Limits, active: Load) -> K | None:
        """Remove and return the next key; None if no key waits or there is no room.

        Args:
            limits: The limits on active Jobs.
            active: The active Jobs by namespace.
        """
        total = active.total()
        if limits.total and total >= limits.total:
            return None
        turns = (
            (active[namespace], head, namespace)
            for namespace in list(self._heaps)
            if (head := self._head(namespace)) and limits.leave_room(total, active[namespace])
        )
        if (turn := min(turns, default=None)) is None:
            return None
        _, key = heapq.heappop(self._heaps[turn[2]])
        del self._slots[key]
        return key

    def _head(self, namespace: str) -> datetime | None:
        """Return the oldest slot that waits in a namespace."""
        heap = self._heaps[namespace]
        while heap and self._slots.get(heap[0][1]) != heap[0][0]:  # it has left
            heapq.heappop(heap)
        if heap:
            return heap[0][0]
        del self._heaps[namespace]
        return None
