"""The content of a column, converted from Arrow once: finite numbers, or counts of distinct values."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from selfheal_jobs.errors import DataError
from selfheal_jobs.tables import exact_integers
from selfheal_jobs.tables.arrow_buffers import plain_numbers
from selfheal_jobs.tables.distinct_count import distinct_count
from selfheal_jobs.tables.exact_integers import integers_of, is_exact_in_float64
from selfheal_jobs.tables.table import Table
from selfheal_jobs.tables.word_counter import WordCounter
from selfheal_operator.api.reasons import Reason

_Array = NDArray[Any]

_FIRST_ROWS: Final = 1_000
_SMALL_RANGE: Final = 1 << 16
"""Range of integers that are counted without sorting: the counts take half a megabyte."""


INFERRED_TEXT: Final = {b"selfheal": b"inferred to be text"}
"""The metadata of a field that is text because some values of a CSV column are no numbers."""


class Values(StrEnum):
    """The logical type of a column, whatever its storage type. Only equal ones are compared."""

    NUMBERS = "numbers"
    BOOLEANS = "booleans"
    TEXT = "text"
    DATES = "dates"
    NOTHING = "nothing"
    OTHER = "values of another type"


class Content(Struct, frozen=True, kw_only=True):
    """A column without its gaps."""

    holds: Values
    numbers: _Array | None = None
    """Finite numbers in the order of the rows, if it holds numbers: float64, or the column's own integer type
    if none is missing or float64 would round them. Infinite numbers count as gaps: Evidently drops them in
    one of its counts but not in the other."""
    ascending: bool = False
    """Whether the numbers are in ascending order instead."""
    counts: Mapping[Any, int] = field(default_factory=dict)
    """Count of each distinct value, if it holds booleans or text, or numbers that have been counted."""
    whole: bool = False
    """Whether its type is an integer type."""
    categorical: bool = False
    """Whether its Arrow type is a dictionary: the writer declared its values to be categories."""
    open_ended: bool = False
    """Whether counting stopped at the limit, so that `counts` is incomplete."""
    inferred: bool = False
    """Whether it is text because some values of a CSV column are, not because its writer declared it so."""
    deviation: float | None = None
    """The standard deviation of numbers that are no longer in the order of the rows."""

    @property
    def rows(self) -> int:
        """Return the number of values."""
        return len(self.numbers) if self.numbers is not None else sum(self.counts.values())

    def value_counts(self) -> Mapping[Any, int]:
        """Return the count of each distinct value; 1 and 1.0 are the same value."""
        return self.counts if self.numbers is None or self.counts else _counted(self.numbers)

    def has_more_numbers_than(self, limit: int) -> bool:
        """Return whether there are more distinct numbers; for most columns the first rows suffice."""
        if self.numbers is None:
            return False
        if self.counts:
            return len(self.counts) > limit
        return distinct_count(self.numbers[:_FIRST_ROWS]) > limit or len(_counted(self.numbers)) > limit


def aligned(reference: Content, current: Content) -> tuple[Content, Content]:
    """Return both contents with numbers that can be compared without rounding an integer.

    Raises:
        RoundedIntegersError: One side has integers beyond 2**53, and the other may have rounded its own.
    """
    if reference.numbers is None or current.numbers is None:
        return reference, current
    one, other = exact_integers.aligned(reference.numbers, current.numbers)
    if one is reference.numbers and other is current.numbers:
        return reference, current
    return replace(reference, numbers=one), replace(current, numbers=other)


def _counted(numbers: _Array) -> Mapping[Any, int]:
    """Return the count of each distinct number, in ascending order."""
    if numbers.dtype.kind == "i":
        low, high = int(numbers.min()), int(numbers.max())
        if high - low < _SMALL_RANGE:  # no need to sort them
            counts = np.bincount(numbers.astype(np.int64) - low)
            (there,) = np.nonzero(counts)
            return dict(zip((there + low).tolist(), counts[there].tolist(), strict=True))
    values, counts = np.unique(numbers, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def holds(kind: pa.DataType) -> Values:
    """Return the logical type of a column with an Arrow type, provided it has values."""
    if pa.types.is_dictionary(kind):
        return holds(kind.value_type)
    for values, tests in _TESTS.items():
        if any(test(kind) for test in tests):
            return values
    return Values.OTHER


_TESTS = {
    Values.NOTHING: (pa.types.is_null,),
    Values.BOOLEANS: (pa.types.is_boolean,),
    Values.NUMBERS: (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    Values.TEXT: (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    Values.DATES: (pa.types.is_timestamp, pa.types.is_date),
}


@runtime_checkable
class Known(Protocol):
    """A table that knows the content of some columns without reading them."""

    def content(self, name: str, most_words: float) -> Content:
        """Return the content of a column, as `content` does; read it if it is not known."""

    def numbers(self, names: Sequence[str]) -> list[_Array] | None:
        """Return numbers with the same ranks as those of `columns.thinned`; None if not all are known."""


@runtime_checkable
class StoresWords(Protocol):
    """A table that can yield text columns with their stored dictionary encoding."""

    def words(self, name: str) -> Iterator[pa.Array]:
        """Yield a column chunk by chunk, as dictionary arrays."""


def content(table: Table, name: str, *, most_words: float = math.inf) -> Content:
    """Return the content of a column of a table.

    Args:
        table: The table with the column.
        name: The column's name.
        most_words: Counting stops after this many distinct values: identifiers would fill the memory.

    Raises:
        DataError: The stored data does not match the column's type.
    """
    if isinstance(table, Known):
        return table.content(name, most_words)
    field = table.schema.field(name)
    kind = field.type
    match holds(kind):
        case Values.NUMBERS:
            return _of_numbers(table.column(name), kind)
        case Values.TEXT | Values.BOOLEANS as values:
            try:
                found = _of_words(_pieces(table, name), kind, values, most_words)
                return replace(found, inferred=True) if field.metadata == INFERRED_TEXT else found
            except UnicodeDecodeError as error:  # Arrow does not validate UTF-8
                raise DataError(
                    Reason.DATA_UNREADABLE,
                    f"The column {name[:100]!r} holds text that is not UTF-8. Write the data anew.",
                ) from error
        case Values.NOTHING:
            return Content(holds=Values.NOTHING)
        case values:
            column = table.column(name)
            return Content(holds=Values.NOTHING if column.null_count == len(column) else values)


def content_of(column: pa.ChunkedArray) -> Content:
    """Return the content of a column in memory."""
    return content(_Single(column), "")


class _Single(Struct, frozen=True):
    """A table of a single column without a name."""

    values: pa.ChunkedArray

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([("", self.values.type)])

    @property
    def num_rows(self) -> int:
        return len(self.values)

    def column(self, name: str) -> pa.ChunkedArray:
        del name
        return self.values

    def batches(self, names: Iterable[str]) -> Iterator[pa.RecordBatch]:
        del names
        yield from pa.Table.from_arrays([self.values], names=[""]).to_batches()


def _of_numbers(column: pa.ChunkedArray, kind: pa.DataType) -> Content:
    categorical = pa.types.is_dictionary(kind)
    if categorical:
        kind = kind.value_type
        column = column.cast(kind)
    if pa.types.is_decimal(kind):
        column = integers_of(column)
    elif not (pa.types.is_integer(kind) or pa.types.is_float64(kind)):
        column = column.cast(pa.float64())  # narrower floats
    numbers = _numpy(column)
    if not len(numbers):
        return Content(holds=Values.NOTHING)
    return Content(
        holds=Values.NUMBERS, numbers=numbers, whole=pa.types.is_integer(column.type), categorical=categorical
    )


def _numpy(column: pa.ChunkedArray) -> _Array:
    """Return the finite numbers. `to_numpy` would import pandas: a third of a second, 35 MB."""
    gaps = column.null_count > 0
    parts = [_numpy_of_chunk(chunk) for chunk in column.chunks if len(chunk)]
    if not parts:
        return np.empty(0)
    numbers = parts[0] if len(parts) == 1 else np.concatenate(parts)
    # Like pandas, convert integers with a gap to floats: Evidently's bins and ours then have the same edges.
    # Not so integers that would become other numbers: they are codes.
    return numbers.astype(np.float64) if gaps and is_exact_in_float64(numbers) else numbers


def _numpy_of_chunk(chunk: pa.Array) -> _Array:
    numbers = plain_numbers(chunk)
    if numbers.dtype.kind == "f" and not (finite := np.isfinite(numbers)).all():
        numbers = numbers[finite]
    return numbers


def _pieces(table: Table, name: str) -> Iterator[pa.Array]:
    if isinstance(table, StoresWords):
        return table.words(name)
    return (batch.column(0) for batch in table.batches([name]))


def _of_words(pieces: Iterable[pa.Array], kind: pa.DataType, values: Values, most_words: float) -> Content:
    categorical = pa.types.is_dictionary(kind)
    counter = WordCounter()
    for piece in pieces:
        counter.add(piece)
        if counter.has_more_than(most_words):
            return Content(holds=values, counts=counter.counts(), categorical=categorical, open_ended=True)
    counts = counter.counts()
    return Content(holds=values if counts else Values.NOTHING, counts=counts, categorical=categorical)


def text_columns(reference: Table) -> list[str]:
    """Return the text columns, so that digits in the same columns of the current data stay text."""
    return [each.name for each in reference.schema if holds(each.type) is Values.TEXT]
