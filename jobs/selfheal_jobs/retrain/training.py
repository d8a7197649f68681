"""What the candidates learn from, and the fit of one of them."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import joblib
import numpy as np
import pandas as pd
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.redaction import one_line
from selfheal_jobs.retrain.candidates import build_estimator
from selfheal_jobs.retrain.features import pipeline
from selfheal_jobs.retrain.recalibration import RecalibratedChampion
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.retraining import Candidate

logger = logging.getLogger(__name__)

Recipe = Candidate | RecalibratedChampion
"""What a retraining can fit: a candidate of the spec or of the defaults, or the recalibrated champion."""


_RARE: Final = 10
"""Of fewer rows of a class, a fold may have a single one to learn from."""

_ROWS_OF_A_THREAD: Final = 5_000
"""With fewer rows, threads wait for each other longer than they work, the more so on busy CPUs."""


class TrainingSet(Struct, frozen=True, kw_only=True):
    """The training rows of all candidates, without the held-out rows."""

    rows: pd.DataFrame
    """The feature columns, with the index 0, 1, 2, …"""
    target: pd.Series
    columns: tuple[Column, ...]
    task: Task
    seed: int
    metric: str
    """The primary metric, by the name of scikit-learn's scorer without neg_."""
    groups: NDArray[np.int64] | None = None
    """A code per row: rows of one code are on one side of every split. None: each row is its own group."""
    times: NDArray[np.datetime64] | None = None
    """The time of each row, ascending; those of the reference's rows are not looked at."""
    reference: NDArray[np.bool_] | None = None
    """Which rows are of the reference: they are learnt from, and no candidate is scored on them."""
    reference_optional: bool = False
    """Whether the cross-validation decides if the reference's rows are learnt from (trainingData: Auto)."""

    def taken(self, chosen: NDArray[Any]) -> Self:
        """Return the training set of some rows, by their positions or a mask."""
        return replace(
            self,
            rows=self.rows[chosen] if chosen.dtype == bool else self.rows.iloc[chosen],
            target=self.target[chosen] if chosen.dtype == bool else self.target.iloc[chosen],
            groups=None if self.groups is None else self.groups[chosen],
            times=None if self.times is None else self.times[chosen],
            reference=None if self.reference is None else self.reference[chosen],
        )

    def without_reference(self) -> Self:
        """Return the training set without the rows of the reference."""
        if self.reference is None:
            return self
        return replace(self.taken(~self.reference), reference=None, reference_optional=False)


def fit(candidate: Recipe, training_set: TrainingSet) -> Pipeline:
    """Return a candidate's pipeline, fitted on all rows of the training set.

    Raises:
        CandidateError, ParamError: The candidate cannot be constructed.
        Exception: Whatever the estimator raises.
    """
    model = pipeline(estimator_of(candidate, training_set), training_set.columns)
    if isinstance(candidate, RecalibratedChampion):  # it prepares its rows itself
        model = Pipeline([model.steps[0], model.steps[-1]])
    with limited_threads(len(training_set.rows)), logged_warnings(candidate.name):
        fitted: Pipeline = model.fit(training_set.rows, training_set.target)
    return fitted


def estimator_of(candidate: Recipe, training_set: TrainingSet) -> BaseEstimator:
    """Return a candidate's unfitted estimator, without the preparation of its rows.

    Raises:
        CandidateError, ParamError: The candidate cannot be constructed.
    """
    if isinstance(candidate, RecalibratedChampion):
        return candidate.estimator_for(training_set.task, rows=len(training_set.rows))
    made = build_estimator(
        candidate,
        training_set.task,
        seed=training_set.seed,
        cpus=threads_for(len(training_set.rows)),
        target=training_set.target,
    )
    return _with_rare_classes(made, training_set.target)


def _with_rare_classes(estimator: BaseEstimator, target: pd.Series) -> BaseEstimator:
    """Keep gradient boosting from failing at a class of one row.

    With more than 10,000 rows it splits off rows for early stopping by class, which needs two of each.
    """
    automatic = isinstance(estimator, HistGradientBoostingClassifier) and estimator.early_stopping == "auto"
    if automatic and target.value_counts().min() < _RARE:
        estimator.set_params(early_stopping=False)
    return estimator


def threads_for(rows: int) -> int:
    """Return how many threads a fit may use: the container's CPUs, or one for few rows."""
    return joblib.cpu_count() if rows >= _ROWS_OF_A_THREAD else 1


@contextmanager
def limited_threads(rows: int) -> Iterator[None]:
    """Limit the threads of BLAS and OpenMP, which HistGradientBoosting uses, for a fit of so many rows."""
    with threadpool_limits(threads_for(rows)):
        yield


@contextmanager
def logged_warnings(name: str) -> Iterator[None]:
    """Log each warning of a candidate once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for text in sorted({one_line(each.message) for each in caught if isinstance(each.message, Warning)}):
        logger.info("%s warns: %s", name, text)
