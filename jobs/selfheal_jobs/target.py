"""What the target column says about the task. Pure."""

import numpy as np
import pandas as pd

from selfheal_jobs.columns import FEW_INTEGERS, Values, values_of
from selfheal_operator.api.reasons import Task


def infer_task(target: pd.Series) -> Task | None:
    """Return the task that a target column stands for; None if it stands for neither.

    Text and booleans are classes. Whole numbers are classes if there are at most ten distinct ones (the same
    limit that makes integers categories when columns are compared), else quantities, as fractions always are.
    This is scikit-learn's `type_of_target` with a limit: there, any whole numbers are classes.
    """
    match values_of(target):
        case Values.TEXT | Values.BOOLEANS:
            return Task.CLASSIFICATION
        case Values.NUMBERS:
            return Task.CLASSIFICATION if _few_integers(target) else Task.REGRESSION
        case _:
            return None


def _few_integers(target: pd.Series) -> bool:
    numbers = target.dropna().astype("float64")
    numbers = numbers[np.isfinite(numbers)]  # a gap turns a column of integers into floats
    return bool((numbers % 1 == 0).all()) and numbers.nunique() <= FEW_INTEGERS
