"""Arrow's values as NumPy sees them, taken out of the buffers.

Not by `to_numpy`, which imports pandas, nor by Arrow's compute functions, whose import takes as long as
reading a table: a check of a Parquet file needs neither.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def plain_numbers(values: pa.Array) -> NDArray[Any]:
    """Return integers or floats without the gaps; if there are none, without a copy."""
    validity, data = values.buffers()
    if data is None:  # nothing but gaps
        return np.empty(0)
    end = values.offset + len(values)
    numbers = np.frombuffer(data, dtype=_dtype(values.type), count=end)[values.offset :]
    return numbers[_bits(validity, values)] if values.null_count else numbers


def booleans(values: pa.Array) -> NDArray[np.bool_]:
    """Return booleans without the gaps."""
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
