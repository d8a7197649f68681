"""Rows of named columns: what a reader of data gives, and what a check takes.

A check never needs a whole table at once. It reads one column, from the reference and then from the current
data, and lets go of it before the next: what it needs of memory is a few columns, however many there are.
A reader over storage therefore opens no more than the schema and the number of rows until a column is asked
for. NaN among numbers is a gap as well as null is: whoever computes with a column drops both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import pyarrow as pa


class Table(Protocol):
    """Rows of named columns, in an order that is the same each time they are read."""

    @property
    def schema(self) -> pa.Schema:
        """Return names and Arrow types in the data's order. Names are unique and not empty."""

    @property
    def num_rows(self) -> int:
        """Return how many rows every column has, gaps included."""

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a whole column of `num_rows` values, of the type that the schema says; gaps are null.

        Raises:
            KeyError: There is no such column.
            DataError: What lies in storage is no such column after all.
        """

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield these columns only, in this order, a few rows at a time; all batches together are all rows.

        Raises:
            KeyError: There is no such column.
            DataError: What lies in storage is no such column after all.
        """


@dataclass(frozen=True, slots=True)
class ArrowTable:
    """A table that is in memory already."""

    table: pa.Table

    @classmethod
    def of(cls, table: Table) -> Self:
        """Return a table as it is, or read it whole, each column once."""
        if isinstance(table, cls):
            return table
        columns = [table.column(name) for name in table.schema.names]
        # By names and arrays, not as a mapping: a table without columns is a table too.
        return cls(pa.Table.from_arrays(columns, names=table.schema.names))

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
        """Yield the columns as they lie in memory; raise KeyError if there is no such column."""
        yield from self.table.select(list(names)).to_batches()
