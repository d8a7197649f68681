"""Decides which columns are read although their counts are known: those whose method needs the rows."""

from selfheal_jobs.columns.infer_kind import Column, infer_kind
from selfheal_jobs.drift.compare import named_method
from selfheal_jobs.drift.methods.catalogue import METHODS
from selfheal_jobs.tables.content import Content
from selfheal_operator.api.v1alpha1.drift import Drift


def needs_rows(name: str, content: Content, rules: Drift) -> bool:
    """Return whether a column must be read row by row, however few values it has."""
    named = {rules.method, rules.numerical_method, rules.categorical_method}
    if not any(map(_order_matters, named | {each.method for each in rules.columns})):
        return False
    column = infer_kind(name, content)
    return isinstance(column, Column) and _order_matters(named_method(column, rules))


def _order_matters(method: str | None) -> bool:
    """Return whether the method needs the order of the rows; Evidently's defaults (None) never do."""
    return method is not None and METHODS[method].order_matters
