"""Chooses one winner among the candidates by cross-validation on the training rows.

The held-out rows are not looked at: the best of k candidates on them would be better there than it is, and
comparing it with the champion on the same rows would promote luck.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from msgspec import Struct, field
from msgspec.structs import replace
from sklearn.base import BaseEstimator, clone

from selfheal_jobs.redaction import one_line
from selfheal_jobs.retrain.features import Preparation, preparation_of, preprocessing, with_categories
from selfheal_jobs.retrain.fold_score import fold_score, is_better_by
from selfheal_jobs.retrain.folds import Fold, folds
from selfheal_jobs.retrain.recalibration import RecalibratedChampion
from selfheal_jobs.retrain.training import (
    Recipe,
    TrainingSet,
    estimator_of,
    limited_threads,
    logged_warnings,
)
from selfheal_operator.api.model import format_number

logger = logging.getLogger(__name__)

_FEW_ROWS: Final = 20_000
"""With trainingData Auto and at most this many rows, each candidate is tried with and without the reference;
with more, only the winner is: the second look would double the cost."""


class Choice(Struct, frozen=True, kw_only=True):
    """The winner, and what the cross-validation has found out."""

    winner: Recipe | None
    """None if every candidate failed."""
    scores: Mapping[str, float]
    """The mean of the primary metric over the folds, by candidate; one that failed is absent. Of many rows,
    those of the other candidates are without the reference, also where the winner learns from it."""
    problems: Mapping[str, str]
    """Why a candidate failed, by its name."""
    training_set: TrainingSet
    """The rows that the winner is to learn from: with trainingData Auto, perhaps without the reference."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """The time that each candidate took."""

    @property
    def with_reference(self) -> bool:
        """Return whether the winner learns from rows of the reference."""
        return self.training_set.reference is not None and bool(self.training_set.reference.any())


class _Table(Struct, kw_only=True):
    """Scores by candidate, gathered fold by fold."""

    scores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    problems: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def means(self) -> dict[str, float]:
        """Return the mean scores of the candidates that have not failed."""
        kept = {name: values for name, values in self.scores.items() if name not in self.problems}
        return {name: float(np.mean(values)) for name, values in kept.items()}


def choose(candidates: Sequence[Recipe], training_set: TrainingSet) -> Choice:
    """Return the candidate with the best mean score over the folds; among equal ones the first.

    With `reference_optional`, also decide whether the rows of the reference are learnt from. If one candidate
    fails, the others are still tried.
    """
    current = training_set.without_reference() if training_set.reference_optional else training_set
    first = _chosen(candidates, current, _cross_validated(candidates, current))
    if current is training_set or first.winner is None:
        return first
    again = candidates if len(training_set.rows) <= _FEW_ROWS else [first.winner]
    second = _chosen(candidates, training_set, _cross_validated(again, training_set))
    better = _better_of(first, second, training_set.metric)
    logger.info("The reference is %s", "learnt from too" if better is second else "not learnt from")
    return _with_others_of(first, better) if better is second else first


def _with_others_of(first: Choice, second: Choice) -> Choice:
    """Return the second choice with what is known of the candidates that were not tried again."""
    tried = {*second.scores, *second.problems}

    def merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in before.items() if name not in tried} | dict(after)

    return replace(
        second,
        scores=merged(first.scores, second.scores),
        problems=merged(first.problems, second.problems),
        seconds=merged(first.seconds, second.seconds),
    )


class PreparedFolds:
    """The folds of a training set, whose prepared rows are kept for the next candidate.

    Args:
        training_set: The rows.
        most_values: With more values in all folds together, the rows are prepared again each time.
    """

    def __init__(self, training_set: TrainingSet, *, most_values: int = 25_000_000) -> None:
        self._training_set = training_set
        self._folds = folds(training_set)
        self._keep = training_set.rows.size * len(self._folds) <= most_values
        self._kept: dict[tuple[Preparation | None, int], _Prepared] = {}

    def scores(self, candidate: Recipe) -> Iterator[float]:
        """Yield a candidate's score on one fold after the other.

        Raises:
            Exception: Whatever the candidate raises.
        """
        estimator = estimator_of(candidate, self._training_set)
        preparation = _preparation(candidate, estimator)
        estimator = with_categories(estimator, self._training_set.columns)
        for number in range(len(self._folds)):
            with limited_threads(len(self._training_set.rows)), logged_warnings(candidate.name):
                found = _score(estimator, self._prepared(preparation, number))
            yield found

    def _prepared(self, preparation: Preparation | None, number: int) -> "_Prepared":
        key = (preparation, number)
        if key in self._kept:
            return self._kept[key]
        made = _prepared(preparation, self._training_set, self._folds[number])
        if self._keep:
            self._kept[key] = made
        return made


def _better_of(first: Choice, second: Choice, metric: str) -> Choice:
    if second.winner is None or first.winner is None:
        return first
    one, other = second.scores[second.winner.name], first.scores[first.winner.name]
    return second if is_better_by(metric, one, other) else first


def _chosen(candidates: Sequence[Recipe], training_set: TrainingSet, table: _Table) -> Choice:
    means = table.means()
    winner: Recipe | None = None
    for each in candidates:
        if each.name in means and (
            winner is None or is_better_by(training_set.metric, means[each.name], means[winner.name])
        ):
            winner = each
    return Choice(
        winner=winner,
        scores=means,
        problems=dict(table.problems),
        training_set=training_set,
        seconds=dict(table.seconds),
    )


class _Prepared(Struct, frozen=True):
    """The rows of a fold, as an estimator is given them."""

    train: Any
    target: pd.Series
    test: Any
    actual: pd.Series
    metric: str


def _cross_validated(candidates: Sequence[Recipe], training_set: TrainingSet) -> _Table:
    """Score every candidate on every fold; candidates with the same preparation share the prepared rows."""
    table = _Table()
    estimators = dict(_built(candidates, training_set, table))
    by_preparation: dict[Preparation | None, list[str]] = defaultdict(list)
    for each in candidates:
        if each.name in estimators:
            by_preparation[_preparation(each, estimators[each.name])].append(each.name)
    with limited_threads(len(training_set.rows)):
        for number, fold in enumerate(folds(training_set), start=1):
            for preparation, names in by_preparation.items():
                prepared = _prepared(preparation, training_set, fold)
                for name in names:
                    _try(name, table, partial(_score, estimators[name], prepared))
            logger.info("Fold %d: %s", number, _shown(table))
    _complain(candidates, table)
    return table


def _built(
    candidates: Sequence[Recipe], training_set: TrainingSet, table: _Table
) -> Iterator[tuple[str, BaseEstimator]]:
    for each in candidates:
        try:
            yield each.name, with_categories(estimator_of(each, training_set), training_set.columns)
        except Exception as error:  # noqa: BLE001  estimators may raise anything
            _failed(each.name, table, error)


def _try(name: str, table: _Table, attempt: Callable[[], float]) -> None:
    if name in table.problems:
        return
    started = time.monotonic()
    try:
        with logged_warnings(name):
            table.scores[name].append(attempt())
    except Exception as error:  # noqa: BLE001  estimators may raise anything
        _failed(name, table, error)
    table.seconds[name] += time.monotonic() - started


def _failed(name: str, table: _Table, error: Exception) -> None:
    logger.info("%s failed: %s", name, one_line(error))
    table.problems[name] = one_line(error)


def _complain(candidates: Sequence[Recipe], table: _Table) -> None:
    """Say of candidates without any score that the rows make no fold."""
    for each in candidates:
        if each.name not in table.problems and not table.scores.get(each.name):
            table.problems[each.name] = "the training rows are too few for a cross-validation"


def _shown(table: _Table) -> str:
    return ", ".join(f"{name} {format_number(value)}" for name, value in table.means().items())


def _preparation(candidate: Recipe, estimator: BaseEstimator) -> Preparation | None:
    return None if isinstance(candidate, RecalibratedChampion) else preparation_of(estimator)


def _prepared(preparation: Preparation | None, training_set: TrainingSet, fold: Fold) -> _Prepared:
    train, test = training_set.rows.iloc[fold.train], training_set.rows.iloc[fold.test]
    if preparation is not None:
        steps = preprocessing(preparation, training_set.columns)
        with logged_warnings("preprocessing"):
            train, test = steps.fit_transform(train), steps.transform(test)
    target = training_set.target
    return _Prepared(train, target.iloc[fold.train], test, target.iloc[fold.test], metric=training_set.metric)


def _score(estimator: BaseEstimator, prepared: _Prepared) -> float:
    fitted = clone(estimator).fit(prepared.train, prepared.target)
    return fold_score(prepared.metric, prepared.actual, fitted.predict(prepared.test))
