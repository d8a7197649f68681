"""Integers beyond 2**53, which float64 would round to other integers. Pure."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MOST_EXACT: Final = 2**53
"""Up to this size float64 holds every integer."""
_MOST_SIGNED: Final = 2**63 - 1

_Array = NDArray[Any]


class RoundedIntegersError(Exception):
    """Integers are compared with floating-point numbers that cannot hold them."""


def is_exact_in_float64(integers: _Array) -> bool:
    """Return whether float64 holds all these integers."""
    return not len(integers) or bool(integers.min() >= -MOST_EXACT and integers.max() <= MOST_EXACT)


def integers_of(decimals: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals without a fraction as int64 if float64 would round them; otherwise as float64."""
    if decimals.type.scale <= 0:
        try:
            integers = decimals.cast(pa.int64())
        except pa.ArrowInvalid:  # more than 64 bits
            return decimals.cast(pa.float64())
        try:
            return integers.cast(pa.float64())
        except pa.ArrowInvalid:
            return integers
    return decimals.cast(pa.float64())


def aligned(one: _Array, other: _Array) -> tuple[_Array, _Array]:
    """Return both sides' numbers in types that NumPy compares without rounding an integer.

    Raises:
        RoundedIntegersError: One side has integers beyond 2**53, and the other may have rounded its own.
    """
    return (_as_integers(one), _as_integers(other)) if _rounds(one, other) else (one, other)


def _rounds(one: _Array, other: _Array) -> bool:
    """Return whether NumPy would round an integer to compare the two."""
    if one.dtype == other.dtype or np.result_type(one, other).kind != "f":
        return False
    return any(each.dtype.kind in "iu" and not is_exact_in_float64(each) for each in (one, other))


def _as_integers(numbers: _Array) -> _Array:
    """Return the numbers as int64; raise RoundedIntegersError where one may have been rounded."""
    if numbers.dtype.kind == "f":
        exact = np.abs(numbers) < MOST_EXACT  # 2**53 itself may have been 2**53 + 1
        if not (exact.all() and (numbers % 1 == 0).all()):
            raise RoundedIntegersError
    elif numbers.max() > _MOST_SIGNED:
        raise RoundedIntegersError
    return numbers.astype(np.int64)
