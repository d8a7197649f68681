"""The precision in which both sides of a column are stored: float16, float32, or a number of decimals. Pure.

0.1 as float32 is another number than 0.1 as float64. Where the two sides are stored in different precisions,
both are compared in the coarser one: finer digits of one side differ from the other's by how they are stored.
"""

from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[Any]

_BITS: Final = {16: "half precision", 32: "single precision"}


class Precision(Struct, frozen=True):
    """What a type can tell apart; both None for float64 and integers."""

    bits: int | None = None
    """16 or 32, if it is a floating-point type narrower than float64."""
    decimals: int | None = None
    """Digits after the decimal point, if it is a decimal type."""

    @classmethod
    def of(cls, kind: pa.DataType) -> Self:
        """Return the precision of an Arrow type."""
        if pa.types.is_dictionary(kind):
            return cls.of(kind.value_type)
        if pa.types.is_decimal(kind):
            return cls(decimals=max(kind.scale, 0))
        return cls(bits=kind.bit_width) if pa.types.is_float16(kind) or pa.types.is_float32(kind) else cls()

    def __str__(self) -> str:
        decimals = [] if self.decimals is None else [f"{self.decimals} decimals"]
        return " and ".join(decimals + ([] if self.bits is None else [_BITS[self.bits]]))

    def rounded(self, numbers: Array) -> Array:
        """Return numbers in this precision, as float64; those too large for it stay as they are."""
        if self.decimals is not None:
            numbers = np.round(numbers.astype(np.float64, copy=False), self.decimals)
        if self.bits is not None:
            with np.errstate(over="ignore"):
                narrow = numbers.astype(f"f{self.bits // 8}").astype(np.float64)
            numbers = np.where(np.isfinite(narrow), narrow, numbers)
        return numbers


def coarser(reference: pa.DataType, current: pa.DataType) -> Precision | None:
    """Return the precision that both types have; None if they need not be rounded.

    Integers and decimals stay apart: a fraction is no storage error of an integer.
    """
    one, other = Precision.of(reference), Precision.of(current)
    if one == other or _is_integer_beside_decimals(reference, current):
        return None
    bits = min((each.bits for each in (one, other) if each.bits is not None), default=None)
    decimals = min((each.decimals for each in (one, other) if each.decimals is not None), default=None)
    return Precision(bits, decimals)


def _is_integer_beside_decimals(*kinds: pa.DataType) -> bool:
    return any(map(pa.types.is_integer, kinds)) and any(map(pa.types.is_decimal, kinds))
