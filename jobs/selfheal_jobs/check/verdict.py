"""The verdict of a check: a result, a reason, and a message."""

import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from selfheal_jobs.check.broken_columns import BrokenColumn, missing
from selfheal_jobs.check.column_facts import ColumnFacts
from selfheal_jobs.columns.scan import NAMES_SHOWN
from selfheal_jobs.drift.compare import ColumnDrift, Comparison
from selfheal_jobs.errors import DataError
from selfheal_jobs.names_shown import some
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.v1alpha1.status import MethodUse

_INCONCLUSIVE: Final = frozenset({Reason.EMPTY_DATA, Reason.NOTHING_TO_COMPARE, Reason.TOO_FEW_ROWS})


class Verdict(Struct, frozen=True):
    """A result, and why."""

    result: CheckResult
    reason: Reason
    sentence: str


def of_problem(problem: DataError) -> Verdict:
    """Return the verdict of a check that could not compare the data."""
    inconclusive = problem.reason in _INCONCLUSIVE
    return Verdict(
        CheckResult.INCONCLUSIVE if inconclusive else CheckResult.ERROR, problem.reason, str(problem)
    )


def of_comparison(
    comparison: Comparison,
    threshold: float,
    *,
    warning_threshold: float | None = None,
) -> Verdict:
    """Return the verdict of a comparison.

    Underpowered columns may have drifted undetected. If with them the share could exceed the threshold, the
    result is neither drift nor no drift. Detected drift stands regardless of underpowered columns.

    Args:
        comparison: All columns.
        threshold: Drift is declared when the share of drifted columns is greater.
        warning_threshold: A greater share is a warning, if it is certainly no drift.
    """
    total, drifted = comparison.columns_checked, comparison.columns_drifted
    counts = f"{drifted} of {total} columns drifted"
    own = (
        ""
        if comparison.evidently == len(comparison.drifted)
        else f"; {comparison.evidently} by Evidently's own rule"
    )
    if comparison.share > threshold:
        sentence = f"{counts} ({comparison.share:.4f} > {threshold:.4f}){own}"
        return Verdict(CheckResult.DRIFT, Reason.THRESHOLD_EXCEEDED, sentence)
    if (drifted + len(comparison.underpowered)) / total > threshold:
        return Verdict(
            CheckResult.INCONCLUSIVE, Reason.TOO_FEW_ROWS_FOR_METHOD, _too_few(comparison, counts + own)
        )
    if warning_threshold is not None and comparison.share > warning_threshold:
        sentence = (
            f"{counts} ({warning_threshold:.4f} < {comparison.share:.4f} <= {threshold:.4f}): "
            f"more than warningThreshold{own}"
        )
        return Verdict(CheckResult.WARNING, Reason.WARNING_THRESHOLD_EXCEEDED, sentence)
    sentence = f"{counts} ({comparison.share:.4f} <= {threshold:.4f}){own}"
    return Verdict(CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD, sentence)


def of_repeated_rows(comparison: Comparison, repeated: str) -> Verdict:
    """Return the verdict where copies of few rows are drift, and the distinct rows are not.

    A stuck sensor and a client that repeats its requests look alike here: neither Drift nor NoDrift is sure.

    Args:
        comparison: All columns, with the copies.
        repeated: Which rows are repeated, and what the comparison without copies found.
    """
    total, drifted = comparison.columns_checked, comparison.columns_drifted
    sentence = (
        f"{drifted} of {total} columns drifted, but {repeated}. Find out whether these are requests, a stuck "
        f"sensor or a repeated delivery, and remove the copies if they are not real"
    )
    return Verdict(CheckResult.INCONCLUSIVE, Reason.REPEATED_ROWS, sentence)


def _too_few(comparison: Comparison, counts: str) -> str:
    weakest = max(comparison.underpowered, key=_current_values_needed)
    others = (
        f" {len(comparison.underpowered)} columns could hide drift"
        if len(comparison.underpowered) > 1
        else " one could hide it"
    )
    return (
        f"{counts}, but{others}: {weakest.method} cannot see half a standard deviation in so few rows"
        f"{values_wanted(weakest)}. Collect more, or set spec.drift.rule to Evidently"
    )


def values_wanted(column: ColumnDrift) -> str:
    """Return how many values of an underpowered column would suffice: rows without a value show nothing."""
    reference, current = column.values
    needed = _current_values_needed(column)
    name = repr(column.name[:100])
    if math.isinf(needed):
        least = math.ceil(column.rows_needed)
        return f"; in the reference alone {name} needs more than {least} values ({reference} now)"
    return (
        f"; {name} needs {needed:.0f} values in current beside its {reference} of the reference "
        f"({current} now)"
    )


def _current_values_needed(column: ColumnDrift) -> float:
    """Return how many values of current give enough effective rows; infinite if the reference has too few."""
    reference, needed = column.values[0], column.rows_needed
    return math.ceil(needed * reference / (reference - needed)) if reference > needed else math.inf


def remarks_on_columns(
    comparison: Comparison,
    facts: Sequence[ColumnFacts],
    broken: Sequence[BrokenColumn],
) -> list[str]:
    """Return what the message of a verdict says of single columns: each remark names some and counts all."""
    robust = [repr(each.name[:100]) for each in comparison.columns if each.without_outliers]
    rounded = [f"{each.name[:100]!r} ({each.compared_in})" for each in facts if each.compared_in]
    looks = [f"{each.name[:100]!r} ({each.reason})" for each in broken]
    known = {each.name for each in broken}
    filled = [
        f"{each.name[:100]!r} ({missing(each.null_share, each.reference_null_share)})"
        for each in facts
        if each.name in {column.name for column in comparison.columns if column.by_gaps} - known
    ]
    remarks = (
        (looks, "{} probably from a broken feed, which is no reason to retrain: {}"),
        (filled, "{} with another share of missing values: {}"),
        (robust, "{} drifted by the distance without outliers, which hide it otherwise: {}"),
        (rounded, "{} compared in the coarser precision of both sides: {}"),
    )
    return [said.format(len(names), some(names, NAMES_SHOWN)) for names, said in remarks if names]


def change_of_methods(before: Sequence[MethodUse], now: Sequence[MethodUse]) -> str:
    """Return a sentence about kinds of columns whose set of methods has changed; empty if none has.

    The number of columns per method may change from check to check and is ignored.
    """
    changed = [
        f"{kind} columns: {_named(before, kind)} before, {_named(now, kind)} now"
        for kind in sorted({each.kind for each in before} & {each.kind for each in now})
        if _named(before, kind) != _named(now, kind)
    ]
    return f"the methods have changed ({'; '.join(changed)})" if changed else ""


def _named(uses: Sequence[MethodUse], kind: str) -> str:
    return " and ".join(sorted({each.method for each in uses if each.kind == kind}))
