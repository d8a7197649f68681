"""Selects the rows that have a target, and converts it for scikit-learn. Pure."""

from typing import Any, Final

import numpy as np
import pandas as pd

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.frames import arrow_of
from selfheal_jobs.tables.content import Values, content_of
from selfheal_operator.api.reasons import Reason, Task


def with_target(table: pd.DataFrame, target: str, task: Task) -> pd.DataFrame:
    """Return the rows that have a target, with the target converted for scikit-learn.

    Raises:
        DataError: The column is missing, empty, or unsuitable for the task.
    """
    if target not in table.columns:
        raise target_missing(target)
    holds = content_of(arrow_of(table[target])).holds
    if holds is Values.NOTHING:
        raise DataError(
            Reason.TARGET_UNUSABLE, f"The target {target!r} has no values. Deliver the labels with the data."
        )
    if holds not in _USABLE[task]:
        raise DataError(
            Reason.TARGET_UNUSABLE,
            f"The target {target!r} holds {holds}, no use for {task}. Correct spec.target or spec.task.",
        )
    values = _classes(table[target], holds) if task is Task.CLASSIFICATION else _numbers(table[target])
    present = values.notna()
    kept = table[present].copy()
    dtype: Any = _dtype(values[present], task)
    kept[target] = values[present].astype(dtype)
    return kept


def target_missing(target: str) -> DataError:
    """Return the error for a missing target column."""
    return DataError(
        Reason.COLUMN_MISSING,
        f"The training data has no column {target!r}. Correct spec.target, deliver the labels with it, "
        f"or set spec.dataset.labels.",
    )


_USABLE: Final = {
    Task.CLASSIFICATION: frozenset({Values.NUMBERS, Values.BOOLEANS, Values.TEXT}),
    Task.REGRESSION: frozenset({Values.NUMBERS}),
}


def _numbers(values: pd.Series) -> pd.Series:
    return values.astype("float64").replace([np.inf, -np.inf], np.nan)


def _classes(values: pd.Series, holds: Values) -> pd.Series:
    """Return class labels; integers stay as they are, since floats cannot tell long ones apart."""
    if holds is Values.NUMBERS and not pd.api.types.is_integer_dtype(values.dtype):
        return _numbers(values)
    return values if holds is Values.NUMBERS else values.astype("object")


def _dtype(present: pd.Series, task: Task) -> str:
    """Return the dtype of the labels: integers and booleans that a gap has converted are converted back."""
    if task is Task.REGRESSION:
        return "float64"
    if pd.api.types.is_integer_dtype(present.dtype):
        return "uint64" if len(present) and present.max() > np.iinfo(np.int64).max else "int64"
    if present.dtype == "float64":
        return "int64" if bool((present % 1 == 0).all()) else "float64"
    return "bool" if content_of(arrow_of(present)).holds is Values.BOOLEANS else "object"
