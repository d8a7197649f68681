"""Reads the requested columns of Parquet files, and skips row groups outside the window."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct
from pyarrow import fs

from selfheal_jobs.sources.arrow_types import plain
from selfheal_jobs.sources.listing import DataFile
from selfheal_jobs.sources.tally import Tally
from selfheal_jobs.sources.timespan import TimeSpan

_BATCH_ROWS: Final = 1 << 16
_BATCH_VALUES: Final = 1 << 18
"""Values per batch, all columns together: 2 MB of numbers, for five columns as for five hundred."""
_STREAM_BYTES: Final = 8 << 20
"""Read buffers of all columns together, for streamed pages."""
_AHEAD_BYTES: Final = 32 << 20
"""Row groups up to this size are fetched in a few large requests, for the latency of object stores. Larger
ones are streamed page by page: the only row group of a file is as large as the file."""
_PANDAS_INDEX: Final = re.compile(r"__index_level_\d+__")
_UNITS: Final = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}


class ParquetReader(Struct, frozen=True):
    """A Parquet file whose footer has been read."""

    filesystem: fs.FileSystem
    file: DataFile
    metadata: pq.FileMetaData
    schema: pa.Schema
    """Normalised types, without pandas metadata about its index."""

    @classmethod
    def open(cls, filesystem: fs.FileSystem, file: DataFile) -> "ParquetReader":
        """Read the footer.

        Raises:
            pa.ArrowInvalid, OSError: The file does not exist or is not a Parquet file.
        """
        with filesystem.open_input_file(file.path) as content, pq.ParquetFile(content) as parquet:
            fields = [
                pa.field(each.name, plain(each.type))
                for each in parquet.schema_arrow
                if not _PANDAS_INDEX.fullmatch(each.name)
            ]
            return cls(filesystem, file, parquet.metadata, pa.schema(fields))

    @property
    def num_rows(self) -> int:
        """Return the number of rows in the footer."""
        return int(self.metadata.num_rows)

    def batches(
        self, names: Sequence[str], span: TimeSpan | None = None, tally: Tally | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield these columns, in this order, without the row groups that lie outside the span."""
        groups = self._row_groups(span, tally)
        if not groups:
            return
        ahead = self._largest(groups) <= _AHEAD_BYTES
        options: dict[str, Any] = (
            {"pre_buffer": True} if ahead else {"pre_buffer": False, "buffer_size": _share(len(names))}
        )
        with (
            self.filesystem.open_input_file(self.file.path) as content,
            pq.ParquetFile(content, metadata=self.metadata, **options) as parquet,
        ):
            rows = min(_BATCH_ROWS, max(_BATCH_VALUES // len(names), 1024))
            for batch in parquet.iter_batches(rows, row_groups=groups, columns=list(names)):
                yield self._as_promised(batch, names)

    def _as_promised(self, batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
        wanted = [(name, self.schema.field(name).type) for name in names]
        columns = [_cast(batch.column(name), kind) for name, kind in wanted]
        return pa.RecordBatch.from_arrays(columns, schema=pa.schema(wanted))

    def _largest(self, groups: Sequence[int]) -> int:
        return max(int(self.metadata.row_group(group).total_byte_size) for group in groups)

    def _row_groups(self, span: TimeSpan | None, tally: Tally | None) -> list[int]:
        groups = range(self.metadata.num_row_groups)
        if span is None or tally is None or not groups:
            return list(groups)
        paths = [each.path_in_schema for each in _columns(self.metadata)]
        if span.column not in paths:  # a column of lists has another path
            return list(groups)
        index = paths.index(span.column)
        unit = _unit(self.metadata.schema.column(index), self.schema.field(span.column).type)
        if unit is None:
            return list(groups)
        bounds = span.bounds(unit)
        return [group for group in groups if not self._is_outside(group, index, bounds, tally)]

    def _is_outside(self, group: int, index: int, bounds: tuple[int, int], tally: Tally) -> bool:
        """Return whether the statistics exclude the row group from the span; if so, count its rows."""
        found = self.metadata.row_group(group)
        statistics = found.column(index).statistics
        if statistics is None or not statistics.has_min_max or not statistics.has_null_count:
            return False
        after, until = bounds
        if statistics.max_raw > after and statistics.min_raw <= until:
            return False
        tally.unreadable += statistics.null_count
        tally.has_times = True
        return True


def _share(columns: int) -> int:
    """Return the buffer size of one column: small in total, but large enough to avoid tiny requests."""
    return min(max(_STREAM_BYTES // columns, 128 << 10), 8 << 20)


def _columns(metadata: pq.FileMetaData) -> Iterator[Any]:
    first = metadata.row_group(0)
    return (first.column(index) for index in range(first.num_columns))


def _unit(column: Any, kind: pa.DataType) -> str | None:
    """Return the time unit of a column's statistics; None if they are not times."""
    if not pa.types.is_timestamp(kind) or column.physical_type != "INT64":
        return None
    said = json.loads(column.logical_type.to_json())
    return _UNITS.get(said.get("timeUnit", ""))


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    return values if values.type.equals(kind) else values.cast(kind)
