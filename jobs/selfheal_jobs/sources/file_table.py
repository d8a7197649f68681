"""Opens the table in a set of files: in place if possible, otherwise by copying its rows to a spool."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pyarrow as pa
from pyarrow import fs

from selfheal_jobs.sources.arrow_types import as_categories, widened
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.collector import Collector
from selfheal_jobs.sources.csv_files import CsvReader
from selfheal_jobs.sources.damage import Guard
from selfheal_jobs.sources.file_set import FileSet, Reader
from selfheal_jobs.sources.listing import DataFile
from selfheal_jobs.sources.parquet_files import ParquetReader
from selfheal_jobs.sources.tables import ParquetTable, SourceTable, inexact
from selfheal_jobs.sources.tally import RowsRead
from selfheal_jobs.sources.text_types import TextTypes
from selfheal_jobs.sources.window_columns import with_timestamps

_HEADERS_AT_ONCE: Final = 8
"""Footers are read concurrently, since each takes two requests to an object store."""


def open_files(guard: Guard, files: Sequence[DataFile], asked: Asked, *, stays: bool) -> SourceTable:
    """Return the table in the files.

    If the files stay available and no rows are filtered out, columns are read on demand.

    Raises:
        DataError: A file is not a table, has changed since it was listed (DataUnreadable), or lacks the
            timestamps that its window needs (ColumnMissing).
    """
    found = FileSet(guard.place, _readers(guard, files), asked.text_columns)
    names = found.names()
    if not names:
        raise guard.place.unreadable("it is empty: it has not even a header. Check what writes this data.")
    wanted = [name for name in names if asked.columns.keeps(name)] or names[
        :1
    ]  # rows are counted in any case
    if stays and (table := _in_place(guard, found, wanted, asked)):
        return table
    text_types = TextTypes(wanted, asked.text_columns | found.declared_texts()) if found.is_text else None
    collector = Collector(asked, wanted, text_types, offered=names, place=guard.place)
    types = {} if found.is_text else found.types(wanted)
    if (rows := found.rows_promised()) is not None:
        collector.foresee(rows)
    read = with_timestamps(guard.place, wanted, names, asked.span)
    for reader in found.readers:
        with guard.over(reader.file):
            for batch in found.batches(reader, read, asked.span, collector.tally):
                collector.add(_widened(batch, types, reader, guard))
    guard.require_unchanged([reader.file for reader in found.readers])
    return collector.table(types)


def _in_place(guard: Guard, found: FileSet, wanted: Sequence[str], asked: Asked) -> ParquetTable | None:
    rows = found.rows_promised()
    if rows is None or asked.span is not None or (asked.max_rows is not None and rows > asked.max_rows):
        return None
    readers = [reader for reader in found.readers if isinstance(reader, ParquetReader)]
    if any(name not in reader.schema.names for reader in readers for name in wanted):  # a partition
        return None
    return ParquetTable(
        schema=as_categories(pa.schema(list(found.types(wanted).items())), asked.categorical),
        rows=RowsRead(kept=rows, counted=rows),
        readers=readers,
        guard=guard,
        offered=found.names(),
    )


def _widened(
    batch: pa.RecordBatch, types: Mapping[str, pa.DataType], reader: Reader, guard: Guard
) -> pa.RecordBatch:
    """Convert exact numbers to the floating-point numbers of other files, here where the file is known."""
    for at, name in enumerate(batch.schema.names):
        kind, own = types.get(name), batch.schema.field(at).type
        if kind is None or not pa.types.is_floating(kind) or pa.types.is_floating(own):
            continue
        try:
            batch = batch.set_column(at, name, widened(batch.column(at), kind))
        except pa.ArrowInvalid as error:
            raise guard.place.unreadable(f"{reader.file.name}: {inexact(name, kind)}") from error
    return batch


def _readers(guard: Guard, files: Sequence[DataFile]) -> list[Reader]:
    """Read all headers and footers, and leave out files without columns, which are empty."""
    if len(files) == 1 or isinstance(guard.filesystem, fs.LocalFileSystem):
        readers = [_reader(guard, file) for file in files]
    else:
        with ThreadPoolExecutor(_HEADERS_AT_ONCE) as pool:
            readers = list(pool.map(lambda file: _reader(guard, file), files))
    return [reader for reader in readers if reader.schema.names]


def _reader(guard: Guard, file: DataFile) -> Reader:
    kind = guard.place.source.format or file.format
    if kind is None:
        raise guard.place.unreadable(
            "its name does not say what it is. Set format to CSV or Parquet beside the uri."
        )
    with guard.over(file):
        reader: Reader = (
            CsvReader.open(guard.filesystem, file)
            if kind == "CSV"
            else ParquetReader.open(guard.filesystem, file)
        )
    counts = Counter(reader.schema.names)
    if twice := next((name for name, count in counts.items() if count > 1), None):
        raise guard.place.unreadable(f"its column {twice!r} appears twice. Rename one.")
    return reader
