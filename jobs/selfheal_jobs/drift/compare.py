"""Tests every column for drift with Evidently's methods, and computes the share of drifted columns.

Scores and thresholds are those of Evidently's DataDriftPreset, computed without it: p-values for references
of up to 1,000 rows, distances for larger ones, or the methods that `spec.drift` names. Under the rule
Calibrated a column counts only if the difference is statistically significant (see `calibration`). The share
is taken over the compared columns. Drift is declared when it is GREATER than the threshold; Evidently also
declares drift when they are equal.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, Self

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import Compared
from selfheal_jobs.drift.calibration.rule import ColumnTest, Outcome, apply_rule, column_test
from selfheal_jobs.drift.methods.catalogue import METHODS, default_method
from selfheal_jobs.drift.methods.method import Method, UnfitMethodError
from selfheal_jobs.drift.methods.pair import Array, CodedRows, Counts, Numbers, Pair, in_order
from selfheal_jobs.drift.storage_noise import without_storage_noise
from selfheal_jobs.errors import DataError
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.drift import Drift

_LEAST: Final = 1e-300
"""Replaces a p-value of zero in a division."""


class ColumnDrift(Struct, frozen=True, kw_only=True):
    """One column's test."""

    name: str
    kind: Kind
    method: str
    """Evidently's id of the test, such as ks or wasserstein."""
    score: float
    """A p-value, or a distance."""
    threshold: float
    drifted: bool
    evidently: bool
    """Evidently's own verdict: the same, unless the difference is not statistically significant."""
    p_value: float | None = None
    """p-value of the difference under no drift; None if not computed."""
    rows_needed: float = 0.0
    """Effective rows needed for enough power, if the column did not drift and has fewer; zero otherwise."""
    values: tuple[int, int] = (0, 0)
    """How many rows of the reference and of the current data have a value."""
    without_outliers: bool = False
    """Whether score and verdict are those without outliers, which hide the difference from Evidently."""
    by_gaps: bool = False
    """Whether it counts as drifted because its share of gaps has changed."""

    @property
    def excess(self) -> float:
        """Return the ratio of score and threshold, at least 1: comparable between tests of the same kind.

        Infinite for a column whose share of gaps has changed: its score is that of the remaining values.
        """
        if self.by_gaps:
            return math.inf
        low, high = sorted((self.score, self.threshold))
        return high / max(low, _LEAST)


class Comparison(Struct, frozen=True, kw_only=True):
    """All columns' tests."""

    columns: tuple[ColumnDrift, ...]
    counted: int = 0
    """Number of columns without comparable values that count as drifted by the column policy."""

    @property
    def drifted(self) -> list[ColumnDrift]:
        """Return the drifted columns, the greatest excess first."""
        return sorted((each for each in self.columns if each.drifted), key=lambda each: -each.excess)

    @property
    def share(self) -> float:
        """Return the share of drifted columns, from 0 to 1."""
        return self.columns_drifted / self.columns_checked

    @property
    def columns_checked(self) -> int:
        """Return the number of columns in the denominator of the share."""
        return len(self.columns) + self.counted

    @property
    def columns_drifted(self) -> int:
        """Return how many of them drifted."""
        return len(self.drifted) + self.counted

    @property
    def underpowered(self) -> list[ColumnDrift]:
        """Return the columns that did not drift in a test without enough power."""
        return [each for each in self.columns if each.rows_needed]

    def with_changed_gaps(self, names: Collection[str]) -> Self:
        """Return the comparison with these columns counted as drifted: their share of gaps has changed."""
        return replace(
            self,
            columns=tuple(
                replace(each, drifted=True, by_gaps=True, rows_needed=0.0) if each.name in names else each
                for each in self.columns
            ),
        )

    @property
    def evidently(self) -> int:
        """Return how many columns drifted by Evidently's own rule."""
        return sum(each.evidently for each in self.columns)

    @property
    def methods(self) -> Counter[tuple[Kind, str]]:
        """Return how many columns of each kind each method tested."""
        return Counter((each.kind, each.method) for each in self.columns)


class Rows(Protocol):
    """Reads rows, for what one column's counts and numbers do not determine."""

    def words(self, name: str) -> tuple[Iterator[Any], Iterator[Any]]:
        """Read a column row by row, gaps included: of the reference, and of the current data."""

    def thinned(self, columns: Sequence[Column]) -> list[Array]:
        """Read some rows of the reference as numbers; NaN for gaps."""


def compare(compared: Iterable[Compared], rules: Drift, threshold: float, rows: Rows) -> Comparison:
    """Test columns for drift, and apply the rule to their tests.

    Args:
        compared: Columns, and what both sides hold.
        rules: Methods and thresholds (by default Evidently's), and the rule that is applied to the tests.
        threshold: A greater share of drifted columns raises an alarm.
        rows: Used by methods that need the rows in their order, and for correlations.

    Raises:
        DataError: A method that the rules name cannot be applied to a column (MethodNotApplicable).
    """
    tested = [(each.column, drift_test(without_storage_noise(each), rules, rows)) for each in compared]
    columns, tests = [column for column, _ in tested], [test for _, test in tested]
    return comparison_of(columns, tests, rules, threshold, rows)


