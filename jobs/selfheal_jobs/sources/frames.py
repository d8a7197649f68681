"""Tables as pandas holds them, for whoever learns from them."""

import pandas as pd
import pyarrow as pa

from selfheal_jobs.tables.table import Table


def frame(table: Table) -> pd.DataFrame:
    """Return a whole table as a frame: gaps among integers make floats of them, dates are timestamps."""
    columns = [table.column(name) for name in table.schema.names]
    # By names and arrays, not as a mapping: a table without columns is a table too.
    arrow = pa.Table.from_arrays(columns, names=table.schema.names)
    result: pd.DataFrame = arrow.to_pandas(ignore_metadata=True, date_as_object=False)
    return result
