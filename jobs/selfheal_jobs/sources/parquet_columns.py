"""Reads whole columns of a Parquet file on a volume, one at a time, as a check needs them."""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from selfheal_jobs.sources.parquet_files import ParquetReader

_ROWS: Final = 1 << 20
"""Rows per chunk of numbers: 8 MB. A column in a single chunk need not be concatenated."""
_ROWS_OF_WORDS: Final = 1 << 16
_BUFFER_BYTES: Final = 1 << 20


class ParquetColumns:
    """A file that stays open between columns: of a hundred columns, one is read in the time of opening."""

    def __init__(self, reader: ParquetReader) -> None:
        self._reader = reader
        self._opened: pq.ParquetFile | None = None

    def numbers(self, name: str) -> Iterator[pa.Array]:
        """Yield a column of numbers in the file's type."""
        return self._pieces(name, _ROWS)

    def words(self, name: str) -> Iterator[pa.Array]:
        """Yield a text column as dictionary arrays: decoding every value would take ten times longer."""
        return self._pieces(name, _ROWS_OF_WORDS)

    def close(self) -> None:
        """Close the file; the next read opens it again."""
        if self._opened is not None:
            self._opened.close(force=True)
            self._opened = None

    def _pieces(self, name: str, rows: int) -> Iterator[pa.Array]:
        if not self._reader.num_rows:
            return
        if self._opened is None:
            self._opened = self._open()
        # Threads do not speed up reading a single column.
        for batch in self._opened.iter_batches(rows, columns=[name], use_threads=False):
            values = batch.column(name)
            yield values.storage if isinstance(values, pa.ExtensionArray) else values

    def _open(self) -> Any:
        reader = self._reader
        texts = [
            each.name
            for each in reader.schema
            if pa.types.is_string(each.type) or pa.types.is_large_string(each.type)
        ]
        return pq.ParquetFile(
            reader.filesystem.open_input_file(reader.file.path),
            metadata=reader.metadata,
            read_dictionary=texts,
            pre_buffer=False,
            buffer_size=_BUFFER_BYTES,
        )
