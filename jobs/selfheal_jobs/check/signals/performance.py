"""Model performance: scikit-learn's metrics of predictions against labels that arrived later."""

import math
import warnings
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from selfheal_jobs.check.signal_result import SignalFinding, held_against_limits
from selfheal_jobs.check.signal_tables import SignalTables, lacks
from selfheal_jobs.errors import DataError
from selfheal_jobs.tables.content import Values, holds
from selfheal_jobs.tables.exact_integers import MOST_EXACT
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.signals import Signal
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

_OF_NUMBERS: Final = {
    "root_mean_squared_error": "root_mean_squared_error",
    "mean_absolute_error": "mean_absolute_error",
    "mean_absolute_percentage_error": "mean_absolute_percentage_error",
    "r2": "r2_score",
}
_OF_CLASSES: Final = {
    "f1_macro": "f1_score",
    "precision_macro": "precision_score",
    "recall_macro": "recall_score",
}
"""Functions of sklearn.metrics by scorer name; the names of errors are without their neg_ prefix."""

_SPELLINGS: Final = {r"^(?i:true)$": "1", r"^(?i:false)$": "0", r"^([+-]?\d+)\.0+$": r"\1"}
"""Of one class, as a retraining reads labels: True is 1, and so is 1.0."""
_SHOWN: Final = 40
"""Characters of a class in a message."""


class Performance:
    """Needs predictions and labels."""

    def columns_needed(self, spec: ModelMonitorSpec) -> frozenset[str]:
        """Return the column of the predictions.

        If labels arrive later, performance uses other rows and reads them itself.
        """
        prediction = spec.dataset.columns.prediction if spec.dataset.labels is None else None
        return frozenset(filter(None, [prediction]))

    def evaluate(self, signal: Signal, tables: SignalTables) -> SignalFinding:
        """Return the metric of the signal; raise DataError if it is unknown."""
        prediction, labelled = tables.prediction(), tables.labelled()
        if prediction not in labelled.schema.names:
            raise lacks("current data", prediction)
        metric, least = signal.limits.metric, tables.spec.dataset.min_rows
        value, rows = performance(metric, labelled, target=tables.spec.target, prediction=prediction)
        if rows < least:
            raise DataError(
                Reason.TOO_FEW_ROWS,
                f"{rows} rows have a label and a prediction, and spec.dataset.minRows asks for {least}.",
            )
        missing = labelled.num_rows - rows
        lacking = f"; {missing} more lack a label or a prediction" if missing else ""
        return held_against_limits(signal, value, f"on {rows} rows{lacking}")


SIGNAL: Final = Performance()


def performance(metric: str, labelled: Table, *, target: str, prediction: str) -> tuple[float, int]:
    """Return a metric's value, and the number of rows with both a label and a prediction.

    f1_macro, precision_macro and recall_macro are means over the classes that the labels have: a prediction
    of another class is wrong, but adds no class. roc_auc and log_loss interpret the prediction as the
    probability of the greater of two classes.

    Raises:
        DataError: The metric is not defined for these values (MetricNotApplicable).
    """
    labels, predictions = (_plain(metric, labelled.column(name)) for name in (target, prediction))
    both = pc.and_(_is_there(labels), _is_there(predictions))
    labels, predictions = labels.filter(both), predictions.filter(both)
    if not len(labels):
        raise DataError(Reason.LABELS_NOT_AVAILABLE, "No row has both a label and a prediction.")
    with warnings.catch_warnings(action="ignore"):  # classes that are never predicted, numbers too large
        value = _value(metric, labels, predictions)
    if not math.isfinite(value):
        raise _not_applicable(metric, "it is no finite number for these values")
    return value, len(labels)


