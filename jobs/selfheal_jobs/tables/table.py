"""The interface between the readers of data and a check: a table of named columns.

A check never needs a whole table at once. It reads one column, from the reference and then from the current
data, and frees it before the next: it needs memory for a few columns, however many there are. A reader over
storage therefore reads only the schema and the number of rows until a column is requested. In numerical
columns NaN is a gap, as null is: code that computes with a column drops both.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol, Self, runtime_checkable

import pyarrow as pa
from msgspec import Struct


class Table(Protocol):
    """Rows of named columns, in an order that is the same each time they are read."""

    @property
    def schema(self) -> pa.Schema:
        """Return names and Arrow types in the data's order. Names are unique and not empty."""

    @property
    def num_rows(self) -> int:
        """Return the number of rows, gaps included."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a whole column of `num_rows` values, of the schema's type; gaps are null.

        Raises:
            KeyError: There is no such column.
            DataError: The stored data does not match the column's type.
        """

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield all rows as record batches with only these columns, in this order.

        Raises:
            KeyError: There is no such column.
            DataError: The stored data does not match the column's type.
        """


@runtime_checkable
class OffersColumns(Protocol):
    """A table that may not have all columns of its source."""

    @property
    def offered(self) -> Sequence[str]:
        """Return the names of all columns of the source, also of those that are not read."""


def offered_columns(table: Table) -> Sequence[str]:
    """Return the names of all columns of a table's source; a table in memory is its own source."""
    return table.offered if isinstance(table, OffersColumns) else table.schema.names


class ArrowTable(Struct, frozen=True):
    """A table in memory."""

    table: pa.Table

    @classmethod
    def of(cls, table: Table) -> Self:
        """Return an ArrowTable unchanged; read any other table into memory, each column once."""
        if isinstance(table, cls):
            return table
        columns = [table.column(name) for name in table.schema.names]
        # From arrays, not from a mapping, to allow a table without columns.
        return cls(pa.Table.from_arrays(columns, schema=table.schema))

    @property
    def schema(self) -> pa.Schema:
        """Return names and types."""
        return self.table.schema

    @property
    def num_rows(self) -> int:
        """Return how many rows there are."""
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column; raise KeyError if there is none."""
        return self.table.column(name)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the columns in their chunks in memory; raise KeyError if there is no such column."""
        yield from self.table.select(list(names)).to_batches()
