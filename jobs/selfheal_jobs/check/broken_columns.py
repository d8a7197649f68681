"""Columns that tell of a broken feed rather than of another world: constants, and missing values. Pure.

What is learnt from them is worth nothing once the feed is repaired, so no retraining follows from them.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from selfheal_jobs.check.column_facts import ColumnFacts
from selfheal_jobs.columns.broken_feed import has_more_gaps
from selfheal_jobs.columns.scan import EMPTY, ColumnPlan
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy


class BrokenColumn(Struct, frozen=True):
    """A column whose feed is probably broken, and why."""

    name: str
    reason: str


def broken_columns(
    facts: Sequence[ColumnFacts], plan: ColumnPlan | None, policy: ColumnPolicy
) -> list[BrokenColumn]:
    """Return the columns that have turned constant, or whose gaps exceed columnPolicy.maxNullShare.

    Args:
        facts: Of the compared columns.
        plan: Which columns are not compared, since they have no values now.
        policy: Says by how much the share of gaps may rise.
    """
    return [*_of_compared(facts, policy), *_emptied(plan, policy)]


def changed_gaps(facts: Sequence[ColumnFacts], policy: ColumnPolicy) -> frozenset[str]:
    """Return the columns whose share of gaps has risen or fallen by more than the policy allows."""
    most = policy.max_null_share
    return frozenset(each.name for each in facts if abs(each.null_share - each.reference_null_share) > most)


def _of_compared(facts: Sequence[ColumnFacts], policy: ColumnPolicy) -> Iterator[BrokenColumn]:
    for each in facts:
        if each.is_constant_by_fault:
            yield BrokenColumn(each.name, "one value in all rows")
        elif has_more_gaps(each.null_share, each.reference_null_share, policy.max_null_share):
            yield BrokenColumn(each.name, missing(each.null_share, each.reference_null_share))


def _emptied(plan: ColumnPlan | None, policy: ColumnPolicy) -> Iterator[BrokenColumn]:
    aside = (*plan.skipped, *plan.counted) if plan else ()
    for each in aside:
        before = each.reference_null_share
        if each.reason == EMPTY and before is not None and has_more_gaps(1.0, before, policy.max_null_share):
            yield BrokenColumn(each.name, missing(1.0, before))


def missing(now: float, before: float) -> str:
    """Tell both shares.

    >>> missing(0.9, 0.0)
    '90 % missing, 0 % in the reference'
    """
    return f"{100 * now:.0f} % missing, {100 * before:.0f} % in the reference"
