"""Which columns counts of their values are not enough for, by the methods that a spec names. Pure."""

from typing import Final

from selfheal_jobs.columns.infer_kind import Column, infer_kind
from selfheal_jobs.drift.compare import named_method
from selfheal_jobs.tables.content import Content
from selfheal_operator.api.v1alpha1.drift import Drift

BY_ROWS: Final = frozenset({"TVD", "empirical_mmd", "es", "t_test"})
"""Methods whose score depends on the order of the rows: two exchange rows at random, and two add up
fractions, whose last digit depends on which come first."""


def needs_rows(name: str, content: Content, rules: Drift) -> bool:
    """Return whether a column must be read row by row, however few values it has."""
    named = {rules.method, rules.numerical_method, rules.categorical_method}
    if BY_ROWS.isdisjoint(named | {each.method for each in rules.columns}):
        return False
    column = infer_kind(name, content)
    return isinstance(column, Column) and named_method(column, rules) in BY_ROWS
