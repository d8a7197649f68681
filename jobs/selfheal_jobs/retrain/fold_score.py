"""The score of a model on one fold, by the primary metric, and which of two scores is better. Pure."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from sklearn import metrics

LOWER_IS_BETTER: Final = frozenset(
    {"mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "brier_score", "log_loss"}
)
"""Metrics whose scorers scikit-learn names with neg_."""


def is_better_by(metric: str, one: float, other: float) -> bool:
    """Return whether `one` is strictly better than `other`.

    >>> is_better_by("f1_macro", 0.9, 0.8), is_better_by("root_mean_squared_error", 0.9, 0.8)
    (True, False)
    """
    return bool(gain(metric, one, other) > 0)


def gain(metric: str, one: Any, other: Any) -> Any:
    """Return by how much `one` is better than `other`, in the unit of the metric; negative where it is worse.

    >>> gain("accuracy", 0.75, 0.5), gain("mean_absolute_error", 1.0, 4.0)
    (0.25, 3.0)
    """
    return other - one if metric in LOWER_IS_BETTER else one - other


def fold_score(metric: str, actual: Any, answered: Any) -> float:
    """Return a metric of answers.

    Averages over classes are over those that the labels have: an answer of another class is wrong, and does
    not cost a whole class.

    Args:
        metric: The name of scikit-learn's scorer, without neg_.
        actual: The labels, one per row.
        answered: The model's answers, one per row.

    Raises:
        KeyError: The metric is none of answers, such as one of probabilities.
        ValueError: An answer is not a number, or a metric is not finite for these rows.
    """
    with warnings.catch_warnings(action="ignore"):  # classes that are never answered count as zero
        found = float(_METRICS[metric](np.asarray(actual), np.asarray(answered).reshape(len(actual))))
    if not np.isfinite(found):
        raise ValueError(f"{metric} is not defined for {len(actual)} rows")
    return found


def _macro(of: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda actual, answered: of(
        actual, answered, average="macro", labels=np.unique(actual), zero_division=0
    )


_METRICS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "f1_macro": _macro(metrics.f1_score),
    "precision_macro": _macro(metrics.precision_score),
    "recall_macro": _macro(metrics.recall_score),
    "accuracy": metrics.accuracy_score,
    "root_mean_squared_error": metrics.root_mean_squared_error,
    "mean_absolute_error": metrics.mean_absolute_error,
    "mean_squared_error": metrics.mean_squared_error,
    "r2": metrics.r2_score,
}
