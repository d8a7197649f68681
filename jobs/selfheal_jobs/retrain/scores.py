"""The metrics of a model, by the names of scikit-learn's scorers, from the tallies of its answers. Pure.

Averages over classes are over those that the held-out labels have, for every model alike: an answer of a
class that nobody has is wrong, and does not cost a whole class.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray
from sklearn import metrics

from selfheal_jobs.retrain.answers import read_answers
from selfheal_jobs.retrain.class_words import class_words
from selfheal_jobs.retrain.fold_score import LOWER_IS_BETTER, gain
from selfheal_jobs.retrain.probability_scores import probability_scores
from selfheal_jobs.retrain.tallies import Sums, Units, class_tallies, of_words, quantity_tallies
from selfheal_operator.api.reasons import Task

PRIMARY: Final[Mapping[Task, str]] = {
    Task.CLASSIFICATION: "f1_macro",
    Task.REGRESSION: "root_mean_squared_error",
}
"""The primary metric of each task, where spec.promotion names none.

f1_macro gives every class the same weight: if drift makes a class rare, a model that never predicts it can
still have a high accuracy and high weighted averages. root_mean_squared_error is in the target's unit and
penalises large errors.
"""

_Values = NDArray[np.float64]


class Predictor(Protocol):
    """A fitted model."""

    def predict(self, rows: pd.DataFrame, /) -> Any:
        """Return one prediction per row."""


class HeldOut(Struct, frozen=True, kw_only=True):
    """The held-out set: rows that no candidate was trained on, and their targets."""

    rows: pd.DataFrame
    target: pd.Series
    task: Task


def tallies(
    predicted: Any, target: pd.Series, task: Task, units: Units, known: Collection[str] = frozenset()
) -> Sums:
    """Return the tallies of a model's predictions; `known` as in `read_answers`.

    Raises:
        AnswersError: They cannot be compared with the targets.
    """
    return tallied(read_answers(predicted, target, task, known), target, task, units)


def tallied(answers: NDArray[Any], target: pd.Series, task: Task, units: Units) -> Sums:
    """Return the tallies of answers as `read_answers` returns them."""
    if task is Task.REGRESSION:
        return quantity_tallies(answers, target.to_numpy(dtype="float64"), units)
    classes = of_words(class_words(target))
    return class_tallies(classes.code(answers), classes, units)


def ranking(model: Any, held_out: HeldOut) -> dict[str, float]:
    """Return the area under the ROC curve, Brier score and log loss; each where it is defined.

    A model whose probabilities cannot be had has none of them: its answers decide.
    """
    try:
        return _ranking(model, held_out)
    except Exception:  # noqa: BLE001  models of any origin may raise anything
        return {}


def _ranking(model: Any, held_out: HeldOut) -> dict[str, float]:
    classes = getattr(model, "classes_", None)
    if held_out.task is Task.REGRESSION or classes is None:
        return {}
    certainty = _certainty(model, held_out.rows)
    if certainty is None:
        return {}
    scores = {}
    if hasattr(model, "predict_proba"):
        scores = probability_scores(classes, certainty, held_out.target)
    return _under_the_curve(classes, certainty, held_out.target) | scores


def _under_the_curve(classes: Any, certainty: Any, target: pd.Series) -> dict[str, float]:
    if set(target) != set(classes):
        return {}  # a class without rows has no ROC curve
    try:
        if len(classes) == 2:
            positive = certainty if certainty.ndim == 1 else certainty[:, 1]
            return {"roc_auc": float(metrics.roc_auc_score(target == classes[1], positive))}
        ovr = metrics.roc_auc_score(target, certainty, multi_class="ovr", labels=classes)
        return {"roc_auc_ovr": float(ovr)}
    except ValueError:  # certainties that are no probabilities, or not finite
        return {}


def _certainty(model: Any, rows: pd.DataFrame) -> Any:
    """Return the probabilities, otherwise the decision function, or None if the model has neither."""
    for method in ("predict_proba", "decision_function"):
        if (ask := getattr(model, method, None)) is not None:
            return np.asarray(ask(rows))
    return None


def _by_class(sums: Sums) -> tuple[_Values, _Values, _Values]:
    right, answered, labelled = np.split(sums, 3, axis=-1)
    return right, answered, labelled


def _ratio(part: _Values, whole: _Values) -> _Values:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _macro(values: _Values, labelled: _Values) -> _Values:
    """Return the mean over the classes with labels; a resample may lack some."""
    present = labelled > 0
    total: _Values = np.where(present, values, 0).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)
    return total


def _f1(sums: Sums) -> _Values:
    right, answered, labelled = _by_class(sums)
    return _macro(_ratio(2 * right, answered + labelled), labelled)


def _precision(sums: Sums) -> _Values:
    right, answered, labelled = _by_class(sums)
    return _macro(_ratio(right, answered), labelled)


def _recall(sums: Sums) -> _Values:
    right, _, labelled = _by_class(sums)
    return _macro(_ratio(right, labelled), labelled)


def _accuracy(sums: Sums) -> _Values:
    right, _, labelled = _by_class(sums)
    share: _Values = right.sum(axis=-1) / labelled.sum(axis=-1)
    return share


def _squared(sums: Sums) -> _Values:
    mean: _Values = sums[..., 1] / sums[..., 0]
    return mean


def _absolute(sums: Sums) -> _Values:
    mean: _Values = sums[..., 2] / sums[..., 0]
    return mean


def _r2(sums: Sums) -> _Values:
    rows, squared, _, values, squares = np.moveaxis(sums, -1, 0)
    spread = squares - values**2 / rows
    explained: _Values = 1 - np.divide(squared, spread, out=np.full_like(spread, np.nan), where=spread > 0)
    return explained


METRICS: Final[Mapping[Task, Mapping[str, Callable[[Sums], _Values]]]] = {
    Task.CLASSIFICATION: {
        "f1_macro": _f1,
        "accuracy": _accuracy,
        "precision_macro": _precision,
        "recall_macro": _recall,
    },
    Task.REGRESSION: {
        "root_mean_squared_error": lambda sums: np.sqrt(_squared(sums)),
        "mean_absolute_error": _absolute,
        "mean_squared_error": _squared,
        "r2": _r2,
    },
}
"""The metrics of each task, in the order of the status. Errors are without the neg_ prefix: not negated."""

_OF_NAME: Final = {name: of for metrics in METRICS.values() for name, of in metrics.items()}


def value(metric: str, sums: Sums) -> Any:
    """Return a metric of sums: one value, or one for each resample."""
    return _OF_NAME[metric](sums)


def all_metrics(task: Task, sums: Sums) -> dict[str, float]:
    """Return the metrics of all units together; one that is not defined for these rows is absent."""
    found = {name: float(of(sums.sum(axis=0))) for name, of in METRICS[task].items()}
    return {name: score for name, score in found.items() if np.isfinite(score)}


def skill(metric: str, score: float, baseline: float) -> float:
    """Return how much of the way from the baseline's score to a perfect one a score has gone.

    >>> skill("f1_macro", 0.75, 0.5), skill("root_mean_squared_error", 30.0, 120.0)
    (0.5, 0.75)
    """
    perfect = 0.0 if metric in LOWER_IS_BETTER else 1.0
    way = gain(metric, perfect, baseline)
    return float(gain(metric, score, baseline) / way) if way > 0 else 0.0
