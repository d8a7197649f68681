"""What the test of a column needs of one side, computed once: numbers in ascending order, or counted.

It is most of a check's work, and NumPy does it without the interpreter's lock: several sides at once.
"""

from dataclasses import replace

import numpy as np

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.compare import named_method
from selfheal_jobs.drift.methods.catalogue import METHODS
from selfheal_jobs.drift.methods.wasserstein import deviation
from selfheal_jobs.tables.content import Content
from selfheal_operator.api.v1alpha1.drift import Drift


def prepared(content: Content, column: Column, rules: Drift) -> Content:
    """Return a side of a column so that its test, and the facts about it, need not sort or count it again."""
    if content.numbers is None or content.ascending:
        return content
    if column.kind is Kind.CATEGORICAL:
        return replace(content, counts=content.value_counts())
    named = named_method(column, rules)
    if named is not None and METHODS[named].order_matters:
        return content
    with np.errstate(all="ignore"):  # numbers near the ends of what floats hold
        known = deviation(content.numbers)
    return replace(content, numbers=np.sort(content.numbers), ascending=True, deviation=known)
