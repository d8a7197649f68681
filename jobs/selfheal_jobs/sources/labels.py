"""Joins labels that arrive later to the rows of the current data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.arrow_types import common_type, widened
from selfheal_jobs.sources.named_columns import did_you_mean
from selfheal_jobs.sources.tables import StoresTexts
from selfheal_jobs.sources.tally import NO_ROWS, JoinCounts, RowsRead
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason

_KEYS_AT_ONCE = 1 << 20
"""Chunk size of the lookup; it is large because each chunk hashes the keys of the current data again."""


@dataclass(frozen=True, slots=True)
class LabelledTable:
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
    types = _KeyTypes.of(key, current, labels)
    keys = _keys_of(current, types)
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
            f"none of {counts.rows} rows has one, and {labels.num_rows} labels were read{types.differing}. "
            f"Check spec.dataset.labels.joinColumn, or raise delaySeconds if labels take longer"
            f"{_told_types(types)}"
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


@dataclass(frozen=True, slots=True)
class _KeyTypes:
    """How both sides store the join column, and how their values are compared."""

    name: str
    current: pa.DataType
    labels: pa.DataType

    @classmethod
    def of(cls, name: str, current: Table, labels: Table) -> "_KeyTypes":
        """Return the types of a column that both sides have."""
        return cls(name, *(_plain_type(table.schema.field(name).type) for table in (current, labels)))

    @property
    def common(self) -> pa.DataType:
        """Return the type in which keys are compared.

        Text if either side holds text: 007 in the labels is not 7. Times are compared as instants, and are
        UTC if they have no zone.
        """
        both = (self.current, self.labels)
        if any(_is_text(kind) for kind in both) or _exceed_64_bits(both):
            return pa.string()
        try:
            return common_type([_instants(kind) for kind in both])
        except pa.ArrowException:
            return pa.string()

    @property
    def differing(self) -> str:
        """Return a remark on the types if they differ; otherwise an empty string."""
        return "" if self.current.equals(self.labels) else f" ({self._both})"

    @property
    def _both(self) -> str:
        name = repr(self.name[:100])
        return f"{name} is {self.current} in the current data and {self.labels} in the labels"

    def distinct(self, keys: pa.ChunkedArray) -> pa.Array:
        """Return each key once; raise DataError for lists and other types that cannot be compared."""
        try:
            return keys.unique().drop_null()
        except pa.ArrowNotImplementedError as error:
            raise self._incomparable() from error

    def compared(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return keys in the common type, without NaN; raise DataError if a key has no exact value in it."""
        values, kind = _without_nan(_plain(values)), self.common
        if pa.types.is_string(kind) and pa.types.is_floating(values.type):
            values = _without_point(values)
        try:
            return pa.chunked_array([widened(chunk, kind) for chunk in values.chunks], kind)
        except pa.ArrowInvalid as error:
            raise (self._rounded() if pa.types.is_floating(kind) else self._incomparable()) from error
        except pa.ArrowException as error:
            raise self._incomparable() from error

    def _rounded(self) -> DataError:
        return DataError(
            Reason.DATA_UNREADABLE,
            f"spec.dataset.labels: the keys in {self.name[:100]!r} are integers beyond 2**53 on one side and "
            f"floating-point numbers, which round them, on the other. Write them as integers or as text.",
        )

    def _incomparable(self) -> DataError:
        return DataError(
            Reason.DATA_UNREADABLE,
            f"spec.dataset.labels.joinColumn: {self._both}: they cannot be compared. "
            f"Write integers or text on both sides.",
        )


def _exceed_64_bits(kinds: Sequence[pa.DataType]) -> bool:
    """Return whether integers of both types have no common type: negative ones, and those beyond 63 bits."""
    return any(map(pa.types.is_uint64, kinds)) and any(map(pa.types.is_signed_integer, kinds))


def _instants(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_date(kind):
        return pa.timestamp("s" if pa.types.is_date32(kind) else "ms", "UTC")
    return pa.timestamp(kind.unit, "UTC") if pa.types.is_timestamp(kind) else kind


def _keys_of(current: Table, types: _KeyTypes) -> pa.ChunkedArray:
    """Return the current data's keys in the common type; of a CSV file as they are written, for text."""
    values = current.column(types.name)
    if _is_text(types.labels) and isinstance(current, StoresTexts):
        texts = current.texts(types.name)
        if texts is not None:
            values = pc.if_else(_without_nan(_plain(values)).is_valid(), texts, pa.scalar(None, pa.string()))
    return types.compared(values)


def _without_nan(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return null for NaN, which is no key either."""
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _told_types(types: _KeyTypes) -> str:
    """Return a remark on keys of which one side is text, such as 007 in the labels for 7; empty otherwise."""
    sides = {"the current data": types.current, "the labels": types.labels}
    text = [side for side, kind in sides.items() if _is_text(kind)]
    if len(text) != 1:
        return ""
    return f". The keys are text in {text[0]} only: 007 there is not the number 7"


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _without_point(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return whole numbers as integers, of which a gap has made floats; raise no error for others."""
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        return values


class _Lookup:
    """Reads the labels once, and keeps those whose key occurs in the current data."""

    def __init__(self, distinct: pa.Array, types: _KeyTypes, labels: Table, target: str) -> None:
        self.matched = 0
        self.unmatched = 0
        self.without_value = 0
        self._keys: list[np.ndarray] = []
        self._values: list[pa.ChunkedArray] = []
        self._distinct = distinct
        self._type = labels.schema.field(target).type
        for piece in _pieces(labels, types.name, target):
            self._look_up(types.compared(piece.column(0)), piece.column(1))

    def _look_up(self, keys: pa.ChunkedArray, values: pa.ChunkedArray) -> None:
        usable = pc.and_(keys.is_valid(), values.is_valid())
        self.without_value += len(usable) - int(pc.sum(usable).as_py() or 0)
        at = pc.index_in(keys.filter(usable), value_set=self._distinct)
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
