"""Which columns are compared, as what, and which are not, and why. Pure.

What a column is, its kind, is read from the reference alone: kinds that were read from the current data too
would change from one check to the next, and a column's test with them.
The rules for kinds are those of Evidently 0.7 (`evidently.core.datasets.infer_column_type`), with two
differences that spare false alarms: dates are found in text as well, since CSV has no other way to
write them, and text whose values are nearly all different is left out instead of being put to a classifier.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from selfheal_jobs.errors import DataError
from selfheal_operator.api.reasons import Reason

FEW_INTEGERS: Final = 10
"""Integers with at most this many distinct values are categories: Evidently's INTEGER_CARDINALITY_LIMIT."""

NEARLY_UNIQUE: Final = 0.5
"""Text with more distinct values than this share of its rows is free text or identifiers, as in Evidently."""

NAMES_SHOWN: Final = 5
"""How many columns a message names before it only counts."""

_ISO_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?"
)


class Kind(StrEnum):
    """How Evidently is to look at a column."""

    NUMERICAL = "Numerical"
    CATEGORICAL = "Categorical"


class Values(StrEnum):
    """What a column holds, whatever its storage: only like is compared with like."""

    NUMBERS = "numbers"
    BOOLEANS = "booleans"
    TEXT = "text"
    DATES = "dates"
    NOTHING = "nothing"
    OTHER = "values of another type"


@dataclass(frozen=True)
class Column:
    """A column that is compared."""

    name: str
    kind: Kind
    holds: Values


@dataclass(frozen=True)
class Skipped:
    """A column that is not compared, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """The columns of the reference except the target, sorted into compared and skipped."""

    compared: tuple[Column, ...]
    skipped: tuple[Skipped, ...]

    @property
    def names(self) -> list[str]:
        """Return the names of the compared columns, in the reference's order."""
        return [column.name for column in self.compared]


def values_of(column: pd.Series) -> Values:
    """Return what a column holds; infinite numbers count as nothing, mixtures as another type."""
    present = column.dropna()
    if isinstance(present.dtype, pd.CategoricalDtype):
        present = present.cat.remove_unused_categories().cat.categories.to_series()
    dtype = present.dtype
    if present.empty:
        return Values.NOTHING
    if pd.api.types.is_bool_dtype(dtype):
        return Values.BOOLEANS
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return Values.NUMBERS if np.isfinite(present.to_numpy(dtype="float64")).any() else Values.NOTHING
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Values.DATES
    return _INFERRED.get(pd.api.types.infer_dtype(present, skipna=True), Values.OTHER)


_INFERRED: Final = {
    "string": Values.TEXT,
    "boolean": Values.BOOLEANS,
    "integer": Values.NUMBERS,
    "floating": Values.NUMBERS,
    "mixed-integer-float": Values.NUMBERS,
    "decimal": Values.NUMBERS,
    "datetime": Values.DATES,
    "datetime64": Values.DATES,
    "date": Values.DATES,
}


def text_columns(reference: pd.DataFrame) -> list[str]:
    """Return the columns that hold text, so that the current data's digits are not taken for numbers."""
    return [name for name in reference.columns if values_of(reference[name]) is Values.TEXT]


def plan(reference: pd.DataFrame, current: pd.DataFrame, *, target: str) -> ColumnPlan:
    """Sort the reference's columns into those that are compared and those that are not.

    Columns that only the current data has are ignored.

    Raises:
        DataError: A column that should be compared is missing in the current data (ColumnMissing),
            or holds something else there (ColumnTypeChanged).
    """
    names = [name for name in reference.columns if name != target]
    judged = [_judge(name, reference[name]) for name in names]
    wanted = [column for column in judged if isinstance(column, Column)]
    _require_present(wanted, current)
    in_current = {column.name: values_of(current[column.name]) for column in wanted}
    _require_same_values(wanted, in_current)
    empty = {name for name, values in in_current.items() if values is Values.NOTHING}
    return ColumnPlan(
        compared=tuple(column for column in wanted if column.name not in empty),
        skipped=tuple(_skipped(judged, empty)),
    )


