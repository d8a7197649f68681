"""The two sides of a column, the input of the methods: numbers, or counts of categories."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[Any]


class Counts(Struct, frozen=True):
    """How often each category occurs on either side.

    Both arrays have one integer per category, in the order of the sorted categories. Every category occurs on
    at least one side, and each side has at least one row.
    """

    reference: Array
    current: Array

    @classmethod
    def of(cls, reference: Mapping[Any, int], current: Mapping[Any, int]) -> "Counts":
        """Align two mappings from category to count."""
        keys = in_order(reference.keys() | current.keys())
        return cls(
            np.array([reference.get(key, 0) for key in keys], dtype=np.int64),
            np.array([current.get(key, 0) for key in keys], dtype=np.int64),
        )

    @property
    def reference_rows(self) -> int:
        """Return the number of values in the reference."""
        return int(self.reference.sum())

    @property
    def current_rows(self) -> int:
        """Return the number of values in the current data."""
        return int(self.current.sum())

    @property
    def distinct(self) -> int:
        """Return the number of categories."""
        return len(self.reference)

    @property
    def counts(self) -> "Counts":
        """Return itself, as `Numbers` returns the counts of its values."""
        return self


class CodedRows(Struct, frozen=True):
    """Categories row by row: the position of each row's category in the sorted categories."""

    reference: Array
    current: Array
    counts: Counts


def in_order(keys: Any) -> list[Any]:
    """Return categories sorted, as Evidently does; by their text if they cannot be compared."""
    try:
        return sorted(keys)
    except TypeError:
        return sorted(keys, key=str)


class Numbers(Struct, frozen=True, dict=True):
    """Finite numbers of either side, at least one each: float64, or integers where a column has no gaps."""

    reference: Array
    current: Array
    known_deviation: float | None = None
    """The reference's standard deviation, if its numbers are no longer in the order of the rows."""
    ascending: bool = False
    """Whether both sides are in ascending order."""

    @property
    def reference_rows(self) -> int:
        """Return the number of values in the reference."""
        return len(self.reference)

    @property
    def current_rows(self) -> int:
        """Return the number of values in the current data."""
        return len(self.current)

    @cached_property
    def sorted_reference(self) -> Array:
        """Return the reference in ascending order."""
        return self.reference if self.ascending else np.sort(self.reference)

    @cached_property
    def sorted_current(self) -> Array:
        """Return the current values in ascending order."""
        return self.current if self.ascending else np.sort(self.current)

    @cached_property
    def pooled(self) -> Array:
        """Return both sides together, in ascending order."""
        return self._merged[0]

    @cached_property
    def reference_below(self) -> Array:
        """Return how many of each pooled value and those before it come from the reference.

        Among ties the reference's values come first, so only the count at the last tie is cumulative.
        """
        return self._merged[1]

    @cached_property
    def _merged(self) -> tuple[Array, Array]:
        both = np.concatenate([self.sorted_reference, self.sorted_current])
        order = np.argsort(both, kind="stable")  # merges two sorted runs in one pass
        return both[order], np.cumsum(order < len(self.reference))

    @cached_property
    def counts(self) -> Counts:
        """Return how often each value occurs: for numbers with few distinct ones."""
        values, reference = _run_lengths(self.sorted_reference)
        others, current = _run_lengths(self.sorted_current)
        union = np.union1d(values, others)
        aligned = Counts(np.zeros(len(union), dtype=np.int64), np.zeros(len(union), dtype=np.int64))
        aligned.reference[np.searchsorted(union, values)] = reference
        aligned.current[np.searchsorted(union, others)] = current
        return aligned

    def has_more_than(self, distinct: int) -> bool:
        """Return whether both sides together have more distinct values than this."""
        return more_distinct_than(distinct, self.sorted_reference, self.sorted_current)


Pair = Numbers | Counts


def _run_lengths(ascending: Array) -> tuple[Array, Array]:
    """Return the distinct values of a sorted array, and how often each occurs."""
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    return ascending[starts], np.diff(starts, append=len(ascending))


def more_distinct_than(limit: int, *ascending: Array) -> bool:
    """Return whether sorted arrays hold more distinct values than the limit; stop as early as possible."""
    found: set[Any] = set()
    for values in ascending:
        position = 0
        while position < len(values):
            found.add(values[position].item())
            if len(found) > limit:
                return True
            # Jump to the next larger value: one binary search per distinct value, not one step per row.
            position = int(np.searchsorted(values, values[position], side="right"))
    return False
