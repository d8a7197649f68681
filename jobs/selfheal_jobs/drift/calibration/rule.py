"""The rule Calibrated: decides which columns count as drifted, and which are underpowered."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from selfheal_jobs.drift.calibration import homogeneity, rank_test
from selfheal_jobs.drift.calibration.level import columns_for_alarm, level, rank_correlations, strictest_level
from selfheal_jobs.drift.calibration.outliers import without_outliers
from selfheal_jobs.drift.calibration.power import LEAST_ROWS, effective_rows, has_power, rows_needed
from selfheal_jobs.drift.methods.method import Method
from selfheal_jobs.drift.methods.pair import Array, Counts, Pair

MOST_LIKELY: Final = 0.05
"""A distance with a larger p-value never counts as drift, whatever the number of columns."""


class ColumnTest(Struct, frozen=True, kw_only=True):
    """The test of one column, before the rule is applied to all columns."""

    method: Method
    score: float
    threshold: float
    evidently: bool
    """Evidently's verdict."""
    p_value: float | None
    """p-value of the difference under no drift; None if not computed."""
    reference_rows: int
    current_rows: int
    categories: int | None
    """The number of categories; None for numbers."""
    robust: "RobustTest | None" = None
    """The test without outliers, if only they keep the distance below the threshold."""

    @property
    def effective_rows(self) -> float:
        """Return the effective sample size of both sides."""
        return effective_rows(self.reference_rows, self.current_rows)


class RobustTest(Struct, frozen=True, kw_only=True):
    """The test of a column without its outliers, by a distance that reaches the threshold then."""

    score: float
    p_value: float
    """Of the ranks, outliers included."""


class Outcome(Struct, frozen=True, kw_only=True):
    """The rule's decision for one column, given the tests of all columns."""

    drifted: bool
    threshold: float
    """Evidently's threshold, or the stricter significance level that was applied to the p-value."""
    rows_needed: float = 0.0
    """Effective rows needed for enough power, if the column did not drift and has fewer; zero otherwise."""
    robust: bool = False
    """Whether it drifted by the test without outliers."""


def column_test(method: Method, pair: Pair, score: float, threshold: float) -> ColumnTest:
    """Return the column's test: its score, Evidently's verdict and, if that is drift, the p-value."""
    drifted = method.says_drift(score, threshold)
    return ColumnTest(
        method=method,
        score=score,
        threshold=threshold,
        evidently=drifted,
        p_value=_p_value(method, pair, score) if drifted else None,
        reference_rows=pair.reference_rows,
        current_rows=pair.current_rows,
        categories=pair.distinct if isinstance(pair, Counts) else None,
        robust=None if drifted else _robust_test(method, pair, threshold),
    )


def _robust_test(method: Method, pair: Pair, threshold: float) -> RobustTest | None:
    """Return the test without outliers if they blind a distance to numbers; None otherwise."""
    if method.is_p_value or isinstance(pair, Counts):
        return None
    limited = without_outliers(pair)
    if limited is None or not method.says_drift(score := float(method.score(limited)), threshold):
        return None
    return RobustTest(score=score, p_value=rank_test.p_value(pair))


def _p_value(method: Method, pair: Pair, score: float) -> float:
    if method.calibrated:
        return score
    return homogeneity.p_value(pair) if isinstance(pair, Counts) else rank_test.p_value(pair)


def apply_rule(
    tests: Sequence[ColumnTest], threshold: float, rows: Callable[[], Sequence[Array]]
) -> list[Outcome]:
    """Return which columns drifted by the rule Calibrated.

    Args:
        tests: Of all columns.
        threshold: A greater share of drifted columns raises an alarm.
        rows: Reads some rows of the reference, column by column, for correlations. Called only if needed.
    """
    needed = columns_for_alarm(len(tests), threshold)
    strictest = strictest_level(len(tests), needed)
    if not any(each.evidently or each.robust or _rows_needed(each, strictest) for each in tests):
        return [Outcome(drifted=False, threshold=each.threshold) for each in tests]
    common = level(rank_correlations(rows()), needed)
    return [_outcome(each, common) for each in tests]


def _outcome(test: ColumnTest, common: float) -> Outcome:
    enough = min(test.reference_rows, test.current_rows) >= LEAST_ROWS
    rare = test.p_value is not None and test.p_value <= _level(test, common)
    # The same significance level, so that outliers raise no more false alarms than drift without them.
    robust = test.robust is not None and enough and test.robust.p_value <= _level(test, common)
    drifted = (test.evidently and enough and rare) or robust
    own = test.method.calibrated
    return Outcome(
        drifted=drifted,
        robust=robust,
        threshold=min(test.threshold, common) if own else test.threshold,
        rows_needed=0.0 if drifted else _rows_needed(test, common),
    )


def _level(test: ColumnTest, common: float) -> float:
    """Return the greatest p-value at which a column counts as drifted."""
    return common if test.method.is_p_value else min(common, MOST_LIKELY)


def _rows_needed(test: ColumnTest, common: float) -> float:
    """Return how many effective rows the power requires; zero if the column has as many."""
    strict = min(_level(test, common), MOST_LIKELY)
    if test.method.is_p_value:
        strict = min(strict, test.threshold)
    needed = rows_needed(test.method, strict, test.categories)
    return 0.0 if has_power(test.reference_rows, test.current_rows, needed) else max(needed, LEAST_ROWS)
