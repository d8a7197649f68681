"""Work that goes on, and whether anything comes of it."""

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
"""What the present task works on: a call that ends shows that this work goes on, and no other."""


class Works:
    """What is being worked on now.

    Args:
        timer: Seconds that only ever grow.
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._works: list[_Work] = []

    @contextlib.contextmanager
    def work(self) -> Iterator[None]:
        """Count what the present task does meanwhile as one work."""
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
        """Note that the present task's work goes on."""
        if (work := _CURRENT.get()) is not None:
            work.moved_at = self._timer()

    @contextlib.contextmanager
    def wait(self) -> Iterator[None]:
        """Count what the present task does meanwhile as waiting on purpose, and not as standing still."""
        if (work := _CURRENT.get()) is not None:
            work.moved_at = math.inf
        try:
            yield
        finally:
            self.moved()

    def longest(self) -> float:
        """Return how long the longest work has lasted, in seconds; 0 if there is none."""
        now = self._timer()
        return max((now - work.began_at for work in self._works), default=0.0)

    def longest_standstill(self) -> float:
        """Return the longest time, in seconds, in which a work has not moved; 0 if there is none."""
        now = self._timer()
        return max((max(0.0, now - work.moved_at) for work in self._works), default=0.0)
