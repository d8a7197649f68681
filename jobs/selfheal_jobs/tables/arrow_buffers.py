"""Converts Arrow arrays to NumPy arrays directly from their buffers.

`to_numpy` would import pandas, and importing Arrow's compute functions takes as long as reading a table: a
check of a Parquet file needs neither.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def plain_numbers(values: pa.Array) -> NDArray[Any]:
    """Return integers or floats without the nulls; without a copy if there are none."""
    validity, data = values.buffers()
    if data is None:  # all values are null
        return np.empty(0)
    end = values.offset + len(values)
    numbers = np.frombuffer(data, dtype=_dtype(values.type), count=end)[values.offset :]
    return numbers[_bits(validity, values)] if values.null_count else numbers


def slots(values: pa.Array) -> NDArray[Any]:
    """Return integers or floats as they are stored, without a copy; what stands for a null is undefined."""
    data = values.buffers()[1]
    if data is None:
        return np.empty(0)
    return np.frombuffer(data, dtype=_dtype(values.type), count=values.offset + len(values))[values.offset :]


def characters(texts: pa.Array) -> bytes:
    """Return the texts of a string array one after the other."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return b""
    ends = np.frombuffer(offsets, dtype=np.int32, count=texts.offset + len(texts) + 1)
    return bytes(memoryview(data)[ends[texts.offset] : ends[-1]])


def booleans(values: pa.Array) -> NDArray[np.bool_]:
    """Return booleans without the nulls."""
    validity, data = values.buffers()
    if data is None:
        return np.empty(0, dtype=np.bool_)
    found = _bits(data, values)
    return found[_bits(validity, values)] if values.null_count else found


def _bits(buffer: pa.Buffer, values: pa.Array) -> NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(buffer, dtype=np.uint8), bitorder="little")
    return bits[values.offset : values.offset + len(values)].view(np.bool_)


def _dtype(kind: pa.DataType) -> np.dtype[Any]:
    if pa.types.is_float64(kind):
        return np.dtype(np.float64)
    return np.dtype(f"{'u' if pa.types.is_unsigned_integer(kind) else 'i'}{kind.bit_width // 8}")
