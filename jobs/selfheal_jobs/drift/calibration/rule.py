"""The rule Calibrated, put together: which columns count as drifted, and which could hide drift."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from selfheal_jobs.drift.calibration import homogeneity, rank_test
from selfheal_jobs.drift.calibration.level import columns_for_alarm, level, rank_correlations, strictest_level
from selfheal_jobs.drift.calibration.power import LEAST_ROWS, effective_rows, has_power, rows_needed
from selfheal_jobs.drift.methods.method import Method
from selfheal_jobs.drift.methods.pair import Array, Counts, Pair

_OWN_P_VALUE: Final = frozenset({"ks", "cramer_von_mises", "es", "mannw", "t_test"})
"""Methods for numbers whose p-value is fit for all sizes, and fine: that of `anderson` ends at 0.001."""

MOST_LIKELY: Final = 0.05
"""A distance that chance reaches more often than this never counts, however many columns there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one column has shown, before the number of columns is known."""

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
    """How many there are; None for numbers."""

    @property
    def effective_rows(self) -> float:
        """Return the size that decides what both sides can show."""
        return effective_rows(self.reference_rows, self.current_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a finding means among all others."""

    drifted: bool
    threshold: float
    """Evidently's, or the stricter one that the p-value had to stay below."""
    rows_needed: float = 0.0
    """Not drifted, but with fewer effective rows than these drift is not seen; zero for enough."""


def finding(method: Method, pair: Pair, score: float, threshold: float) -> Finding:
    """Return what a score means by itself: Evidently's verdict, and how likely drift is by chance."""
    drifted = method.says_drift(score, threshold)
    return Finding(
        method=method,
        score=score,
        threshold=threshold,
        evidently=drifted,
        p_value=_p_value(method, pair, score) if drifted else None,
        reference_rows=pair.reference_rows,
        current_rows=pair.current_rows,
        categories=pair.distinct if isinstance(pair, Counts) else None,
    )


def _p_value(method: Method, pair: Pair, score: float) -> float:
    if method.name in _OWN_P_VALUE:
        return score
    return homogeneity.p_value(pair) if isinstance(pair, Counts) else rank_test.p_value(pair)


def judged(
    findings: Sequence[Finding], threshold: float, rows: Callable[[], Sequence[Array]]
) -> list[Judgement]:
    """Judge all findings together.

    Args:
        findings: Of all columns.
        threshold: Of the share of drifted columns: more is an alarm.
        rows: Reads some rows of the reference, column by column, for correlations. Asked only if needed.
    """
    needed = columns_for_alarm(len(findings), threshold)
    strictest = strictest_level(len(findings), needed)
    if not any(each.evidently or _rows_needed(each, strictest) for each in findings):
        return [Judgement(drifted=False, threshold=each.threshold) for each in findings]
    common = level(rank_correlations(rows()), needed)
    return [_judged(each, common) for each in findings]


def _judged(finding: Finding, common: float) -> Judgement:
    enough = min(finding.reference_rows, finding.current_rows) >= LEAST_ROWS
    rare = finding.p_value is not None and finding.p_value <= _level(finding, common)
    drifted = finding.evidently and enough and rare
    own = finding.method.name in _OWN_P_VALUE
    return Judgement(
        drifted=drifted,
        threshold=min(finding.threshold, common) if own else finding.threshold,
        rows_needed=0.0 if drifted else _rows_needed(finding, common),
    )


def _level(finding: Finding, common: float) -> float:
    """Return what the chance of a finding must not exceed."""
    return common if finding.method.is_p_value else min(common, MOST_LIKELY)


def _rows_needed(finding: Finding, common: float) -> float:
    """Return how many effective rows would have been needed to see drift; zero if there are as many."""
    strict = min(_level(finding, common), MOST_LIKELY)
    if finding.method.is_p_value:
        strict = min(strict, finding.threshold)
    needed = rows_needed(finding.method, strict, finding.categories)
    return 0.0 if has_power(finding.reference_rows, finding.current_rows, needed) else max(needed, LEAST_ROWS)
