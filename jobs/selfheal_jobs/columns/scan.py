"""Decides which columns are compared, and why the others are not."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from selfheal_jobs.columns.calendar_numbers import is_cycle, looks_like_time, why_calendar
from selfheal_jobs.columns.infer_kind import NEARLY_UNIQUE, Column, Skipped, infer_kind
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.numbers_as_text import compared_as_words, told_numbers
from selfheal_jobs.columns.precision import Precision, coarser
from selfheal_jobs.columns.row_numbers import why_row_number
from selfheal_jobs.errors import DataError
from selfheal_jobs.names_shown import some
from selfheal_jobs.similar_names import spelt_otherwise
from selfheal_jobs.tables.content import Content, Known, Values, aligned, content
from selfheal_jobs.tables.exact_integers import RoundedIntegersError
from selfheal_jobs.tables.table import Table, offered_columns
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy

EMPTY: Final = "no values in the current data"
MISSING: Final = "not in the current data"
ROUNDED: Final = "integers beyond 2**53 on one side, and floating-point numbers that round them on the other"
_ROWS_LOOKED_AT: Final = 20_000
ROWS_THINNED: Final = 1_000
"""The standard error of a correlation is then a few hundredths."""

NAMES_SHOWN: Final = 5
"""How many columns a message names before it only counts."""

Array = NDArray[Any]


class Compared(Struct, frozen=True):
    """A column that is compared, and its content on both sides."""

    column: Column
    reference: Content
    current: Content
    precision: Precision | None = None
    """The precision that both sides have, if they are stored in different ones."""
    compared_in: str = ""
    """The precision or the steps that both sides have been rounded to, if any number has changed by it."""
    rows: tuple[int, int] = (0, 0)
    """How many rows the reference and the current data have, gaps included."""

    @classmethod
    def of(cls, column: Column, reference: Content, current: Content, tables: "TablePair") -> Self:
        """Return the column with both sides in types that can be compared.

        Raises:
            RoundedIntegersError: One side holds integers that the other's type rounds.
        """
        reference, current = aligned(reference, current)
        sides = (tables.reference, tables.current)
        precision = coarser(*(table.schema.field(column.name).type for table in sides))
        rows = (tables.reference.num_rows, tables.current.num_rows)
        return cls(column, reference, current, precision=precision, rows=rows)


class Fate(Enum):
    """The treatment of a column that is not compared."""

    SKIPPED = auto()
    COUNTED = auto()
    """Counts as drifted by the column policy."""
    MISSING = auto()
    EMPTY = auto()
    CHANGED = auto()

    @property
    def is_error(self) -> bool:
        """Return whether the check ends without a verdict because of it."""
        return self in {Fate.MISSING, Fate.EMPTY, Fate.CHANGED}


class Excluded(Struct, frozen=True):
    """A column that is not compared."""

    column: Skipped
    fate: Fate


class ColumnPlan(Struct, frozen=True, kw_only=True):
    """The columns of the reference except the target, sorted into compared and skipped."""

    compared: tuple[Column, ...]
    skipped: tuple[Skipped, ...]
    counted: tuple[Skipped, ...] = ()
    """Not compared either, but counted as drifted by the column policy."""
    remarks: tuple[str, ...] = ()
    """What is to be said of compared columns."""

    @classmethod
    def of(cls, compared: Iterable[Column], excluded: Sequence[Excluded]) -> Self:
        """Return the plan for columns that have been read.

        Raises:
            DataError: A column that should be compared is missing in the current data (ColumnMissing), has no
                values there (ColumnEmpty), or has another type there (ColumnTypeChanged).
        """
        if missing := _of(Fate.MISSING, excluded):
            raise _missing_columns(missing)
        if changed := _of(Fate.CHANGED, excluded):
            raise DataError(
                Reason.COLUMN_TYPE_CHANGED,
                f"Columns changed their type: {some([each.reason for each in changed], NAMES_SHOWN, '; ')}. "
                f"Correct the values in the current data, or replace the reference.",
            )
        if empty := _of(Fate.EMPTY, excluded):
            raise DataError(
                Reason.COLUMN_EMPTY,
                f"The current data has no values in {_listed([each.name for each in empty])}. Deliver them, "
                f"or set spec.dataset.columnPolicy.empty to Skip.",
            )
        skipped, counted = _of(Fate.SKIPPED, excluded), _of(Fate.COUNTED, excluded)
        return cls(compared=tuple(compared), skipped=tuple(skipped), counted=tuple(counted))

    @property
    def names(self) -> list[str]:
        """Return the names of the compared columns, in the reference's order."""
        return [column.name for column in self.compared]


