"""Prepares one side of a column for its test: sorts its numbers, or counts them.

This is most of a check's work. NumPy releases the GIL meanwhile, so several sides are prepared in parallel.
"""

import numpy as np
from msgspec.structs import replace

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.compare import named_method
from selfheal_jobs.drift.methods.catalogue import METHODS
from selfheal_jobs.drift.methods.wasserstein import deviation
from selfheal_jobs.tables.content import Content
from selfheal_operator.api.v1alpha1.drift import Drift


def prepared(content: Content, column: Column, rules: Drift) -> Content:
    """Return one side sorted or counted, so that neither its test nor its facts do this again."""
    if content.numbers is None or content.ascending:
        return content
    if column.kind is Kind.CATEGORICAL:
        return replace(content, counts=content.value_counts())
    named = named_method(column, rules)
    if named is not None and METHODS[named].order_matters:
        return content
    with np.errstate(all="ignore"):  # numbers near the limits of float64
        known = deviation(content.numbers)
    return replace(content, numbers=np.sort(content.numbers), ascending=True, deviation=known)
