"""Infers the task, classification or regression, from the target column."""

import numpy as np

from selfheal_jobs.columns.infer_kind import FEW_INTEGERS
from selfheal_jobs.tables.content import Content, Values
from selfheal_operator.api.reasons import Task


def infer_task(target: Content) -> Task | None:
    """Return the task of a target column; None if it suits neither.

    Text and booleans are classes. Integers are classes if there are at most ten distinct ones (the limit that
    also makes integers categories when columns are compared), otherwise quantities. Fractions are always
    quantities. This is scikit-learn's `type_of_target` with a limit: there, all integers are classes.
    """
    match target.holds:
        case Values.TEXT | Values.BOOLEANS:
            return Task.CLASSIFICATION
        case Values.NUMBERS:
            return Task.CLASSIFICATION if _few_integers(target) else Task.REGRESSION
        case _:
            return None


def _few_integers(target: Content) -> bool:
    # By the values, not the column's type: a gap turns integers into floats.
    whole = target.numbers is not None and bool(np.all(target.numbers % 1 == 0))
    return whole and not target.has_more_numbers_than(FEW_INTEGERS)
