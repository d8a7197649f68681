"""Compares the keys of two tables: as text, as numbers without rounding, or as instants."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.arrow_types import common_type, widened
from selfheal_jobs.sources.tables import StoresTexts
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason

_SHOWN = 40
"""Characters of a key in a message."""


class KeyTypes(Struct, frozen=True):
    """How both sides store the join column, and how their values are compared."""

    name: str
    current: pa.DataType
    labels: pa.DataType

    @classmethod
    def of(cls, name: str, current: Table, labels: Table) -> "KeyTypes":
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
        return "" if _words(self.current) == _words(self.labels) else f" ({self._both})"

    @property
    def _both(self) -> str:
        name = repr(self.name[:100])
        return f"{name} is {_words(self.current)} in the current data and {_words(self.labels)} in the labels"

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


def keys_of(current: Table, types: KeyTypes) -> pa.ChunkedArray:
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


def told_keys(current: pa.Array, labels: pa.Array) -> str:
    """Return a remark on keys of which none is on both sides: one of each, and whether they are only alike.

    Args:
        current: The current data's keys, each once.
        labels: Some keys of the labels.
    """
    if not len(current) or not len(labels):
        return ""
    mine, theirs = (f"{str(each[0].as_py())[:_SHOWN]!r}" for each in (current, labels))
    said = f": keys are such as {mine} in the current data and {theirs} in the labels"
    ours = {_alike(key) for key in current.to_pylist()}
    alike = sum(_alike(key) in ours for key in labels.to_pylist())
    if not alike:
        return said
    return (
        f"{said}; without spaces, case, leading zeros and '.0', {alike} of {len(labels)} keys looked at match"
    )


def _alike(key: object) -> str:
    return str(key).strip().casefold().removesuffix(".0").lstrip("0")


def told_types(types: KeyTypes) -> str:
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


def _words(kind: pa.DataType) -> str:
    """Return a type in words of a user, who knows no large_string."""
    names = {_is_text: "text", pa.types.is_integer: "integers", pa.types.is_floating: "numbers"}
    names |= {pa.types.is_boolean: "booleans", pa.types.is_temporal: "times", pa.types.is_decimal: "decimals"}
    names |= {pa.types.is_binary: "bytes", pa.types.is_fixed_size_binary: "bytes"}
    names |= {pa.types.is_list: "lists", pa.types.is_struct: "structs"}
    return next((name for holds, name in names.items() if holds(kind)), str(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _without_point(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return whole numbers as integers, of which a gap has made floats; raise no error for others."""
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        return values