def _of(fate: Fate, excluded: Sequence[Excluded]) -> list[Skipped]:
    return [each.column for each in excluded if each.fate is fate]


def read_column(
    name: str, reference: Table, current: Table, policy: ColumnPolicy, *, include: Collection[str] = ()
) -> Compared | Excluded:
    """Read one column of the reference and, if it can be compared, of the current data.

    Args:
        name: The column's name.
        reference: Determines whether the column is numerical or categorical.
        current: Read only if the column of the reference can be compared.
        policy: What becomes of a column that is missing or empty in the current data.
        include: Columns that the spec names: they are compared even if they are row numbers or times.

    Raises:
        DataError: The stored data does not match the column's type.
    """
    # More distinct values than this are nearly unique, whatever the number of gaps.
    before = content(reference, name, most_words=NEARLY_UNIQUE * reference.num_rows)
    column = infer_kind(name, before)
    if isinstance(column, Skipped):
        return Excluded(column, Fate.SKIPPED)
    now = content(current, name) if name in current.schema.names else None
    if name not in include and (why := _why_of_the_rows(name, before, now)):
        return Excluded(Skipped(name, why, of_the_row=True), Fate.SKIPPED)
    if now is None:
        return Excluded(
            Skipped(name, _missing(name, reference, current)), _fate(policy.missing, Fate.MISSING)
        )
    if now.holds is Values.NOTHING:
        gaps = 1 - before.rows / reference.num_rows
        return Excluded(Skipped(name, EMPTY, reference_null_share=gaps), _fate(policy.empty, Fate.EMPTY))
    return _compared(column, before, now, TablePair(reference, current))


def _compared(column: Column, before: Content, now: Content, tables: "TablePair") -> Compared | Excluded:
    name = column.name
    if now.holds is not column.holds:
        change = f"{name[:100]!r} ({column.holds} in the reference, {now.holds} in current)"
        return Excluded(Skipped(name, change + told_numbers(now)), Fate.CHANGED)
    try:
        return Compared.of(column, before, now, tables)
    except RoundedIntegersError:
        return Excluded(Skipped(name, f"{name[:100]!r} ({ROUNDED})"), Fate.CHANGED)


def numbers_among_words(compared: Compared) -> Iterator[str]:
    """Yield a remark if a column is compared as text only for a few words among its numbers."""
    if compared.column.holds is Values.TEXT:
        for side, found in (("the reference", compared.reference), ("current", compared.current)):
            if counted := compared_as_words(found):
                yield f"{compared.column.name[:100]!r} is compared as text: in {side}, {counted}"
                return


def perhaps_times(compared: Compared) -> Iterator[str]:
    """Yield a remark if nothing but the values of a column says that it may tell a time."""
    if found := looks_like_time(compared.reference, compared.current):
        yield (
            f"{compared.column.name[:100]!r} looks like {found}: if it is a time, name it in "
            f"spec.dataset.columns.exclude"
        )


def _why_of_the_rows(name: str, reference: Content, current: Content | None) -> str | None:
    """Return why a column tells which row it is in, or when the row was made; None if it may be a feature."""
    comparable = current is not None and current.holds is reference.holds
    now = current if comparable else None
    if now is not None and (why := why_calendar(name, reference, now)):
        return why
    if reference.numbers is not None and is_cycle(name, reference.numbers):
        return None
    return why_row_number(name, reference, now)


def _missing(name: str, reference: Table, current: Table) -> str:
    """Return that a column is missing, and the one of the current data that may be meant to be it."""
    others = [each for each in offered_columns(current) if each not in reference.schema.names]
    meant = spelt_otherwise(name, others)
    return f"{MISSING} (it has {meant})" if meant else MISSING


def _fate(policy: str, failure: Fate) -> Fate:
    return {"Fail": failure, "CountAsDrift": Fate.COUNTED}.get(policy, Fate.SKIPPED)


