"""Tables over storage: one over the rows of a spool, one directly over Parquet files on a volume."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Protocol, runtime_checkable

import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.arrow_types import widened
from selfheal_jobs.sources.damage import Guard
from selfheal_jobs.sources.parquet_columns import ParquetColumns
from selfheal_jobs.sources.parquet_files import ParquetReader
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.sampling import Flags
from selfheal_jobs.sources.spool import Spool
from selfheal_jobs.sources.tally import RowsRead
from selfheal_jobs.sources.text_types import InexactError, Spelling, parsed
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason

_KEPT_OPEN: Final = 16
"""With more files, each file is reopened for every column: a process may have a thousand files open."""


class SourceTable(Table, Protocol):
    """A table that knows what was read of its source, and what was left out."""

    @property
    def rows(self) -> RowsRead:
        """Return how many rows were read, and how many were left out for which reason."""

    @property
    def offered(self) -> Sequence[str]:
        """Return the names of all columns of the source, also of those that are not read."""


@runtime_checkable
class StoresTexts(Protocol):
    """A table that keeps the texts of a CSV file whatever types were inferred from them."""

    def texts(self, name: str) -> pa.ChunkedArray | None:
        """Return a column as it is written, with its leading zeros; None if it was not read as text."""


class StoredTable(Struct, frozen=True, kw_only=True):
    """A table of rows in a spool."""

    schema: pa.Schema
    rows: RowsRead
    spool: Spool
    flags: Sequence[Flags]
    """For each batch of the spool, which of its rows belong to the table."""
    spellings: Mapping[str, Spelling]
    """The types of the columns that are stored as text."""
    offered: Sequence[str] = ()
    place: Place | None = None
    """For messages about values that do not fit the type of their column."""

    @property
    def num_rows(self) -> int:
        """Return how many rows there are."""
        return self.rows.kept

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column; raise KeyError if there is none."""
        return _whole_column(self, name)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the columns as they were read; raise KeyError if there is no such column."""
        _require(self.schema, names)
        schema = pa.schema([self.schema.field(name) for name in names])
        for index, flags in enumerate(self.flags):
            batch = self.spool.batch(index, names)
            if not flags.all():
                batch = batch.filter(pa.array(flags))
            if batch.num_rows:
                columns = [self._presented(batch.column(at), name) for at, name in enumerate(names)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def texts(self, name: str) -> pa.ChunkedArray | None:
        """Return a column as it is written; None if it was not read as text."""
        if name not in self.spellings:
            return None
        spellings = {**self.spellings, name: Spelling.TEXT}
        place = self.schema.get_field_index(name)
        schema = self.schema.set(place, pa.field(name, pa.string()))
        return _whole_column(replace(self, schema=schema, spellings=spellings), name)

    def _presented(self, values: pa.Array, name: str) -> pa.Array:
        try:
            if name in self.spellings:
                values = parsed(values, self.spellings[name])
            return presented(values, self.schema.field(name).type)
        except (InexactError, pa.ArrowInvalid) as error:
            where = f"{self.place.field}: " if self.place else ""
            kind = self.schema.field(name).type
            raise DataError(Reason.DATA_UNREADABLE, f"{where}{inexact(name, kind)}") from error


class ParquetTable(Struct, frozen=True, kw_only=True, dict=True):
    """All rows of Parquet files on a volume; columns are read on demand."""

    schema: pa.Schema
    rows: RowsRead
    readers: Sequence[ParquetReader]
    guard: Guard
    offered: Sequence[str] = ()

    @property
    def num_rows(self) -> int:
        """Return how many rows there are."""
        return self.rows.kept

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column; raise KeyError if there is none."""
        _require(self.schema, [name])
        kind = self.schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return _whole_column(self, name)
        return pa.chunked_array(self._pieces(lambda columns: columns.numbers(name), name), kind)

    def words(self, name: str) -> Iterator[pa.Array]:
        """Yield a text column as dictionary arrays; raise KeyError if there is no such column."""
        _require(self.schema, [name])
        return self._pieces(lambda columns: columns.words(name))

    def _pieces(
        self, read: Callable[[ParquetColumns], Iterator[pa.Array]], numbers: str | None = None
    ) -> Iterator[pa.Array]:
        """Yield what is read of each file; numbers in the type of the schema."""
        for reader, columns in zip(self.readers, self._columns, strict=True):
            with self.guard.over(reader.file):
                if numbers is None:
                    yield from read(columns)
                else:
                    yield from (self._fitted(values, numbers, reader) for values in read(columns))
                if len(self.readers) > _KEPT_OPEN:
                    columns.close()
            self.guard.require_unchanged([reader.file])

    @cached_property
    def _columns(self) -> Sequence[ParquetColumns]:
        return [ParquetColumns(reader) for reader in self.readers]

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the columns batch by batch from the files; raise KeyError if there is no such column."""
        _require(self.schema, names)
        schema = pa.schema([self.schema.field(name) for name in names])
        for reader in self.readers:
            with self.guard.over(reader.file):
                for batch in reader.batches(names):
                    columns = [self._fitted(batch.column(at), name, reader) for at, name in enumerate(names)]
                    yield pa.RecordBatch.from_arrays(columns, schema=schema)
            self.guard.require_unchanged([reader.file])

    def _fitted(self, values: pa.Array, name: str, reader: ParquetReader) -> pa.Array:
        """Return values of a file in the type of the schema."""
        kind = self.schema.field(name).type
        if values.type.equals(kind):
            return values
        try:
            return presented(values, kind)
        except pa.ArrowInvalid as error:
            raise self.guard.place.unreadable(f"{reader.file.name}: {inexact(name, kind)}") from error


def inexact(name: str, kind: pa.DataType) -> str:
    """Return what is wrong with a column that has values which its type would round."""
    return (
        f"the column {name[:100]!r} has values that the common type of all its parts, {kind}, cannot hold "
        f"exactly: floating-point numbers would round integers beyond 2**53. Write it as integers, or as "
        f"text, throughout."
    )


def presented(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Convert values to the type in the table's schema, which may be a dictionary type."""
    if pa.types.is_dictionary(kind):
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        return widened(values, kind.value_type).dictionary_encode()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if values.type.equals(kind) else widened(values, kind)


def _whole_column(table: Table, name: str) -> pa.ChunkedArray:
    _require(table.schema, [name])
    chunks = [each.column(0) for each in table.batches([name])]
    return pa.chunked_array(chunks, table.schema.field(name).type)


def _require(schema: pa.Schema, names: Sequence[str]) -> None:
    for name in names:
        if name not in schema.names:
            raise KeyError(name)
