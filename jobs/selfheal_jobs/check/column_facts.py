"""What is seen of the current data while its columns are compared: gaps, new categories, outliers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import Compared
from selfheal_jobs.tables.content import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One compared column of the current data."""

    name: str
    null_share: float
    """Share of all rows: gaps, and numbers that are not finite."""
    new_categories: int = 0
    """Values of a categorical column that the reference lacks."""
    rows_of_new_categories: int = 0
    share_of_new_categories: float = 0.0
    """Share of all rows."""
    out_of_range: float = 0.0
    """Share of all rows: numbers below the reference's least or above its greatest."""
    has_become_constant: bool = False
    """One single value, where the reference has more."""


def facts_of(compared: Compared, rows: int) -> ColumnFacts:
    """Return what is seen of a column.

    Args:
        compared: What both sides hold.
        rows: Of the current data.
    """
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
    """Return the least and the greatest number."""
    numbers: Any = content.numbers
    return (numbers[0], numbers[-1]) if content.ascending else (numbers.min(), numbers.max())


def _outside(content: Content, low: Any, high: Any) -> int:
    """Return how many numbers are outside of the bounds."""
    numbers: Any = content.numbers
    least, greatest = _bounds(content)
    if least >= low and greatest <= high:
        return 0
    if content.ascending and numbers.dtype == low.dtype:
        first, last = np.searchsorted(numbers, low, side="left"), np.searchsorted(numbers, high, side="right")
        return int(first + len(numbers) - last)
    return int(np.count_nonzero((numbers < low) | (numbers > high)))


def _is_constant(content: Content) -> bool:
    if (numbers := content.numbers) is not None:
        return bool(numbers[0] == numbers[-1] and (content.ascending or (numbers == numbers[0]).all()))
    return len(content.counts) == 1
