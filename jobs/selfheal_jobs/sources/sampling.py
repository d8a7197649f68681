"""A random sample of rows that come by, without knowing how many there will be. Pure.

Every row draws a number, in the order of the rows, and those with the smallest numbers are the sample: a
simple random sample without replacement. The numbers come from the seed alone, so that it is the same rows
again for the same data and seed, however the rows were cut into batches.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

_DRAWN_AT_ONCE: Final = 1 << 17


class Sample:
    """At most `size` rows. What is offered is kept for the time being; `final` says which rows remain."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._seed = seed
        self._draws = np.random.PCG64(seed)  # NumPy promises that this stream never changes
        self._limit = np.iinfo(np.uint64).max
        self._kept: list[NDArray[np.uint64]] = []
        self._loose = 0
        """Rows kept since the limit was last drawn tighter."""
        self.offered = 0

    def offer(self, rows: int) -> Flags:
        """Return which of the next rows may still be in the sample; the others never will be."""
        numbers = self._draws.random_raw(rows)
        self.offered += rows
        flags: Flags = numbers <= self._limit
        kept = numbers[flags]
        self._kept.append(kept)
        self._loose += len(kept)
        if self._loose > max(self._size // 4, 1):
            self._tighten()
        return flags

    def foresee(self, rows: int) -> None:
        """Draw for all rows in advance, where their number is known: then none is kept in vain."""
        draws = np.random.PCG64(self._seed)
        smallest = np.empty(0, np.uint64)
        for start in range(0, rows, _DRAWN_AT_ONCE):
            numbers = draws.random_raw(min(_DRAWN_AT_ONCE, rows - start))
            smallest = np.concatenate([smallest, numbers[numbers <= self._limit]])
            if len(smallest) > self._size:
                smallest = np.partition(smallest, self._size - 1)[: self._size]
                self._limit = smallest[self._size - 1]

    def _tighten(self) -> None:
        self._loose = 0
        numbers = np.concatenate([np.empty(0, np.uint64), *self._kept])
        numbers = numbers[numbers <= self._limit]
        if len(numbers) > self._size:
            self._limit = np.partition(numbers, self._size - 1)[self._size - 1]

    def final(self) -> Flags:
        """Return which of the rows that were kept, one after the other, are in the sample."""
        self._tighten()
        flags: Flags = np.concatenate([np.empty(0, np.uint64), *self._kept]) <= self._limit
        return flags
