"""Tracks reconciliations in progress, to detect a stuck one."""

import contextlib
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True, eq=False)
class _Work:
    began_at: float
    moved_at: float


_CURRENT: Final[ContextVar[_Work | None]] = ContextVar("_CURRENT", default=None)
"""The current task's work. A finished API call counts as progress of this work only."""


class Works:
    """All work in progress.

    Args:
        timer: A monotonic clock, in seconds.
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._works: list[_Work] = []

    @contextlib.contextmanager
    def work(self) -> Iterator[None]:
        """Track the current task's block as one piece of work."""
        now = self._timer()
        work = _Work(now, now)
        self._works.append(work)
        token = _CURRENT.set(work)
        try:
            yield
        finally:
            _CURRENT.reset(token)
            self._works.remove(work)

    def moved(self) -> None:
        """Record progress of the current task's work."""
        if (work := _CURRENT.get()) is not None:
            work.moved_at = self._timer()

    @contextlib.contextmanager
    def wait(self) -> Iterator[None]:
        """Treat the block as an intended wait, not as a lack of progress."""
        if (work := _CURRENT.get()) is not None:
            work.moved_at = math.inf
        try:
            yield
        finally:
            self.moved()

    def longest(self) -> float:
        """Return the age of the oldest work, in seconds; 0 if there is none."""
        now = self._timer()
        return max((now - work.began_at for work in self._works), default=0.0)

    def longest_standstill(self) -> float:
        """Return the longest time without progress of any work, in seconds; 0 if there is none."""
        now = self._timer()
        return max((max(0.0, now - work.moved_at) for work in self._works), default=0.0)
