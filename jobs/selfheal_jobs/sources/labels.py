"""Joins labels that arrive later to the rows of the current data."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from selfheal_jobs.errors import DataError
from selfheal_jobs.similar_names import did_you_mean
from selfheal_jobs.sources.join_keys import KeyTypes, keys_of, told_keys, told_types
from selfheal_jobs.sources.tally import NO_ROWS, JoinCounts, RowsRead
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason

_KEYS_AT_ONCE = 1 << 20
"""Chunk size of the lookup; it is large because each chunk hashes the keys of the current data again."""
_EXAMPLES = 1_000
"""Keys that are looked at if no label matches a row: the answer is for a message only."""


class LabelledTable(Struct, frozen=True):
    """The rows of the current data that have a label, with the label as one more column."""

    current: Table
    target: str
    labels: pa.ChunkedArray
    """One label per row of this table."""
    chosen: pa.ChunkedArray
    """Boolean mask of these rows in `current`."""
    counts: JoinCounts
    offered: Sequence[str] = ()
    """All columns of the current data, and the label."""
    rows: RowsRead = NO_ROWS
    """Row counts of the current data that is old enough for labels."""

    @property
    def schema(self) -> pa.Schema:
        """Return the columns of the current data and the label, which replaces one in the data itself."""
        fields = [field for field in self.current.schema if field.name != self.target]
        return pa.schema([*fields, pa.field(self.target, self.labels.type)])

    @property
    def num_rows(self) -> int:
        """Return how many rows have a label."""
        return self.counts.labelled

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column of the rows that have a label; raise KeyError if there is none."""
        return self.labels if name == self.target else self.current.column(name).filter(self.chosen)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the columns; raise KeyError if there is no such column."""
        own = [name for name in names if name != self.target]
        start = labelled = 0
        for batch in self.current.batches(own or self.current.schema.names[:1]):
            chosen = self.chosen.slice(start, batch.num_rows).combine_chunks()
            start += batch.num_rows
            kept = batch.filter(chosen)
            label = self.labels.slice(labelled, kept.num_rows).combine_chunks()
            labelled += kept.num_rows
            columns = [label if name == self.target else kept.column(own.index(name)) for name in names]
            yield pa.RecordBatch.from_arrays(columns, names=list(names))


def join_labels(current: Table, labels: Table, *, key: str, target: str) -> LabelledTable:
    """Return the rows of the current data that have a label.

    Rows keep their order. Of several labels with one key the last one counts, as a correction. Labels without
    a key or a value are ignored.

    Args:
        current: Rows that are old enough to have a label.
        labels: Rows of `key` and `target`.
        key: The column that tells which label belongs to which row.
        target: The column that holds the label.

    Raises:
        DataError: One of the columns is missing (ColumnMissing), or no row has a label (LabelsNotAvailable).
    """
    _require(current, key, "the current data")
    _require(labels, key, "the labels")
    _require(labels, target, "the labels")
    types = KeyTypes.of(key, current, labels)
    keys = keys_of(current, types)
    distinct = types.distinct(keys)
    lookup = _Lookup(distinct, types, labels, target)
    positions = lookup.positions()
    at = pc.index_in(keys, value_set=distinct)
    found = np.asarray(pc.fill_null(at, -1))
    row_positions = np.where(found >= 0, np.append(positions, -1)[found], -1)
    chosen = row_positions >= 0
    counts = JoinCounts(
        rows=current.num_rows,
        labelled=int(chosen.sum()),
        without_key=keys.null_count,
        duplicate_keys=lookup.matched - int((positions >= 0).sum()),
        unmatched_labels=lookup.unmatched,
        without_value=lookup.without_value,
    )
    if counts.labelled == 0:
        raise not_available(
            f"none of {counts.rows} rows has one, and {labels.num_rows} labels were read{types.differing}"
            f"{told_keys(distinct, lookup.examples)}. Check spec.dataset.labels.joinColumn, or raise "
            f"delaySeconds if labels take longer{told_types(types)}"
        )
    taken = lookup.values().take(pa.array(row_positions[chosen]))
    return LabelledTable(current, target, taken, pa.chunked_array([pa.array(chosen)]), counts)


def not_available(why: str) -> DataError:
    """Return the error for labels that are needed but not available."""
    return DataError(Reason.LABELS_NOT_AVAILABLE, f"spec.dataset.labels: no labels: {why}.")


def _require(table: Table, name: str, where: str) -> None:
    if name not in table.schema.names:
        raise DataError(
            Reason.COLUMN_MISSING,
            f"spec.dataset.labels: there is no column {name[:100]!r} in {where}"
            f"{did_you_mean(name, table.schema.names)}. Correct joinColumn or "
            f"spec.target, or deliver the column.",
        )


class _Lookup:
    """Reads the labels once, and keeps those whose key occurs in the current data."""

    def __init__(self, distinct: pa.Array, types: KeyTypes, labels: Table, target: str) -> None:
        self.matched = 0
        self.unmatched = 0
        self.without_value = 0
        self.examples: pa.Array = pa.array([], types.common)
        """Some keys of labels."""
        self._keys: list[np.ndarray] = []
        self._values: list[pa.ChunkedArray] = []
        self._distinct = distinct
        self._type = labels.schema.field(target).type
        for piece in _pieces(labels, types.name, target):
            self._look_up(types.compared(piece.column(0)), piece.column(1))

    def _look_up(self, keys: pa.ChunkedArray, values: pa.ChunkedArray) -> None:
        usable = pc.and_(keys.is_valid(), values.is_valid())
        self.without_value += len(usable) - int(pc.sum(usable).as_py() or 0)
        keys = keys.filter(usable)
        if not len(self.examples):
            self.examples = keys[:_EXAMPLES].combine_chunks()
        at = pc.index_in(keys, value_set=self._distinct)
        ours = at.is_valid()
        self._keys.append(np.asarray(at.filter(ours)))
        self._values.append(values.filter(usable).filter(ours))
        self.matched += len(self._keys[-1])
        self.unmatched += len(at) - len(self._keys[-1])

    def positions(self) -> np.ndarray:
        """Return for each distinct key the position of its last label among the kept ones; -1 for none."""
        positions = np.full(len(self._distinct), -1, dtype=np.int64)
        if self._keys:
            keys = np.concatenate(self._keys)
            positions[keys] = np.arange(len(keys))  # for repeated indices NumPy keeps the last value
        return positions

    def values(self) -> pa.ChunkedArray:
        """Return the kept labels."""
        chunks = [chunk for each in self._values for chunk in each.chunks]
        return pa.chunked_array(chunks, self._type)


def _pieces(labels: Table, key: str, target: str) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in labels.batches([key, target]):
        held.append(batch)
        rows += batch.num_rows
        if rows >= _KEYS_AT_ONCE:
            yield pa.Table.from_batches(held)
            held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held)