def comparison_of(
    columns: Sequence[Column], tests: Sequence[ColumnTest], rules: Drift, threshold: float, rows: Rows
) -> Comparison:
    """Apply the rule to the tests of all columns."""
    if rules.rule == "Calibrated" and tests:
        outcomes = apply_rule(tests, threshold, lambda: rows.thinned(columns))
    else:
        outcomes = [Outcome(drifted=each.evidently, threshold=each.threshold) for each in tests]
    judged = zip(columns, tests, outcomes, strict=True)
    return Comparison(columns=tuple(_column_drift(*each) for each in judged))


def _column_drift(column: Column, test: ColumnTest, outcome: Outcome) -> ColumnDrift:
    """Return a column's result, with the score and the p-value that decided it."""
    decisive = test.robust if outcome.robust and test.robust is not None else test
    return ColumnDrift(
        name=column.name,
        kind=column.kind,
        method=test.method.id,
        score=decisive.score,
        threshold=outcome.threshold,
        drifted=outcome.drifted,
        evidently=test.evidently,
        p_value=decisive.p_value,
        rows_needed=outcome.rows_needed,
        values=(test.reference_rows, test.current_rows),
        without_outliers=outcome.robust,
    )


def drift_test(compared: Compared, rules: Drift, rows: Rows) -> ColumnTest:
    """Test one column for drift with the method and the threshold of the rules, by default Evidently's.

    Raises:
        DataError: The method cannot be applied to this column (MethodNotApplicable).
    """
    column = compared.column
    pair = pair_of(compared)
    method = _method(column, pair, rules)
    given = {each.name: each.threshold for each in rules.columns}.get(column.name)
    threshold = method.threshold if given is None else given
    by_rows = method.order_matters and column.kind is Kind.CATEGORICAL  # numbers are in order already
    with np.errstate(all="ignore"):  # numbers near the limits of float64: Evidently only warns
        try:
            score = float(method.score(_coded(compared, pair, rows) if by_rows else pair))
        except UnfitMethodError as error:
            raise _not_applicable(column, method.id, f"{error}", rules) from error
        return column_test(method, pair, score, threshold)


def pair_of(compared: Compared) -> Pair:
    """Return both sides in the form that the methods take."""
    reference, current = compared.reference, compared.current
    if compared.column.kind is Kind.CATEGORICAL or reference.numbers is None or current.numbers is None:
        return Counts.of(reference.value_counts(), current.value_counts())
    ascending = reference.ascending and current.ascending
    return Numbers(reference.numbers, current.numbers, reference.deviation, ascending=ascending)


def named_method(column: Column, rules: Drift) -> str | None:
    """Return the method that the rules name for the column, or for its kind, or for all columns, or None."""
    by_kind = rules.numerical_method if column.kind is Kind.NUMERICAL else rules.categorical_method
    own = {each.name: each.method for each in rules.columns}.get(column.name)
    return own or by_kind or rules.method


def _method(column: Column, pair: Pair, rules: Drift) -> Method:
    """Return the method that the rules name, or Evidently's choice."""
    name = named_method(column, rules)
    if name is None:
        return default_method(pair, column.kind)
    method = METHODS[name]
    if column.kind not in method.kinds:
        takes = "numbers" if column.kind is Kind.CATEGORICAL else "categories"
        raise _not_applicable(column, name, f"it compares {takes}, and this column is {column.kind}", rules)
    return method


def _not_applicable(column: Column, method: str, why: str, rules: Drift) -> DataError:
    own = any(each.name == column.name and each.method for each in rules.columns)
    field = f"spec.drift.columns[name={column.name[:100]}].method" if own else "spec.drift"
    return DataError(
        Reason.METHOD_NOT_APPLICABLE,
        f"{field}: {method} cannot judge the column {column.name[:100]!r}: {why}. "
        f"Name another method for it.",
    )


def _coded(compared: Compared, pair: Pair, rows: Rows) -> CodedRows:
    reference, current = compared.reference, compared.current
    if reference.numbers is not None and current.numbers is not None:
        values = np.union1d(reference.numbers, current.numbers)
        return CodedRows(
            np.searchsorted(values, reference.numbers), np.searchsorted(values, current.numbers), pair.counts
        )
    positions = {word: number for number, word in enumerate(in_order({*reference.counts, *current.counts}))}
    before, now = rows.words(compared.column.name)
    return CodedRows(_positions(before, positions), _positions(now, positions), pair.counts)


def _positions(words: Iterable[Any], positions: Mapping[Any, int]) -> Any:
    return np.fromiter((positions[word] for word in words if word is not None), dtype=np.int64)
