"""Conversion between tables and pandas data frames, for training."""

import pandas as pd
import pyarrow as pa

from selfheal_jobs.tables.table import ArrowTable, Table


def frame(table: Table) -> pd.DataFrame:
    """Return a table as a data frame: integers with gaps become floats, dates become timestamps."""
    arrow = ArrowTable.of(table).table
    result: pd.DataFrame = arrow.to_pandas(ignore_metadata=True, date_as_object=False)
    return result


def arrow_of(values: pd.Series) -> pa.ChunkedArray:
    """Convert a pandas column to Arrow.

    A column of objects without a common type becomes binary, which is neither numerical nor text.
    """
    try:
        array = pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        array = pa.array([None if value is None else repr(value).encode() for value in values], pa.binary())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
