"""Tables as pandas holds them, for models that learn from them."""

import pandas as pd
import pyarrow as pa

from selfheal_jobs.tables.table import ArrowTable, Table


def frame(table: Table) -> pd.DataFrame:
    """Return a whole table as a frame: gaps among integers make floats of them, dates are timestamps."""
    arrow = ArrowTable.of(table).table
    result: pd.DataFrame = arrow.to_pandas(ignore_metadata=True, date_as_object=False)
    return result


def arrow_of(values: pd.Series) -> pa.ChunkedArray:
    """Return a pandas column as Arrow holds it.

    A column of objects that share no type becomes binary: neither numbers nor text, as it was.
    """
    try:
        array = pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        array = pa.array([None if value is None else repr(value).encode() for value in values], pa.binary())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