class TablePair(Struct, frozen=True):
    """The tables of both sides, for what one column's counts and numbers do not determine."""

    reference: Table
    current: Table

    def words(self, name: str) -> tuple[Iterator[Any], Iterator[Any]]:
        """Read a column row by row, gaps included: of the reference, and of the current data."""
        return _words(self.reference, name), _words(self.current, name)

    def thinned(self, columns: Sequence[Column]) -> list[Array]:
        """Return a sample of the reference's rows as numbers, or numbers with the same ranks."""
        known = (
            self.reference.numbers([column.name for column in columns])
            if isinstance(self.reference, Known)
            else None
        )
        return thinned(self.reference, columns) if known is None else known


def thinned(table: Table, columns: Sequence[Column]) -> list[Array]:
    """Return every n-th of the first rows as numbers; the result does not depend on the batch sizes."""
    seen, parts = 0, []
    for batch in table.batches([column.name for column in columns]):
        parts.append(batch)
        seen += batch.num_rows
        if seen >= _ROWS_LOOKED_AT:
            break
    seen = min(seen, _ROWS_LOOKED_AT)
    chosen = pa.Table.from_batches(parts)
    if seen > ROWS_THINNED:
        chosen = chosen.take(pa.array(np.linspace(0, seen - 1, ROWS_THINNED).astype(np.int64)))
    return [_numbers(chosen.column(column.name).to_pylist(), column.kind) for column in columns]


def _numbers(values: Sequence[Any], kind: Kind) -> Array:
    """Return values as numbers; 1 for the most frequent category and 0 for others; NaN for gaps."""
    if kind is Kind.CATEGORICAL:
        counts = Counter(value for value in values if value is not None)
        commonest = next(iter(counts.most_common(1)), (None, 0))[0]
        return np.array([math.nan if value is None else float(value == commonest) for value in values])
    numbers = np.array([math.nan if value is None else float(value) for value in values])
    numbers[~np.isfinite(numbers)] = math.nan
    return numbers


def _words(table: Table, name: str) -> Iterator[Any]:
    for batch in table.batches([name]):
        yield from batch.column(0).to_pylist()


def require_expected(reference: Iterable[str], current: Iterable[str]) -> None:
    """Raise DataError for columns that only the current data has."""
    known = frozenset(reference)
    if unexpected := [name for name in current if name not in known]:
        raise DataError(
            Reason.COLUMN_UNEXPECTED,
            f"The reference lacks {_listed(unexpected)} of the current data. Add them to the reference, "
            f"exclude them by spec.dataset.columns, or set spec.dataset.columnPolicy.unexpected to Ignore.",
        )


def plan(
    reference: Table,
    current: Table,
    *,
    left_out: Collection[str] = (),
    policy: ColumnPolicy | None = None,
    include: Collection[str] = (),
) -> ColumnPlan:
    """Return which of the reference's columns are compared and which are not.

    Columns that only the current data has are ignored, and those in `left_out`. Row numbers, identifiers and
    times are skipped unless they are in `include`. A retraining plans its features by this function, too.

    Raises:
        DataError: As `ColumnPlan.of`.
    """
    compared: list[Column] = []
    excluded: list[Excluded] = []
    remarks: list[str] = []
    for name in reference.schema.names:
        if name not in left_out:
            found = read_column(name, reference, current, policy or ColumnPolicy(), include=include)
            if isinstance(found, Compared):
                compared.append(found.column)
                remarks += [] if name in include else perhaps_times(found)
            else:
                excluded.append(found)
    return replace(ColumnPlan.of(compared, excluded), remarks=tuple(remarks))


def _missing_columns(missing: Sequence[Skipped]) -> DataError:
    them = "it" if len(missing) == 1 else "them"
    shown = [f"{each.name[:100]!r}{each.reason.removeprefix(MISSING)}" for each in missing]
    return DataError(
        Reason.COLUMN_MISSING,
        f"The current data lacks {_columns(shown)} of the reference. Deliver "
        f"{them} again, or take {them} out of the reference data.",
    )


def _listed(names: list[str]) -> str:
    """Name a few and count the rest.

    >>> _listed(["a", "b"])
    "the columns 'a', 'b'"
    """
    return _columns([repr(name[:100]) for name in names])


def _columns(shown: Sequence[str]) -> str:
    return f"the column{'' if len(shown) == 1 else 's'} {some(shown, NAMES_SHOWN)}"
