"""Which columns are compared, as what, and which are not, and why."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfheal_jobs.columns.infer_kind import NEARLY_UNIQUE, Column, Skipped, infer_kind
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.errors import DataError
from selfheal_jobs.tables.content import Content, Known, Values, content
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy

EMPTY: Final = "no values in the current data"
MISSING: Final = "not in the current data"
_ROWS_LOOKED_AT: Final = 20_000
_ROWS_THINNED: Final = 1_000
"""Enough to tell correlations to a few hundredths."""

NAMES_SHOWN: Final = 5
"""How many columns a message names before it only counts."""

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """The columns of the reference except the target, sorted into compared and skipped."""

    compared: tuple[Column, ...]
    skipped: tuple[Skipped, ...]
    counted: tuple[Skipped, ...] = ()
    """Not compared either, but counted as drifted: the policy wants it so."""

    @property
    def names(self) -> list[str]:
        """Return the names of the compared columns, in the reference's order."""
        return [column.name for column in self.compared]


@dataclass(frozen=True, slots=True)
class Compared:
    """A column that is compared, and what both sides hold."""

    column: Column
    reference: Content
    current: Content


@dataclass
class ColumnScan:
    """Visits the reference's columns one after the other, and holds no more than one of them at a time.

    Columns that only the current data has are ignored.
    """

    reference: Table
    current: Table
    target: str
    policy: ColumnPolicy = field(default_factory=ColumnPolicy)
    ignored: frozenset[str] = frozenset()
    """Columns that were read for another purpose."""
    _compared: list[Column] = field(default_factory=list)
    _counted: list[Skipped] = field(default_factory=list)
    _empty: list[str] = field(default_factory=list)
    _skipped: list[Skipped] = field(default_factory=list)
    _missing: list[str] = field(default_factory=list)
    _changed: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Compared]:
        """Yield every column that can be compared; what hinders the others is kept for `plan`."""
        there = frozenset(self.current.schema.names)
        for name in self.reference.schema.names:
            if name == self.target or name in self.ignored:
                continue
            # More words than this are nearly unique however many of the rows are gaps.
            reference = content(self.reference, name, most_words=NEARLY_UNIQUE * self.reference.num_rows)
            column = infer_kind(name, reference)
            if isinstance(column, Skipped):
                self._skipped.append(column)
            elif name not in there:
                self._put_aside(Skipped(name, MISSING), self.policy.missing, self._missing)
            elif (found := self._in_current(column)) is not None:
                self._compared.append(column)
                if not (
                    self._missing or self._changed or self._empty
                ):  # else there will be no verdict: only look on
                    yield Compared(column, reference, found)

    def _in_current(self, column: Column) -> Content | None:
        current = content(self.current, column.name)
        if current.holds is Values.NOTHING:
            self._put_aside(Skipped(column.name, EMPTY), self.policy.empty, self._empty)
            return None
        if current.holds is not column.holds:
            self._changed.append(
                f"{column.name[:100]!r} ({column.holds} in the reference, {current.holds} in current)"
            )
            return None
        return current

    def _put_aside(self, column: Skipped, policy: str, failures: list[str]) -> None:
        match policy:
            case "Fail":
                failures.append(column.name)
            case "CountAsDrift":
                self._counted.append(column)
            case _:
                self._skipped.append(column)

    def words(self, name: str) -> tuple[Iterator[Any], Iterator[Any]]:
        """Read a column row by row, gaps included: of the reference, and of the current data."""
        return _words(self.reference, name), _words(self.current, name)

    def thinned(self, columns: Sequence[Column]) -> list[Array]:
        """Return some rows of the reference as numbers, or numbers of the same ranks."""
        known = (
            self.reference.numbers([column.name for column in columns])
            if isinstance(self.reference, Known)
            else None
        )
        return thinned(self.reference, columns) if known is None else known

    def plan(self) -> ColumnPlan:
        """Return what was compared and skipped, once all has been visited.

        Raises:
            DataError: A column that should be compared is missing in the current data (ColumnMissing), has no
                values there (ColumnEmpty), or holds something else (ColumnTypeChanged).
        """
        if self._missing:
            raise _missing_columns(self._missing)
        if self._changed:
            raise DataError(
                Reason.COLUMN_TYPE_CHANGED,
                f"Columns changed their type: {'; '.join(self._changed[:NAMES_SHOWN])}"
                f"{_more(self._changed)}. Correct the values in the current data, or replace the reference.",
            )
        if self._empty:
            raise DataError(
                Reason.COLUMN_EMPTY,
                f"The current data has no values in {_listed(self._empty)}. Deliver them, or set "
                f"spec.dataset.columnPolicy.empty to Skip.",
            )
        return ColumnPlan(
            compared=tuple(self._compared), skipped=tuple(self._skipped), counted=tuple(self._counted)
        )


def thinned(table: Table, columns: Sequence[Column]) -> list[Array]:
    """Read some rows as numbers: every n-th of the first ones, the same however they come in batches."""
    seen, parts = 0, []
    for batch in table.batches([column.name for column in columns]):
        parts.append(batch)
        seen += batch.num_rows
        if seen >= _ROWS_LOOKED_AT:
            break
    seen = min(seen, _ROWS_LOOKED_AT)
    chosen = pa.Table.from_batches(parts)
    if seen > _ROWS_THINNED:
        chosen = chosen.take(pa.array(np.linspace(0, seen - 1, _ROWS_THINNED).astype(np.int64)))
    return [_numbers(chosen.column(column.name).to_pylist(), column.kind) for column in columns]


def _numbers(values: Sequence[Any], kind: Kind) -> Array:
    """Return values as numbers, categories by whether they are the commonest one; NaN for gaps."""
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
    """Complain about columns that only the current data has."""
    known = frozenset(reference)
    if unexpected := [name for name in current if name not in known]:
        raise DataError(
            Reason.COLUMN_UNEXPECTED,
            f"The reference lacks {_listed(unexpected)} of the current data. Add them to the reference, "
            f"exclude them by spec.dataset.columns, or set spec.dataset.columnPolicy.unexpected to Ignore.",
        )


def plan(reference: Table, current: Table, *, target: str, policy: ColumnPolicy | None = None) -> ColumnPlan:
    """Sort the reference's columns into those that are compared and those that are not.

    Raises:
        DataError: As `ColumnScan.plan`.
    """
    scan = ColumnScan(reference, current, target, policy or ColumnPolicy())
    for _ in scan:
        pass
    return scan.plan()


def _missing_columns(names: list[str]) -> DataError:
    them = "it" if len(names) == 1 else "them"
    return DataError(
        Reason.COLUMN_MISSING,
        f"The current data lacks {_listed(names)} of the reference. Deliver "
        f"{them} again, or take {them} out of the reference data.",
    )


def _listed(names: list[str]) -> str:
    """Name a few and count the rest.

    >>> _listed(["a", "b"])
    "the columns 'a', 'b'"
    """
    shown = ", ".join(repr(name[:100]) for name in names[:NAMES_SHOWN])
    return f"the column{'' if len(names) == 1 else 's'} {shown}{_more(names)}"


def _more(names: list[str]) -> str:
    return f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
