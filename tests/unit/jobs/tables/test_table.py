from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from selfheal_jobs.tables.table import Table
from support.builders.arrow_tables import arrow_table


def table_of(columns: dict[str, Any]) -> Table:
    """Return the columns as a table in memory."""
    return arrow_table(pd.DataFrame(columns))


def test_a_table_tells_its_names_types_and_rows_before_it_is_read() -> None:
    """Enough to see which columns are missing."""
    table = table_of({"n": [1.5, None], "c": ["a", "b"], "i": [1, 2]})

    assert table.schema.names == ["n", "c", "i"]
    assert table.schema.field("i").type == pa.int64()
    assert table.num_rows == 2


def test_a_gap_is_null_whatever_pandas_wrote_there() -> None:
    """NaN among numbers and None among words are the same: no value."""
    table = table_of({"n": [1.0, np.nan], "c": ["a", None]})

    assert [table.column(name).null_count for name in ("n", "c")] == [1, 1]


def test_batches_hold_the_columns_that_were_asked_for_and_all_rows() -> None:
    """In the order of the names, not of the table."""
    batches = list(table_of({"a": [1, 2], "b": [3, 4], "c": [5, 6]}).batches(["c", "a"]))

    assert pa.Table.from_batches(batches).to_pydict() == {"c": [5, 6], "a": [1, 2]}


def test_a_column_that_is_not_there_is_a_key_error() -> None:
    """Of a whole column and of batches alike."""
    table = table_of({"a": [1]})

    with pytest.raises(KeyError):
        table.column("b")
    with pytest.raises(KeyError):
        list(table.batches(["b"]))


def test_objects_without_a_common_type_are_neither_numbers_nor_text() -> None:
    """They are kept apart from both, and a gap among them stays one."""
    column = table_of({"x": [1, "a", None]}).column("x")

    assert column.type == pa.binary()
    assert column.null_count == 1


def test_a_frame_without_columns_is_a_table() -> None:
    """A file without even a header is read as one."""
    assert arrow_table(pd.DataFrame()).num_rows == 0
