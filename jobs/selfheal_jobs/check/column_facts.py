"""Statistics of the current data's columns beside drift: gaps, new categories, outliers."""

from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.columns.broken_feed import is_no_coincidence
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import Compared
from selfheal_jobs.tables.content import Content


class ColumnFacts(Struct, frozen=True, kw_only=True):
    """One compared column of the current data."""

    name: str
    null_share: float
    """Share of rows with a gap or a number that is not finite."""
    new_categories: int = 0
    """Number of distinct values of a categorical column that the reference lacks."""
    rows_of_new_categories: int = 0
    share_of_new_categories: float = 0.0
    """Share of all rows."""
    out_of_range: float = 0.0
    """Share of rows with a number below the reference's minimum or above its maximum."""
    has_become_constant: bool = False
    """Whether it has a single distinct value and the reference has more."""
    is_constant_by_fault: bool = False
    """Whether it has become constant, and can hardly have by chance."""
    reference_null_share: float = 0.0
    """Like `null_share`, of the reference."""
    compared_in: str = ""
    """The precision that both sides were rounded to, if they were."""


def facts_of(compared: Compared) -> ColumnFacts:
    """Return the facts of a column."""
    reference_rows, rows = compared.rows
    facts = _facts_of_values(compared, rows)
    return replace(
        facts,
        reference_null_share=1 - compared.reference.rows / reference_rows,
        compared_in=compared.compared_in,
        is_constant_by_fault=facts.has_become_constant
        and is_no_coincidence(share=_share_of_first(compared), rows=compared.current.rows),
    )


def _facts_of_values(compared: Compared, rows: int) -> ColumnFacts:
    reference, current = compared.reference, compared.current
    constant = _is_constant(current) and not _is_constant(reference)
    null_share = 1 - current.rows / rows
    name = compared.column.name
    if (
        compared.column.kind is Kind.NUMERICAL
        and reference.numbers is not None
        and current.numbers is not None
    ):
        return ColumnFacts(
            name=name,
            null_share=null_share,
            out_of_range=_outside(current, *_bounds(reference)) / rows,
            has_become_constant=constant,
        )
    known = reference.value_counts()
    new = [count for value, count in current.value_counts().items() if value not in known]
    return ColumnFacts(
        name=name,
        null_share=null_share,
        new_categories=len(new),
        rows_of_new_categories=sum(new),
        share_of_new_categories=sum(new) / rows,
        has_become_constant=constant,
    )


def _bounds(content: Content) -> tuple[Any, Any]:
    """Return the minimum and the maximum."""
    numbers: Any = content.numbers
    return (numbers[0], numbers[-1]) if content.ascending else (numbers.min(), numbers.max())


def _outside(content: Content, low: Any, high: Any) -> int:
    """Return how many numbers lie outside the bounds."""
    numbers: Any = content.numbers
    least, greatest = _bounds(content)
    if least >= low and greatest <= high:
        return 0
    if content.ascending and numbers.dtype == low.dtype:
        first, last = np.searchsorted(numbers, low, side="left"), np.searchsorted(numbers, high, side="right")
        return int(first + len(numbers) - last)
    return int(np.count_nonzero((numbers < low) | (numbers > high)))


def _share_of_first(compared: Compared) -> float:
    """Return the share of the current data's first value in the reference."""
    reference, current = compared.reference, compared.current
    if reference.numbers is not None and current.numbers is not None:
        return float(np.mean(reference.numbers == current.numbers[0]))
    return reference.counts.get(next(iter(current.counts)), 0) / reference.rows


def _is_constant(content: Content) -> bool:
    if (numbers := content.numbers) is not None:
        return bool(numbers[0] == numbers[-1] and (content.ascending or (numbers == numbers[0]).all()))
    return len(content.counts) == 1
