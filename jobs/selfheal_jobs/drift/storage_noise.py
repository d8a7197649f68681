"""Removes differences that storage and arithmetic make: another precision, and noise on a few values. Pure.

Tests compare numbers for equality, exactly. A rate of 0.1 that one side stores as float32, or a constant that
one side computes to 1 +- 1e-7, would be a new value in every row.
"""

from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from selfheal_jobs.columns.scan import Compared
from selfheal_jobs.drift.methods.pair import Array
from selfheal_jobs.drift.methods.wasserstein import deviation
from selfheal_jobs.tables.content import Content
from selfheal_jobs.tables.distinct_count import distinct_count

MOST_VALUES: Final = 100
"""Each of more values has so few rows that noise on it moves no distribution function far."""
RELATIVE: Final = 1e-5
"""Noise is at most this share of the column's size: of 99 % of its values."""
_ABSOLUTE: Final = 1e-6
"""Noise is at least this where the values are not tiny themselves: a thousandth of the standard deviation
below which Evidently takes a column for a constant."""
_TINY: Final = 1e-3
_APART: Final = 10
"""Values are at least this many times further apart than the noise on them."""
_MOST: Final = 0.9
"""Share of rows that must be such values but for noise."""


def without_storage_noise(found: Compared) -> Compared:
    """Return both sides in one precision, without noise on few values; `found` itself if nothing changes."""
    if found.reference.numbers is None or found.current.numbers is None:
        return found
    return _without_noise(_in_one_precision(found))


def _in_one_precision(found: Compared) -> Compared:
    precision = found.precision
    if precision is None:
        return found
    sides = [_changed(side, precision.rounded(_numbers(side))) for side in (found.reference, found.current)]
    if sides[0] is found.reference and sides[1] is found.current:
        return found
    return replace(found, reference=sides[0], current=sides[1], compared_in=f"{precision}")


def _without_noise(found: Compared) -> Compared:
    """Replace noisy numbers of one side by the other side's few values."""
    reference, current = _numbers(found.reference), _numbers(found.current)
    if reference.dtype.kind != "f" and current.dtype.kind != "f":
        return found
    if _are_many(reference) and _are_many(current):
        return found
    one, other = _ascending(found.reference), _ascending(found.current)
    for exact, noisy in ((one, other), (other, one)):
        values = _few_values(exact)
        if values is None:
            continue
        tolerance = _tolerance(values, exact, noisy)
        if _is_noise(values, noisy, tolerance):
            return _snapped(found, values, tolerance)
    return found


def _snapped(found: Compared, values: Array, tolerance: float) -> Compared:
    sides = [
        _changed(side, _nearest(_numbers(side), values, tolerance))
        for side in (found.reference, found.current)
    ]
    said = f"steps of {tolerance:.0e}"
    compared_in = f"{found.compared_in} and {said}" if found.compared_in else said
    return replace(found, reference=sides[0], current=sides[1], compared_in=compared_in)


def _numbers(side: Content) -> Array:
    numbers: Any = side.numbers
    return numbers  # type: ignore[no-any-return]  # the caller has made sure that there are numbers


def _ascending(side: Content) -> Array:
    return _numbers(side) if side.ascending else np.sort(_numbers(side))


def _are_many(numbers: Array) -> bool:
    """Return whether the first numbers alone, in any order, are more than few; in most columns they are."""
    first = numbers[: 2 * MOST_VALUES]
    return distinct_count(first) > MOST_VALUES


def _few_values(ascending: Array) -> Array | None:
    """Return the distinct values; None if there are many. One binary search for each."""
    found = [ascending[0]]
    while len(found) <= MOST_VALUES:
        position = int(np.searchsorted(ascending, found[-1], side="right"))
        if position == len(ascending):
            return np.array(found, dtype=np.float64)
        found.append(ascending[position])
    return None


def _tolerance(values: Array, *sides: Array) -> float:
    size = max(abs(float(side[position])) for side in sides for position in _central(side))
    least = float(np.abs(values).max())
    return max(RELATIVE * size, _ABSOLUTE if least == 0 or least >= _TINY else 0.0)


def _central(side: Array) -> tuple[int, int]:
    """Return the positions between which 99 % of the numbers lie."""
    last = len(side) - 1
    return round(0.005 * last), round(0.995 * last)


def _is_noise(values: Array, noisy: Array, tolerance: float) -> bool:
    """Return whether most numbers are one of the values but for noise, and some are not it exactly."""
    if len(values) > 1 and float(np.diff(values).min()) <= _APART * tolerance:
        return False
    near = _rows_between(noisy, values - tolerance, values + tolerance)
    return near >= _MOST * len(noisy) and near > _rows_between(noisy, values, values)


def _rows_between(ascending: Array, low: Array, high: Array) -> int:
    ends = np.searchsorted(ascending, high, side="right")
    return int(np.sum(ends - np.searchsorted(ascending, low, side="left")))


def _nearest(numbers: Array, values: Array, tolerance: float) -> Array:
    nearest = values[np.searchsorted((values[1:] + values[:-1]) / 2, numbers)]
    return np.where(np.abs(numbers - nearest) <= tolerance, nearest, numbers)


def _changed(side: Content, numbers: Array) -> Content:
    """Return a side with other numbers in the same order, and what depends on them; itself if equal."""
    if np.array_equal(numbers, _numbers(side)):
        return side
    known = deviation(numbers) if side.ascending else None
    return replace(side, numbers=numbers, counts={}, deviation=known)
