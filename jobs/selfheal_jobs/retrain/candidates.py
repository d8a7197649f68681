"""Selects the candidate models, and constructs their estimators from the strings of a manifest. Pure."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final

import pandas as pd
from sklearn.base import BaseEstimator

from selfheal_jobs.retrain.class_params import class_params
from selfheal_operator.api.estimators import CLASSIFIERS, REGRESSORS
from selfheal_operator.api.param_values import param_values
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.retraining import Candidate

# Each leaf has at least one row in 5,000: otherwise the size of a forest grows with the data without limit.
# With this limit, 80,000 rows of five normal columns and random labels make a model of 39 MB.
_FOREST: Final = {"n_estimators": "100", "min_samples_leaf": "0.0002"}

DEFAULTS: Final[Mapping[Task, tuple[Candidate, ...]]] = {
    Task.CLASSIFICATION: (
        Candidate(
            name="linear", estimator="sklearn.linear_model.LogisticRegression", params={"max_iter": "1000"}
        ),
        Candidate(name="forest", estimator="sklearn.ensemble.RandomForestClassifier", params=_FOREST),
        Candidate(name="boosting", estimator="sklearn.ensemble.HistGradientBoostingClassifier"),
    ),
    Task.REGRESSION: (
        Candidate(name="linear", estimator="sklearn.linear_model.LinearRegression"),
        Candidate(name="forest", estimator="sklearn.ensemble.RandomForestRegressor", params=_FOREST),
        Candidate(name="boosting", estimator="sklearn.ensemble.HistGradientBoostingRegressor"),
    ),
}
"""The default candidates of each task: a linear model, a forest and gradient boosting.

None weighs classes: balanced weights distort the probabilities and gain nothing (van den Goorbergh et al.,
The harm of class imbalance corrections for risk prediction models, JAMIA 2022).
"""

_ALLOWED: Final = {Task.CLASSIFICATION: CLASSIFIERS, Task.REGRESSION: REGRESSORS}

_DEPRECATED_N_JOBS: Final = frozenset({"sklearn.linear_model.LogisticRegression"})
"""Estimators whose n_jobs has no effect any more and raises a warning."""

_QUIET: Final = {"lightgbm": {"verbosity": -1}}
"""LightGBM writes a dozen lines for each fit otherwise."""

INNER: Final = "estimator"
"""The parameter that names the estimator inside another one, such as TunedThresholdClassifierCV."""


class CandidateError(ValueError):
    """A candidate cannot be constructed: its estimator or a parameter does not exist."""


def candidates_for(wanted: Sequence[Candidate], task: Task) -> tuple[Candidate, ...]:
    """Return the spec's candidates, or the defaults of the task."""
    return tuple(wanted) or DEFAULTS[task]


def build_estimator(
    candidate: Candidate, task: Task, *, seed: int, cpus: int, target: pd.Series | None = None
) -> BaseEstimator:
    """Return the unfitted estimator, with random_state `seed` and n_jobs `cpus` if it has these parameters.

    Only the listed classes are imported, so a manifest cannot execute arbitrary code. With a target, the
    parameters that name classes are read as classes of it.

    Raises:
        CandidateError: The estimator is not one of the task's, is not installed, or lacks a parameter.
        ParamError: A parameter's value cannot be read.
    """
    parameters = _parameters(candidate.estimator, task)
    if unknown := sorted(set(candidate.params) - set(parameters)):
        raise CandidateError(
            f"{candidate.estimator} has no parameter {unknown[0]!r}" + _meant(unknown[0], parameters)
        )
    values = param_values(candidate)
    if target is not None and task is Task.CLASSIFICATION:
        values |= class_params(candidate, target)
    if values.get(INNER) is not None:
        inner = candidate.replaced(estimator=str(values[INNER]), params={})
        values[INNER] = build_estimator(inner, task, seed=seed, cpus=1)
    made: BaseEstimator = _class(candidate.estimator)(
        **_defaults(candidate.estimator, parameters, seed=seed, cpus=cpus) | values
    )
    return made


def _parameters(path: str, task: Task) -> Collection[str]:
    if (parameters := _ALLOWED[task].get(path)) is None:
        raise CandidateError(f"{path} is no {task} estimator of scikit-learn" + _meant(path, _ALLOWED[task]))
    return parameters


def _class(path: str) -> Any:
    module, name = path.rsplit(".", 1)
    try:
        return getattr(import_module(module), name)
    except ImportError as error:
        package = module.split(".")[0]
        raise CandidateError(
            f"{path} needs the package {package}, which the image lacks: build it with the extra 'boosting'"
        ) from error


def _defaults(path: str, parameters: Collection[str], *, seed: int, cpus: int) -> dict[str, Any]:
    chosen: dict[str, Any] = dict(_QUIET.get(path.split(".", 1)[0], {}))
    if "random_state" in parameters:
        chosen["random_state"] = seed
    if "n_jobs" in parameters and path not in _DEPRECATED_N_JOBS:
        chosen["n_jobs"] = cpus
    return chosen


def _meant(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f". Did you mean {close[0]}?" if close else "."
