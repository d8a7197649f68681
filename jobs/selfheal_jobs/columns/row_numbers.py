"""Recognises row numbers and numeric identifiers: integers that enumerate rows instead of measuring. Pure.

They differ between any two tables, so comparing them is a false alarm, and what a model learns from them is
not there when it predicts. Four observations identify them:

* Hardly any integer occurs twice, though random draws from as wide a range would have repeats. Of n draws
  from any distribution over R integers, all differ with a probability of at most exp(-n (n - 1) / (2 R)), the
  birthday bound: a uniform distribution has the fewest repeats (Wong and Yue, "A majorization theorem for the
  number of distinct outcomes in N independent trials", 1973). Where this is below one in a million, the
  column is no sample of measurements, whatever the order of its rows.
* The column is sorted on both sides, and all values of one side lie beyond those of the other.
* Its name says that it is an identifier, and no value occurs twice.
* It has the name that pandas or R gives to an index, and each row is mostly one more than the row before.

A sorted measurement has repeats, or ranges that overlap, or fractions: it is compared.
"""

import math
import re
from functools import cached_property
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from selfheal_jobs.columns.infer_kind import FEW_INTEGERS
from selfheal_jobs.tables.content import Content, Values

ROWS_LOOKED_AT: Final = 1 << 16
"""Sorting so many takes a millisecond. They expose identifiers of up to 150 million, in any order."""
_ROWS_FIRST: Final = 1 << 12
"""If most of so many repeat a value, more need not be looked at. A profile holds fewer distinct values."""
_CHANCE: Final = math.log(1e-6)
_LEAST_ROWS: Final = 20
_FEW_REPEATS: Final = 0.01
"""Share of rows that may repeat a value on a side that alone proves nothing."""

_ENUMERATED: Final = "row numbers or identifiers: hardly any integer occurs twice"
_GROWING: Final = "identifiers or times: sorted integers that move on from the reference to the current data"
_NAMED: Final = "identifiers, by the name: no integer occurs twice"
_INDEX: Final = "the index of a data frame: it counts the rows"

_INDEX_NAME: Final = re.compile(
    r"|Unnamed: \d+(\.\d+)*|__index_level_\d+__"
    r"|(level_\d+|index|row_?(s|names?|id|num(ber)?|no|nr)?)(\.\d+)?",
    re.IGNORECASE,
)
_IDENTIFIER_NAME: Final = re.compile(r"(.*[^a-zA-Z])?(id|ID|Id|uuid|UUID|guid|GUID)|.*[a-z0-9](Id|ID)")

Array = NDArray[Any]


class _Integers(Struct, frozen=True, dict=True):
    """The integers of one side."""

    content: Content
    values: Array

    @classmethod
    def of(cls, content: Content) -> "_Integers | None":
        """Return the integers of a column; None if it holds anything else, or declared categories."""
        if content.holds is not Values.NUMBERS or content.numbers is None or content.categorical:
            return None
        if len(content.numbers) < _LEAST_ROWS or not is_whole(content.numbers):
            return None
        return cls(content, content.numbers)

    @cached_property
    def looked_at(self) -> Array:
        """Return the first values, sorted: few of them if they show many repeats."""
        few = np.sort(self.values[:_ROWS_FIRST])
        return few if 2 * _repeats(few) > len(few) else np.sort(self.values[:ROWS_LOOKED_AT])

    @cached_property
    def repeats(self) -> int:
        """Return how many of the values looked at equal another one that is counted."""
        return _repeats(self.looked_at)

    @property
    def all_differ(self) -> bool:
        """Return whether no value occurs twice among those looked at."""
        return self.repeats == 0

    @property
    def hardly_any_repeats(self) -> bool:
        """Return whether next to no value occurs twice."""
        return self.repeats <= _FEW_REPEATS * len(self.looked_at)

    @cached_property
    def enumerates(self) -> bool:
        """Return whether there are fewer repeats than random draws would have."""
        distinct = len(self.looked_at) - self.repeats
        span = int(self.looked_at[-1]) - int(self.looked_at[0]) + 1
        return _log_chance_of_so_few(self.repeats, distinct * (distinct - 1) / (2 * span)) <= _CHANCE

    @cached_property
    def direction(self) -> int:
        """Return the direction in which the rows are sorted."""
        return direction(self.content)

    @cached_property
    def counts_rows(self) -> bool:
        """Return whether most rows are one more than the row before, as in parts that each count from 0."""
        steps = np.diff(self.values[:ROWS_LOOKED_AT])
        return not self.content.ascending and bool(2 * np.count_nonzero(np.abs(steps) == 1) >= len(steps))

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """Return the least and the greatest value."""
        return int(self.values.min()), int(self.values.max())


