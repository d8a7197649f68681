"""A random sample of a stream of rows of unknown length. Pure.

Every row gets a random number, in the order of the rows, and the rows with the smallest numbers are the
sample: a simple random sample without replacement. The numbers depend on the seed alone, so the same data and
seed give the same sample, whatever the batch sizes.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

_DRAWN_AT_ONCE: Final = 1 << 17


class Sample:
    """A sample of at most `size` rows. `offer` selects candidates; `final` selects the sample from them."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._seed = seed
        self._draws = np.random.PCG64(seed)  # NumPy promises that this stream never changes
        self._limit = np.iinfo(np.uint64).max
        self._kept: list[NDArray[np.uint64]] = []
        self._loose = 0
        """Rows kept since the limit was last lowered."""
        self.offered = 0

    def offer(self, rows: int) -> Flags:
        """Return which of the next rows may be in the sample; the others can be discarded."""
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
        """Draw the numbers of all rows in advance, if their count is known, to keep only sampled rows."""
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
        """Return which of the kept rows, in their order, are in the sample."""
        self._tighten()
        flags: Flags = np.concatenate([np.empty(0, np.uint64), *self._kept]) <= self._limit
        return flags
