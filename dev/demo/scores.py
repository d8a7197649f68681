"""The demo's own scores, on rows that no model has seen: independent of what the product says of itself."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from sklearn import metrics

from selfheal_operator.api.reasons import Task

Scores = Mapping[str, float]

AVERAGE: Final = "macro"
"""How precision, recall and F1 of the classes are put together: a rare class counts as much as any."""
SMALLER_IS_BETTER: Final = frozenset({"mean_squared_error", "root_mean_squared_error", "mean_absolute_error"})


def score(model: Any, rows: pd.DataFrame, *, target: str, task: Task) -> Scores:
    """Return the scores of a fitted scikit-learn pipeline on `rows`, features and target together."""
    features, truth = rows.drop(columns=target), rows[target]
    if task is Task.REGRESSION:
        return _regression(truth, model.predict(features))
    return _classification(truth, model.predict(features)) | {
        "roc_auc": float(metrics.roc_auc_score(truth, model.predict_proba(features)[:, 1]))
    }


def improved(metric: str, *, before: Scores, after: Scores) -> bool:
    """Say whether `after` is strictly better."""
    gain = after[metric] - before[metric]
    return gain < 0 if metric in SMALLER_IS_BETTER else gain > 0


def scores_only(logged: Mapping[str, float]) -> Scores:
    """Leave out what a run has logged beside its scores, for example how long it took."""
    return {name: value for name, value in logged.items() if not name.endswith("_seconds")}


def _classification(truth: Any, predicted: Any) -> dict[str, float]:
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, predicted, average=AVERAGE, zero_division=0.0
    )
    return {
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "precision_macro": float(precision),
        "recall_macro": float(recall),
        "f1_macro": float(f1),
    }


def _regression(truth: Any, predicted: Any) -> dict[str, float]:
    return {
        "mean_squared_error": float(metrics.mean_squared_error(truth, predicted)),
        "root_mean_squared_error": float(metrics.root_mean_squared_error(truth, predicted)),
        "mean_absolute_error": float(metrics.mean_absolute_error(truth, predicted)),
        "r2": float(metrics.r2_score(truth, predicted)),
    }