def _judge(name: str, column: pd.Series) -> Column | Skipped:
    values = values_of(column)
    if values is Values.NOTHING:
        return Skipped(name, "no values in the reference")
    if values is Values.OTHER:
        return Skipped(name, "its values are neither numbers, booleans nor text")
    if values is Values.DATES or (values is Values.TEXT and _looks_like_dates(column)):
        return Skipped(name, "dates always move on")
    if values is Values.TEXT and column.nunique() > NEARLY_UNIQUE * column.count():
        return Skipped(name, "nearly every value differs: free text or identifiers")
    return Column(name, _kind(column, values), values)


def _kind(column: pd.Series, values: Values) -> Kind:
    if values is not Values.NUMBERS or isinstance(column.dtype, pd.CategoricalDtype):
        return Kind.CATEGORICAL
    few = pd.api.types.is_integer_dtype(column.dtype) and column.nunique() <= FEW_INTEGERS
    return Kind.CATEGORICAL if few else Kind.NUMERICAL


def _looks_like_dates(column: pd.Series) -> bool:
    return all(_ISO_TIME.fullmatch(str(value)) for value in column.dropna().unique())


def _require_present(wanted: list[Column], current: pd.DataFrame) -> None:
    missing = [column.name for column in wanted if column.name not in current.columns]
    if missing:
        raise DataError(
            Reason.COLUMN_MISSING,
            f"The current data lacks {_listed(missing)} of the reference. Deliver "
            f"{'it' if len(missing) == 1 else 'them'} again, or take "
            f"{'it' if len(missing) == 1 else 'them'} out of the reference data.",
        )


def _require_same_values(wanted: list[Column], in_current: dict[str, Values]) -> None:
    changed = [
        f"{column.name[:100]!r} ({column.holds} in the reference, {in_current[column.name]} in current)"
        for column in wanted
        if in_current[column.name] not in (column.holds, Values.NOTHING)
    ]
    if changed:
        raise DataError(
            Reason.COLUMN_TYPE_CHANGED,
            f"Columns changed their type: {'; '.join(changed[:NAMES_SHOWN])}{_more(changed)}. "
            f"Correct the values in the current data, or replace the reference.",
        )


def _skipped(judged: list[Column | Skipped], empty: set[str]) -> Iterator[Skipped]:
    for column in judged:
        if isinstance(column, Skipped):
            yield column
        elif column.name in empty:
            yield Skipped(column.name, "no values in the current data")


def _listed(names: list[str]) -> str:
    """Name a few and count the rest.

    >>> _listed(["a", "b"])
    "the columns 'a', 'b'"
    """
    shown = ", ".join(repr(name[:100]) for name in names[:NAMES_SHOWN])
    return f"the column{'' if len(names) == 1 else 's'} {shown}{_more(names)}"


def _more(names: list[str]) -> str:
    return f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""


def for_comparison(table: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return the columns as Evidently can compare them: numbers as float64, categories as text, rest missing.

    Infinite numbers become missing here: Evidently drops them in one of its two counts and not in the other.
    """
    return pd.DataFrame({column.name: _comparable(table[column.name], column) for column in columns})


def _comparable(values: pd.Series, column: Column) -> pd.Series:
    if column.holds is Values.NUMBERS:
        numbers = values.astype("float64").replace([np.inf, -np.inf], np.nan)
        return numbers if column.kind is Kind.NUMERICAL else _as_text(numbers)
    return _as_text(values.astype("object"))


def _as_text(values: pd.Series) -> pd.Series:
    """Write categories as text: one side may have 1 where the other, because of one gap, has 1.0."""
    spelt = {value: _spelt(value) for value in values.dropna().unique()}
    return values.map(spelt).astype("object")


def _spelt(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
