"""How well predictions have fitted the labels that arrived since, by scikit-learn's metrics. Pure."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from selfheal_jobs.errors import DataError
from selfheal_jobs.table import Table
from selfheal_operator.api.reasons import Reason

_OF_NUMBERS: Final = frozenset({"rmse", "mae", "r2", "mape"})
_OF_PROBABILITIES: Final = frozenset({"rocAuc", "logLoss"})


def performance(metric: str, labelled: Table, *, target: str, prediction: str) -> tuple[float, int]:
    """Return a metric's value, and from how many rows: those with both a label and a prediction.

    f1, precision and recall are means over the classes. rocAuc and logLoss take the prediction for the
    probability of the greater of two classes.

    Raises:
        DataError: The metric says nothing about such values (MetricNotApplicable).
    """
    labels, predictions = _rows(labelled.column(target), labelled.column(prediction))
    if not len(labels):
        raise DataError(Reason.LABELS_NOT_AVAILABLE, "No row has both a label and a prediction.")
    return _value(metric, labels, predictions), len(labels)


def _rows(labels: pa.ChunkedArray, predictions: pa.ChunkedArray) -> tuple[Any, Any]:
    pairs = [
        (label, prediction)
        for label, prediction in zip(labels.to_pylist(), predictions.to_pylist(), strict=True)
        if not (_is_gap(label) or _is_gap(prediction))
    ]
    return [label for label, _ in pairs], [prediction for _, prediction in pairs]


def _is_gap(value: Any) -> bool:
    return value is None or value != value or value in (float("inf"), float("-inf"))  # noqa: PLR0124  NaN


def _value(metric: str, labels: list[Any], predictions: list[Any]) -> float:
    from sklearn import metrics  # noqa: PLC0415  two seconds and 100 MB, and most checks need none of it

    if metric in _OF_NUMBERS:
        numbers = _numbers(metric, labels), _numbers(metric, predictions)
        if metric == "r2" and len(labels) < 2:
            raise _not_applicable(metric, "it takes at least two rows")
        functions = {
            "rmse": metrics.root_mean_squared_error,
            "mae": metrics.mean_absolute_error,
            "r2": metrics.r2_score,
            "mape": metrics.mean_absolute_percentage_error,
        }
        return float(functions[metric](*numbers))
    if metric in _OF_PROBABILITIES:
        return _of_probabilities(metric, metrics, labels, _numbers(metric, predictions))
    true, predicted = _as_classes(metric, labels, predictions)
    if metric == "accuracy":
        return float(metrics.accuracy_score(true, predicted))
    function = {
        "f1": metrics.f1_score,
        "precision": metrics.precision_score,
        "recall": metrics.recall_score,
    }[metric]
    return float(function(true, predicted, average="macro", zero_division=0))


def _of_probabilities(metric: str, metrics: Any, labels: list[Any], certainty: Any) -> float:
    classes = sorted(set(labels), key=lambda value: (str(type(value)), value))
    if len(classes) != 2:
        raise _not_applicable(metric, f"it takes labels of two classes, and there are {len(classes)}")
    positive = np.array([label == classes[1] for label in labels])
    if metric == "rocAuc":
        return float(metrics.roc_auc_score(positive, certainty))
    if certainty.min() < 0 or certainty.max() > 1:
        raise _not_applicable(metric, "it takes predictions from 0 to 1")
    return float(metrics.log_loss(positive, certainty, labels=[False, True]))


def _numbers(metric: str, values: list[Any]) -> Any:
    try:
        return np.array([float(value) for value in values])
    except (TypeError, ValueError, OverflowError):
        raise _not_applicable(metric, "it takes numbers") from None


def _as_classes(metric: str, labels: list[Any], predictions: list[Any]) -> tuple[list[str], list[str]]:
    """Return classes as words: one side may have 1 where the other, because of one gap, has 1.0.

    Fractions are no classes: they are probabilities, or quantities.
    """
    for values in (labels, predictions):
        if any(isinstance(value, float) and not value.is_integer() for value in values):
            raise _not_applicable(metric, "it takes classes, and there are fractions")
    return [_word(value) for value in labels], [_word(value) for value in predictions]


def _word(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool | float) else str(value)


def _not_applicable(metric: str, why: str) -> DataError:
    return DataError(Reason.METRIC_NOT_APPLICABLE, f"{metric} cannot be computed: {why}.")