def _repeats(ascending: Array) -> int:
    return int(np.count_nonzero(ascending[1:] == ascending[:-1]))


def why_row_number(name: str, reference: Content, current: Content | None) -> str | None:
    """Return why a column is no measurement but a row number or an identifier; None if it may be one.

    Args:
        name: The column's name.
        reference: Its content in the reference.
        current: Its content in the current data; None if it cannot be compared there anyway.
    """
    before = _Integers.of(reference)
    now = None if current is None else _Integers.of(current)
    if before is None or (current is not None and now is None):
        return None
    if now is None:
        return _why_alone(name, before)
    return _why_of_name(name, before, now) or _why_of_values(before, now)


def needs_row_order(name: str, content: Content) -> bool:
    """Return whether the order of a column's rows may tell that it is a row number."""
    integers = _Integers.of(content)
    return integers is not None and (bool(_INDEX_NAME.fullmatch(name)) or integers.direction != 0)


def is_whole(numbers: Array) -> bool:
    """Return whether all numbers are integers, whatever their type."""
    if numbers.dtype.kind != "f":
        return True
    return all(bool((np.trunc(piece) == piece).all()) for piece in (numbers[:100], numbers))


def direction(content: Content) -> int:
    """Return 1 if the numbers never fall from row to row, -1 if they never rise, 0 otherwise.

    Also 0 if their order is not known, or if there are few distinct ones: those are categories.
    """
    numbers = content.numbers
    if numbers is None or content.ascending or not content.has_more_numbers_than(FEW_INTEGERS):
        return 0
    return _direction(numbers)


def _direction(numbers: Array) -> int:
    upward = numbers[0] < numbers[-1]
    for piece in (numbers[:1000], numbers):  # most columns are not sorted: the first rows show it
        lower, higher = (piece[:-1], piece[1:]) if upward else (piece[1:], piece[:-1])
        if (lower > higher).any():
            return 0
    return 1 if upward else -1


def _log_chance_of_so_few(repeats: int, expected: float) -> float:
    """Return Chernoff's bound for the logarithm of P(X <= repeats), if X has at least this mean.

    With x repeats allowed, the i-th draw meets one of at least i - 1 - x earlier values, so that the mean is
    (n - x) (n - x - 1) / (2 R) and the bound holds for x = 0 exactly as for independent draws.

    >>> _log_chance_of_so_few(0, 14.0), _log_chance_of_so_few(20, 14.0)
    (-14.0, 0.0)
    """
    if repeats >= expected:
        return 0.0
    return repeats - expected - (repeats * math.log(repeats / expected) if repeats else 0.0)


def _why_alone(name: str, side: _Integers) -> str | None:
    if _INDEX_NAME.fullmatch(name) and (side.all_differ or side.counts_rows):
        return _INDEX
    if side.enumerates:
        return _ENUMERATED
    return _NAMED if _IDENTIFIER_NAME.fullmatch(name) and side.all_differ else None


def _why_of_name(name: str, before: _Integers, now: _Integers) -> str | None:
    all_differ = before.all_differ and now.all_differ
    if _INDEX_NAME.fullmatch(name) and (all_differ or before.counts_rows or now.counts_rows):
        return _INDEX
    return _NAMED if _IDENTIFIER_NAME.fullmatch(name) and all_differ else None


def _why_of_values(before: _Integers, now: _Integers) -> str | None:
    apart = _are_apart(before, now)
    # A side without a repeat proves nothing where its range is wide; but it must not contradict the other.
    consistent = apart or (before.hardly_any_repeats and now.hardly_any_repeats)
    if consistent and (before.enumerates or now.enumerates):
        return _ENUMERATED
    return _GROWING if apart and _are_sorted(before, now) else None


def _are_apart(before: _Integers, now: _Integers) -> bool:
    """Return whether one side's values all lie beyond the other's; the last value may be shared."""
    return before.bounds[1] <= now.bounds[0] or now.bounds[1] <= before.bounds[0]


def _are_sorted(before: _Integers, now: _Integers) -> bool:
    """Return whether both sides are sorted, or one is and neither has repeats."""
    if before.direction and now.direction:
        return before.direction == now.direction
    return bool(before.direction or now.direction) and before.all_differ and now.all_differ
