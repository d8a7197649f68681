"""The folds of the cross-validation: what is learnt and what is scored.

With times, each fold learns the past and is scored on what follows. Otherwise folds are drawn by chance,
stratified by class, and rows of one group stay together.
"""

import warnings
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from selfheal_jobs.retrain.training import TrainingSet
from selfheal_operator.api.reasons import Task

_FOLDS: Final = 5
_FOLDS_OF_MANY_ROWS: Final = 3
_MANY_ROWS: Final = 20_000
"""With this many rows, three folds tell candidates apart as well as five, at three fifths of the cost."""

_MANY_GROUPS: Final = 5_000
"""StratifiedGroupKFold takes a tenth of a millisecond per group and fold."""

Positions = NDArray[np.int64]


class Fold(Struct, frozen=True):
    """The positions of the rows of one fold."""

    train: Positions
    test: Positions


def folds(training_set: TrainingSet) -> list[Fold]:
    """Return the folds; rows of the reference are in every training part and in no test part."""
    every = np.arange(len(training_set.rows))
    older = training_set.reference
    scored = every if older is None else every[~older]
    reference = every[:0] if older is None else every[older]
    found = []
    for train, test in _split(training_set.taken(scored)):
        fold = Fold(np.concatenate([reference, scored[train]]), scored[test])
        found.append(_apart(fold, training_set))
    return [fold for fold in found if len(fold.test) and _learnable(fold, training_set)]


def _apart(fold: Fold, training_set: TrainingSet) -> Fold:
    """Take out of the training part what the test part must not share with it: groups, and moments."""
    kept = np.ones(len(fold.train), dtype=bool)
    if training_set.groups is not None:
        kept &= ~np.isin(training_set.groups[fold.train], training_set.groups[fold.test])
    if training_set.times is not None and len(fold.test):
        kept &= training_set.times[fold.train] < training_set.times[fold.test].min()
        if training_set.reference is not None:
            kept |= training_set.reference[fold.train]
    return Fold(fold.train[kept], fold.test)


def _learnable(fold: Fold, training_set: TrainingSet) -> bool:
    if training_set.task is Task.REGRESSION:
        return len(fold.train) > 1
    labels = training_set.target.iloc[fold.train]
    return bool((labels != labels.iloc[0]).any()) if len(labels) else False


def _split(scored: TrainingSet) -> Iterator[tuple[Any, Any]]:
    count = min(_FOLDS_OF_MANY_ROWS if len(scored.rows) > _MANY_ROWS else _FOLDS, len(scored.rows) - 1)
    labels = pd.factorize(scored.target)[0]  # StratifiedKFold refuses classes that are fractions
    if count < 2:
        return
    with warnings.catch_warnings(action="ignore"):  # a class has fewer rows than there are folds
        yield from _splitter(scored, count).split(scored.rows, labels, scored.groups)


def _splitter(scored: TrainingSet, count: int) -> Any:
    shuffled = {"n_splits": count, "shuffle": True, "random_state": scored.seed}
    if scored.times is not None:
        return TimeSeriesSplit(count)
    groups = len(scored.rows) if scored.groups is None else len(np.unique(scored.groups))
    stratified = scored.task is Task.CLASSIFICATION and scored.target.value_counts().max() >= count
    if groups == len(scored.rows):
        return StratifiedKFold(**shuffled) if stratified else KFold(**shuffled)
    if groups < count:
        return KFold(**shuffled)  # hardly any group: the equal rows leave the training part afterwards
    by_class = stratified and groups <= _MANY_GROUPS
    return StratifiedGroupKFold(**shuffled) if by_class else GroupKFold(**shuffled)
