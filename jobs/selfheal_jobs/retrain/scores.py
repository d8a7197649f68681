"""Scores a model on the held-out set, with scikit-learn's metrics under the names of its scorers. Pure."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
from sklearn import metrics

from selfheal_operator.api.model import format_number
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.status import MetricComparison

PRIMARY: Final[Mapping[Task, str]] = {
    Task.CLASSIFICATION: "f1_macro",
    Task.REGRESSION: "root_mean_squared_error",
}
"""The primary metric of each task.

f1_macro gives every class the same weight: if drift makes a class rare, a model that never predicts it can
still have a high accuracy and high weighted averages. root_mean_squared_error is in the target's unit and
penalises large errors.
"""

_LOWER_IS_BETTER: Final = frozenset({"mean_squared_error", "root_mean_squared_error", "mean_absolute_error"})


class Predictor(Protocol):
    """A fitted model."""

    def predict(self, rows: pd.DataFrame, /) -> Any:
        """Return one prediction per row."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The held-out set: rows that no candidate was trained on, and their targets."""

    rows: pd.DataFrame
    target: pd.Series
    task: Task


def score(model: Predictor, held_out: HeldOut) -> dict[str, float]:
    """Return the model's metrics; one that is not defined for these rows is absent.

    Classification: f1_macro, accuracy, precision_macro, recall_macro, and roc_auc for two classes or
    roc_auc_ovr (one-vs-rest, macro average) for more. Regression: root_mean_squared_error,
    mean_absolute_error, mean_squared_error, r2. These are the names of scikit-learn's scorers; errors are
    without the neg_ prefix, because they are not negated here.
    """
    with warnings.catch_warnings(action="ignore"):  # classes never seen or never predicted count as zero
        predicted = np.asarray(model.predict(held_out.rows)).reshape(len(held_out.rows))
        if held_out.task is Task.REGRESSION:
            return _regression(held_out.target, predicted.astype("float64"))
        return _classification(held_out.target, predicted) | _ranking(model, held_out)


def _regression(actual: pd.Series, predicted: Any) -> dict[str, float]:
    found = {
        "root_mean_squared_error": float(metrics.root_mean_squared_error(actual, predicted)),
        "mean_absolute_error": float(metrics.mean_absolute_error(actual, predicted)),
        "mean_squared_error": float(metrics.mean_squared_error(actual, predicted)),
        "r2": float(metrics.r2_score(actual, predicted)),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _classification(actual: pd.Series, predicted: Any) -> dict[str, float]:
    macro: dict[str, Any] = {"average": "macro", "zero_division": 0}
    labels = actual.to_numpy()
    predicted = predicted.astype(labels.dtype)
    return {
        "f1_macro": float(metrics.f1_score(labels, predicted, **macro)),
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "precision_macro": float(metrics.precision_score(labels, predicted, **macro)),
        "recall_macro": float(metrics.recall_score(labels, predicted, **macro)),
    }


def _ranking(model: Predictor, held_out: HeldOut) -> dict[str, float]:
    classes = getattr(model, "classes_", None)
    if classes is None or set(held_out.target) != set(classes):  # a class without rows has no ROC curve
        return {}
    certainty = _certainty(model, held_out.rows)
    if certainty is None:
        return {}
    try:
        if len(classes) == 2:
            positive = certainty if certainty.ndim == 1 else certainty[:, 1]
            return {"roc_auc": float(metrics.roc_auc_score(held_out.target == classes[1], positive))}
        ovr = metrics.roc_auc_score(held_out.target, certainty, multi_class="ovr", labels=classes)
        return {"roc_auc_ovr": float(ovr)}
    except (
        ValueError
    ):  # rows of a class that the model does not know, or certainties that are no probabilities
        return {}


def _certainty(model: Predictor, rows: pd.DataFrame) -> Any:
    """Return the probabilities, otherwise the decision function, or None if the model has neither."""
    for method in ("predict_proba", "decision_function"):
        if (ask := getattr(model, method, None)) is not None:
            return np.asarray(ask(rows))
    return None


def is_better(task: Task, one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Return whether `one` is strictly better than `other` by the primary metric."""
    name = PRIMARY[task]
    return one[name] < other[name] if name in _LOWER_IS_BETTER else one[name] > other[name]


def best(task: Task, scores: Mapping[str, Mapping[str, float]]) -> str:
    """Return the name of the best model; among equal ones the first.

    >>> scores = {"linear": {"f1_macro": 0.5}, "forest": {"f1_macro": 0.8}, "twin": {"f1_macro": 0.8}}
    >>> best(Task.CLASSIFICATION, scores)
    'forest'
    """
    names = list(scores)
    leader = names[0]
    for name in names[1:]:
        if is_better(task, scores[name], scores[leader]):
            leader = name
    return leader


def comparisons(
    candidate: Mapping[str, float], champion: Mapping[str, float] | None
) -> Sequence[MetricComparison]:
    """Return both models' metrics side by side, rounded to four digits to keep noise out of the status."""
    champion = champion or {}
    return [
        MetricComparison(
            name=name,
            candidate=format_number(candidate[name]) if name in candidate else None,
            champion=format_number(champion[name]) if name in champion else None,
        )
        for name in [*candidate, *(name for name in champion if name not in candidate)]
    ]
