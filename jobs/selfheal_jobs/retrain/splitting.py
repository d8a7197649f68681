"""Splits the data into a training set and a held-out set. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.frames import arrow_of
from selfheal_jobs.tables.content import Values, content_of
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.v1alpha1.retraining import Retraining

MIN_ROWS: Final = 20
"""With fewer rows, a held-out fifth is too small to compare models."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """The training set and the held-out set; both still have every column, including the target."""

    train: pd.DataFrame
    test: pd.DataFrame
    dropped: int
    """Number of rows without a target."""
    of_reference: NDArray[np.bool_] | None = None
    """Which training rows are of the reference, where the others are of the current data."""


def split(
    reference: pd.DataFrame, current: pd.DataFrame, *, target: str, task: Task, rules: Retraining
) -> Split:
    """Split according to `rules.training_data`, with the random seed `rules.random_seed`.

    Current and Reference use only that table. ReferenceAndCurrent holds out rows of the current data only,
    since new data will be like it, and trains on its other rows and the whole reference. The split is
    stratified by class if every class has enough rows.

    Raises:
        DataError: The target is missing (ColumnMissing) or unusable (TargetUnusable), or there are too few
            rows with a target (TooFewRows).
    """
    divided = reference if rules.training_data == "Reference" else current
    labelled = with_target(divided, target, task)
    _require_rows(labelled, target)
    train, test = train_test_split(
        labelled,
        test_size=rules.test_fraction,
        random_state=rules.random_seed,
        stratify=_strata(labelled[target], rules.test_fraction) if task is Task.CLASSIFICATION else None,
    )
    dropped = len(divided) - len(labelled)
    of_reference = None
    if rules.training_data == "ReferenceAndCurrent" or _may_help(reference, target, rules):
        more = with_target(reference, target, task)
        dropped += len(reference) - len(more)
        of_reference = np.arange(len(more) + len(train)) < len(more)
        train = pd.concat([more, train], ignore_index=True)
    _require_classes(train[target], target, task)
    return Split(
        train=train.reset_index(drop=True),
        test=test.reset_index(drop=True),
        dropped=dropped,
        of_reference=of_reference,
    )


def _may_help(reference: pd.DataFrame, target: str, rules: Retraining) -> bool:
    """Return whether the cross-validation is to try the reference: it does without labels there."""
    return (
        rules.training_data == "Auto"
        and target in reference.columns
        and bool(reference[target].notna().any())
    )


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
    kept[target] = values[present]
    return kept.astype({target: _dtype(values[present], task)})


def target_missing(target: str) -> DataError:
    """Return the error for a missing target column."""
    return DataError(
        Reason.COLUMN_MISSING,
        f"The training data has no column {target!r}. Correct spec.target or deliver the labels with it.",
    )


_USABLE: Final = {
    Task.CLASSIFICATION: frozenset({Values.NUMBERS, Values.BOOLEANS, Values.TEXT}),
    Task.REGRESSION: frozenset({Values.NUMBERS}),
}


def _numbers(values: pd.Series) -> pd.Series:
    return values.astype("float64").replace([np.inf, -np.inf], np.nan)


def _classes(values: pd.Series, holds: Values) -> pd.Series:
    if holds is not Values.NUMBERS:
        return values.astype("object")
    # Integers never pass through floats, where 2**53 and 2**53 + 1 are one class.
    return values if pd.api.types.is_integer_dtype(values.dtype) else _numbers(values)


def _dtype(present: pd.Series, task: Task) -> str:
    """Return the dtype of the labels: integers and booleans that a gap has converted are converted back."""
    if task is Task.REGRESSION:
        return "float64"
    if pd.api.types.is_integer_dtype(present.dtype):
        return "uint64" if len(present) and present.max() > np.iinfo(np.int64).max else "int64"
    if present.dtype == "float64":
        return "int64" if bool((present % 1 == 0).all()) else "float64"
    return "bool" if content_of(arrow_of(present)).holds is Values.BOOLEANS else "object"


def _require_rows(labelled: pd.DataFrame, target: str) -> None:
    if len(labelled) < MIN_ROWS:
        raise DataError(
            Reason.TOO_FEW_ROWS,
            f"Only {len(labelled)} rows have a value in the target {target!r}, and {MIN_ROWS} are needed. "
            f"Collect more, or set spec.retraining.trainingData to ReferenceAndCurrent or Reference.",
        )


def _require_classes(train: pd.Series, target: str, task: Task) -> None:
    if task is Task.CLASSIFICATION and train.nunique() < 2:
        raise DataError(
            Reason.TARGET_UNUSABLE,
            f"The target {target!r} has only one class in the training rows, so there is nothing to learn. "
            f"Collect rows of other classes, or set spec.retraining.trainingData to ReferenceAndCurrent.",
        )


def _strata(labels: pd.Series, test_fraction: float) -> pd.Series | None:
    """Return the labels for a stratified split; None if a class has too few rows for both sides."""
    counts = labels.value_counts()
    tested = int(np.ceil(test_fraction * len(labels)))
    room = min(tested, len(labels) - tested)
    return labels if counts.min() >= 2 and room >= len(counts) else None
