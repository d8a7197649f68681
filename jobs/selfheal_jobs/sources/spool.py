"""Stores record batches: in memory up to a limit, then in a temporary file deleted with the process.

The file is memory-mapped: a requested column comes from the page cache. The kernel reclaims the page cache
when memory is short, so it does not count against the container's limit as its own memory.
"""

import mmap
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import IO, Final

import pyarrow as pa
from msgspec import Struct

IN_MEMORY_BYTES: Final = 32 << 20
"""Up to this size no file is written: most data sets are smaller."""
_BATCH_ROWS: Final = 1 << 13
_ALIGNMENT: Final = 64


class _Stored(Struct, frozen=True):
    """A batch in the file."""

    schema: pa.Schema
    rows: int
    start: int
    length: int


class Spool:
    """An append-only list of record batches, whose schemas may differ."""

    def __init__(self, in_memory_bytes: int = IN_MEMORY_BYTES) -> None:
        self._limit = in_memory_bytes
        self._loose: list[pa.RecordBatch] = []
        self._loose_rows = 0
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._stored: list[_Stored] = []
        self._file: IO[bytes] | None = None
        self._end = 0
        self._map: pa.Buffer | None = None

    def lengths(self) -> list[int]:
        """Return the number of rows of each batch; call it only after the last append."""
        self._gather()
        return [stored.rows for stored in self._stored] + [batch.num_rows for batch in self._held]

    def types(self, name: str) -> Iterator[pa.DataType]:
        """Yield a column's types, batch by batch."""
        yield from (stored.schema.field(name).type for stored in self._stored)
        yield from (batch.schema.field(name).type for batch in self._held)

    def append(self, batch: pa.RecordBatch) -> None:
        """Append a batch. Dictionary arrays are decoded, because each batch has its own dictionary."""
        self._loose.append(_decoded(batch))
        self._loose_rows += batch.num_rows
        if self._loose_rows >= _BATCH_ROWS or batch.schema != self._loose[0].schema:
            self._gather()

    def _gather(self) -> None:
        """Concatenate small batches: each column of each batch has an overhead of some hundred bytes."""
        for _, batches in groupby(self._loose, key=lambda batch: batch.schema):
            batch = pa.concat_batches(list(batches))
            self._held.append(batch)
            self._held_bytes += batch.nbytes
        self._loose, self._loose_rows = [], 0
        if self._held_bytes > self._limit:
            for each in self._held:
                self._store(each)
            self._held, self._held_bytes, self._limit = [], 0, 0

    def _store(self, batch: pa.RecordBatch) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="selfheal-")  # noqa: SIM115  lives as long as we do
            weakref.finalize(self, self._file.close)
        content = batch.serialize()
        self._file.write(content)
        self._stored.append(_Stored(batch.schema, batch.num_rows, self._end, content.size))
        padding = -content.size % _ALIGNMENT
        self._file.write(bytes(padding))
        self._end += content.size + padding

    def batch(self, index: int, names: Sequence[str]) -> pa.RecordBatch:
        """Return these columns of a batch."""
        if index >= len(self._stored):
            return self._held[index - len(self._stored)].select(list(names))
        stored = self._stored[index]
        content = self._mapped().slice(stored.start, stored.length)
        return pa.ipc.read_record_batch(content, stored.schema).select(list(names))

    def _mapped(self) -> pa.Buffer:
        if self._map is None:
            if self._file is None:
                raise ValueError("nothing was stored")
            self._file.flush()
            self._map = pa.py_buffer(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
        return self._map


def _decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    arrays = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)
