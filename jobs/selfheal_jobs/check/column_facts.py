"""What is seen of the current data while its columns are compared: gaps, new categories, outliers. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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


def observed(compared: Iterable[Compared], rows: int, facts: list[ColumnFacts]) -> Iterator[Compared]:
    """Pass columns on, and take note of each: no column is read twice.

    Args:
        compared: Columns on their way to be tested.
        rows: Of the current data.
        facts: Grows by one for each column.
    """
    for each in compared:
        facts.append(_facts(each, rows))
        yield each


def _facts(compared: Compared, rows: int) -> ColumnFacts:
    reference, current = compared.reference, compared.current
    constant = _is_constant(current) and not _is_constant(reference)
    null_share = 1 - current.rows / rows
    name = compared.column.name
    if (
        compared.column.kind is Kind.NUMERICAL
        and reference.numbers is not None
        and current.numbers is not None
    ):
        low, high = reference.numbers.min(), reference.numbers.max()
        outside = np.count_nonzero((current.numbers < low) | (current.numbers > high))
        return ColumnFacts(
            name=name, null_share=null_share, out_of_range=outside / rows, has_become_constant=constant
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


def _is_constant(content: Content) -> bool:
    if (numbers := content.numbers) is not None:
        return bool(numbers[0] == numbers[-1] and (numbers == numbers[0]).all())
    return len(content.counts) == 1
