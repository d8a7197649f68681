"""Tables in memory, written as pandas writes them."""

import pandas as pd
import pyarrow as pa

from selfheal_jobs.retrain.frames import arrow_of
from selfheal_jobs.tables.table import ArrowTable


def arrow_table(frame: pd.DataFrame) -> ArrowTable:
    """Return a frame as Arrow holds it: NaN and None are null, the index is left out."""
    columns = {str(name): arrow_of(frame[name]) for name in frame.columns}
    # By names and arrays, not as a mapping: a frame without columns is a table too.
    return ArrowTable(pa.Table.from_arrays(list(columns.values()), names=list(columns)))
