"""The files of one table: their common columns and types, and their rows."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa
from msgspec import Struct

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.arrow_types import common_type
from selfheal_jobs.sources.csv_files import CsvReader
from selfheal_jobs.sources.parquet_files import ParquetReader
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.tally import Tally
from selfheal_jobs.sources.timespan import TimeSpan

Reader = CsvReader | ParquetReader

_WHOLE_NUMBER: Final = re.compile(r"-?\d{1,18}")
_TRUTH: Final = {"True", "TRUE", "true", "False", "FALSE", "false"}
"""As in the columns of a CSV file."""


class FileSet(Struct, frozen=True):
    """Files whose headers have been read."""

    place: Place
    readers: Sequence[Reader]
    text_columns: frozenset[str] = frozenset()
    """Partition columns that stay text even if all values look like numbers or booleans."""

    @property
    def is_text(self) -> bool:
        """Return whether all values are read as text first, because at least one file is CSV."""
        return any(isinstance(reader, CsvReader) for reader in self.readers)

    def names(self) -> list[str]:
        """Return the columns in the first file's order, partitions last.

        Raises:
            DataError: The files have different columns.
        """
        if not self.readers:
            return []
        first, *others = self.readers
        names = _names(first)
        for other in others:
            if differing := set(names) ^ set(_names(other)):
                name = min(differing)
                has, lacks = (first, other) if name in names else (other, first)
                raise self._differ(f"{has.file.name} has {name!r} and {lacks.file.name} has not")
        return names

    def _differ(self, how: str) -> DataError:
        return self.place.unreadable(
            f"its files must share their columns, but {how}. "
            f"Keep them in separate folders, or write them anew with one schema."
        )

    def types(self, names: Sequence[str]) -> dict[str, pa.DataType]:
        """Return the common types of all files.

        Raises:
            DataError: The types of a column in two files have no common type.
        """
        return {name: self._type(name) for name in names}

    def _type(self, name: str) -> pa.DataType:
        found = self._type_in(self.readers[0], name)
        for reader in self.readers[1:]:
            kind = self._type_in(reader, name)
            try:
                found = common_type([found, kind])
            except pa.ArrowException as error:
                files = f"{self.readers[0].file.name} and {reader.file.name}"
                raise self._differ(f"{files} hold {name!r} as {found} and {kind}") from error
        return found

    def _type_in(self, reader: Reader, name: str) -> pa.DataType:
        return reader.schema.field(name).type if name in reader.schema.names else self._partition_type(name)

    def _partition_type(self, name: str) -> pa.DataType:
        if name in self.text_columns:
            return pa.string()
        values = {reader.file.partitions.get(name) for reader in self.readers} - {None}
        whole = all(_WHOLE_NUMBER.fullmatch(value) for value in values if value is not None)
        if values and whole:
            return pa.int64()
        return pa.bool_() if values and values <= _TRUTH else pa.string()

    def declared_texts(self) -> frozenset[str]:
        """Return the columns that a Parquet file declares to be text: their digits are no numbers."""
        readers = [reader for reader in self.readers if isinstance(reader, ParquetReader)]
        return frozenset(field.name for reader in readers for field in reader.schema if _is_text(field.type))

    def rows_promised(self) -> int | None:
        """Return the total number of rows according to the files' metadata; None without such metadata."""
        counts = [reader.num_rows for reader in self.readers if isinstance(reader, ParquetReader)]
        return sum(counts) if len(counts) == len(self.readers) else None

    def batches(
        self, reader: Reader, names: Sequence[str], span: TimeSpan | None, tally: Tally
    ) -> Iterator[pa.RecordBatch]:
        """Yield these columns of a file, including partition columns; skip partitions outside the span."""
        if span is not None and self._is_outside(reader, span):
            tally.has_times = True
            return
        own = [name for name in names if name in reader.schema.names]
        found = reader.batches(own, span, tally) if isinstance(reader, ParquetReader) else reader.batches(own)
        for batch in found:
            columns = [
                batch.column(own.index(name)) if name in own else self._constant(reader, name, batch.num_rows)
                for name in names
            ]
            yield pa.RecordBatch.from_arrays(
                [_text(column) for column in columns] if self.is_text else columns, names=list(names)
            )

    def _is_outside(self, reader: Reader, span: TimeSpan) -> bool:
        if span.column in reader.schema.names or reader.file.partitions.get(span.column) is None:
            return False
        # Imported here: Arrow's functions take 0.03 s, and most checks have no window.
        from selfheal_jobs.sources.time_sorting import sort_by_time  # noqa: PLC0415

        found = sort_by_time(pa.array([reader.file.partitions[span.column]], pa.string()), span)
        return not (found.unreadable or found.inside[0].as_py())  # rows without a time are counted

    def _constant(self, reader: Reader, name: str, rows: int) -> pa.Array:
        value = pa.scalar(reader.file.partitions[name], pa.string())
        kind = pa.string() if self.is_text else self._partition_type(name)
        return pa.repeat(value.cast(kind), rows)


def _names(reader: Reader) -> list[str]:
    own = list(reader.schema.names)
    return own + [name for name in reader.file.partitions if name not in own]


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _text(values: pa.Array) -> pa.Array:
    """Convert values to text: types of CSV files next to a Parquet file are inferred from all values."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values if pa.types.is_string(values.type) else values.cast(pa.string())
