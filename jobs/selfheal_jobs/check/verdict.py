"""The verdict of a check: a result, a reason, and a message."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from selfheal_jobs.drift.compare import Comparison
from selfheal_jobs.errors import DataError
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.v1alpha1.status import MethodUse, RowCounts

_INCONCLUSIVE: Final = frozenset({Reason.EMPTY_DATA, Reason.NOTHING_TO_COMPARE, Reason.TOO_FEW_ROWS})


@dataclass(frozen=True, slots=True)
class Verdict:
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
    rows: RowCounts | None = None,
    *,
    warning_threshold: float | None = None,
) -> Verdict:
    """Return the verdict of a comparison.

    Underpowered columns may have drifted undetected. If with them the share could exceed the threshold, the
    result is neither drift nor no drift. Detected drift stands regardless of underpowered columns.

    Args:
        comparison: All columns.
        threshold: Drift is declared when the share of drifted columns is greater.
        rows: Row counts of both sides, for the message about too few rows.
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
            CheckResult.INCONCLUSIVE, Reason.TOO_FEW_ROWS_FOR_METHOD, _too_few(comparison, counts + own, rows)
        )
    if warning_threshold is not None and comparison.share > warning_threshold:
        sentence = (
            f"{counts} ({warning_threshold:.4f} < {comparison.share:.4f} <= {threshold:.4f}): "
            f"more than warningThreshold{own}"
        )
        return Verdict(CheckResult.WARNING, Reason.WARNING_THRESHOLD_EXCEEDED, sentence)
    sentence = f"{counts} ({comparison.share:.4f} <= {threshold:.4f}){own}"
    return Verdict(CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD, sentence)


def _too_few(comparison: Comparison, counts: str, rows: RowCounts | None) -> str:
    weakest = max(comparison.underpowered, key=lambda each: each.rows_needed)
    others = (
        f" {len(comparison.underpowered)} columns could hide drift"
        if len(comparison.underpowered) > 1
        else " one could hide it"
    )
    return (
        f"{counts}, but{others}: {weakest.method} cannot see half a standard deviation in so few rows"
        f"{_wanted(weakest.rows_needed, rows)}. Collect more, or set spec.drift.rule to Evidently"
    )


def _wanted(effective: float, rows: RowCounts | None) -> str:
    """Return how many rows of current data would suffice with a reference of this size."""
    if rows is None:
        return ""
    if rows.reference <= effective:
        return f"; the reference alone needs more than {math.ceil(effective)} ({rows.reference} now)"
    current = math.ceil(effective * rows.reference / (rows.reference - effective))
    return f"; {current} of current would do beside {rows.reference} of reference ({rows.current} now)"


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
