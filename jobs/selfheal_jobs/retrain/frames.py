"""Conversion between tables and pandas data frames, for training."""

from typing import Final

import pandas as pd
import pyarrow as pa

from selfheal_jobs.tables.arrow_buffers import plain_numbers
from selfheal_jobs.tables.exact_integers import integers_of, is_exact_in_float64
from selfheal_jobs.tables.table import ArrowTable, Table


def frame(table: Table) -> pd.DataFrame:
    """Return a table as a data frame: integers with gaps become floats, dates become timestamps.

    Integers that a float would round stay integers, with gaps as pandas' nullable Int64.
    """
    arrow = ArrowTable.of(table).table
    for at, field in enumerate(arrow.schema):
        if pa.types.is_decimal(field.type) and field.type.scale <= 0:
            values = integers_of(arrow.column(at))
            arrow = arrow.set_column(at, pa.field(field.name, values.type), values)
    result: pd.DataFrame = arrow.to_pandas(ignore_metadata=True, date_as_object=False)
    for at, field in enumerate(arrow.schema):
        if pa.types.is_integer(field.type) and _is_rounded_by_gaps(arrow.column(at)):
            result[field.name] = arrow.column(at).to_pandas(types_mapper=_NULLABLE.get)
    return result


_NULLABLE: Final = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}


def _is_rounded_by_gaps(integers: pa.ChunkedArray) -> bool:
    """Return whether pandas would make floats of these integers that are other numbers."""
    return integers.null_count > 0 and not all(
        is_exact_in_float64(plain_numbers(chunk)) for chunk in integers.chunks
    )


def arrow_of(values: pd.Series) -> pa.ChunkedArray:
    """Convert a pandas column to Arrow.

    A column of objects without a common type becomes binary, which is neither numerical nor text.
    """
    try:
        array = pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        array = pa.array([None if value is None else repr(value).encode() for value in values], pa.binary())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