def _plain(metric: str, column: pa.ChunkedArray) -> pa.Array:
    """Return a column as numbers, booleans or text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    match holds(column.type):
        case Values.TEXT:
            return column.cast(pa.large_string()).combine_chunks()
        case Values.NOTHING:
            return column.cast(pa.float64()).combine_chunks()
        case Values.NUMBERS if not pa.types.is_integer(column.type):
            return column.cast(pa.float64()).combine_chunks()
        case Values.NUMBERS | Values.BOOLEANS:
            return column.combine_chunks()
    raise _not_applicable(metric, "values are neither numbers, booleans nor text")


def _is_there(values: pa.Array) -> pa.Array:
    return (
        pc.fill_null(pc.is_finite(values), False) if pa.types.is_float64(values.type) else values.is_valid()
    )


def _value(metric: str, labels: pa.Array, predictions: pa.Array) -> float:
    from sklearn import metrics  # noqa: PLC0415  two seconds and 100 MB, and most checks need none of it

    if metric in _OF_NUMBERS:
        if metric == "r2" and len(labels) < 2:
            raise _not_applicable(metric, "it takes at least two rows")
        function = getattr(metrics, _OF_NUMBERS[metric])
        return float(function(_numbers(metric, labels), _numbers(metric, predictions)))
    if metric in {"roc_auc", "log_loss"}:
        certainty = _numbers(metric, predictions)
        positive = _positive(metric, labels)
        if metric == "roc_auc":
            return float(metrics.roc_auc_score(positive, certainty))
        if certainty.min() < 0 or certainty.max() > 1:
            raise _not_applicable(metric, "it takes predictions from 0 to 1")
        return float(metrics.log_loss(positive, certainty, labels=[False, True]))
    true, predicted = _codes(metric, labels, predictions)
    if metric == "accuracy":
        return float(metrics.accuracy_score(true, predicted))
    function = getattr(metrics, _OF_CLASSES[metric])
    return float(function(true, predicted, labels=np.unique(true), average="macro", zero_division=0))


def _positive(metric: str, labels: pa.Array) -> Any:
    """Return which labels are the greater one of two classes."""
    classes = len(labels.unique())
    if classes != 2:
        raise _not_applicable(metric, f"it takes labels of two classes, and there are {classes}")
    return np.asarray(pc.equal(labels, pc.max(labels)))


def _numbers(metric: str, values: pa.Array) -> Any:
    if holds(values.type) is Values.TEXT:
        raise _not_applicable(metric, "it takes numbers, and there is text")
    if holds(values.type) is Values.BOOLEANS:
        values = values.cast(pa.int8())
    return np.asarray(values.cast(pa.float64(), safe=False))


def _codes(metric: str, labels: pa.Array, predictions: pa.Array) -> tuple[Any, Any]:
    """Encode the classes of both sides as integers: one side may hold 1 and the other 1.0 or "1"."""
    words = [_words(metric, values) for values in (labels, predictions)]
    codes = np.asarray(pa.concat_arrays(words).dictionary_encode().indices)
    true, predicted = codes[: len(labels)], codes[len(labels) :]
    sides = (labels, predictions)
    if any(holds(side.type) is Values.TEXT for side in sides) and not np.isin(predicted, true).any():
        ours, theirs = (repr(str(side[0].as_py())[:_SHOWN]) for side in sides)
        raise _not_applicable(
            metric, f"labels such as {ours} and predictions such as {theirs} share no class; spell them alike"
        )
    return true, predicted


def _words(metric: str, values: pa.Array) -> pa.Array:
    if pa.types.is_float64(values.type):
        # Fractions are not classes: they are probabilities or quantities.
        if not pc.all(pc.equal(values, pc.floor(values))).as_py():
            raise _not_applicable(metric, "it takes classes, and there are fractions")
        if pc.max(pc.abs(values)).as_py() >= MOST_EXACT:
            raise _not_applicable(metric, "classes beyond 2**53 are rounded as floating-point numbers")
        values = values.cast(pa.int64())
    if holds(values.type) is Values.BOOLEANS:
        values = values.cast(pa.int8())
    words = pc.utf8_trim_whitespace(values.cast(pa.large_string()))
    for pattern, word in _SPELLINGS.items():
        words = pc.replace_substring_regex(words, pattern=pattern, replacement=word)
    return words


def _not_applicable(metric: str, why: str) -> DataError:
    return DataError(Reason.METRIC_NOT_APPLICABLE, f"{metric} cannot be computed: {why}.")
