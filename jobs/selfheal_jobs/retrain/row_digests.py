"""Digests of rows and of their values, by which equal rows are recognised across tables. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal_jobs.retrain.plain_values import plain_values

Digests = NDArray[np.uint64]

VERSION: Final = 2
"""Of the digests: those of another version are of other values."""

_NUMBERS: Final = frozenset({"boolean", "integer", "floating", "mixed-integer-float", "decimal", "empty"})
_STEP: Final = np.uint64(2)
_GAP: Final = np.uint64(0x9E3779B97F4A7C15)
_LIMIT_OF_INTEGERS: Final = 2.0**63
_FLOAT32: Final = np.finfo(np.float32)


def digests(rows: pd.DataFrame, columns: Sequence[str]) -> Digests:
    """Return a digest of each row: equal for equal values, whatever type a file stores them in.

    It is the sum of the digests of its values: without a column, it is less by those of the column.
    """
    whole = np.zeros(len(rows), dtype=np.uint64)
    for number, name in enumerate(columns):
        whole += of_values(rows[name], number)
    return whole


def of_values(values: pd.Series, number: int) -> Digests:
    """Return a digest of each value of a column, another one for the same value in another column.

    Args:
        values: The values.
        number: The position of the column among those of the row.
    """
    values = plain_values(values)
    gaps = values.isna().to_numpy()
    numbers = _as_numbers(values)
    if numbers is None:
        plain = values.astype("object").where(~gaps, "").map(str)
        gaps = (plain == "").to_numpy()  # an empty field of a CSV file
    else:
        plain = pd.Series(_bits(numbers))
    found = pd.util.hash_pandas_object(plain, index=False).to_numpy().astype(np.uint64)
    found[gaps] = _GAP
    return found * (_STEP * np.uint64(number) + np.uint64(1))


def _as_numbers(values: pd.Series) -> pd.Series | None:
    """Return numbers, decimals and booleans as a column of numbers; None if they are anything else."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    holds = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
    return values.astype("float64") if holds in _NUMBERS else None


def _bits(numbers: pd.Series) -> NDArray[np.int64]:
    """Return integers that are equal for equal numbers, and anything for gaps.

    A fraction counts as the float32 next to it: a file may store it in either precision. An integer is exact,
    whether it is stored as an integer or as a float.
    """
    if pd.api.types.is_integer_dtype(numbers.dtype):
        kind = "uint64" if pd.api.types.is_unsigned_integer_dtype(numbers.dtype) else "int64"
        return numbers.fillna(0).to_numpy(kind).view(np.int64)
    found = numbers.to_numpy("float64", na_value=np.nan)
    coarse = ~_is_whole(found) & _fits_in_float32(found)
    found = np.where(coarse, np.where(coarse, found, 0).astype(np.float32), found)
    whole = _is_whole(found)  # above 2**23 every float32 is
    return np.where(whole, np.where(whole, found, 0).astype(np.int64), found.view(np.int64))


def _is_whole(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = (np.floor(numbers) == numbers) & (np.abs(numbers) < _LIMIT_OF_INTEGERS)
    return whole


def _fits_in_float32(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    size = np.abs(numbers)
    fits: NDArray[np.bool_] = (size >= _FLOAT32.tiny) & (size <= _FLOAT32.max)
    return fits
