"""Looks for a column that gives the target away: alone it is nearly as good as a nearly perfect model. Pure.

Such a column is usually filled in once the outcome is known, or is the target in another unit.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from selfheal_jobs.retrain.class_words import class_words
from selfheal_operator.api.reasons import Task

_NEARLY_PERFECT: Final = {Task.CLASSIFICATION: 0.99, Task.REGRESSION: 0.999}
"""Accuracy, or R2, above which a model is suspicious. Strong honest features reach an R2 of .99."""
_NEARLY_AS_GOOD: Final = 0.02
"""A column alone may fall behind the model by this, in accuracy or R2: a tree of 64 leaves is coarse."""
_LEAVES: Final = 64
_LEAVES_OF_DEPTH_TWO: Final = 4
_MOST_ROWS: Final = 20_000


def is_nearly_perfect(task: Task, metrics: dict[str, float]) -> bool:
    """Return whether a model is so good that a leak is likelier than skill."""
    return metrics.get("r2" if task is Task.REGRESSION else "accuracy", 0.0) >= _NEARLY_PERFECT[task]


def is_perfect(task: Task, metrics: dict[str, float]) -> bool:
    """Return whether a model makes no mistake at all."""
    if task is Task.REGRESSION:
        return metrics.get("r2", 0.0) >= 1 - 1e-12
    return metrics.get("accuracy", 0.0) >= 1


def giveaway(
    columns: Sequence[str], sides: tuple[pd.DataFrame, pd.DataFrame], *, target: str, task: Task, level: float
) -> str | None:
    """Return the first column that tells the target nearly as well as a model does; None if there is none.

    Args:
        columns: The columns to try, each on its own.
        sides: Training rows and held-out rows, including the target.
        target: The column that the model predicts.
        task: Classes are told by a tree of four leaves, or two for each class; quantities by one of 64.
        level: The model's accuracy, or R2, on the held-out rows.
    """
    train, test = sides
    train = train.iloc[:: max(1, len(train) // _MOST_ROWS)]
    for name in columns:
        found = _alone(train[name], train[target], test[name], test[target], task)
        if found >= level - _NEARLY_AS_GOOD:
            return name
    return None


def _alone(one: pd.Series, target: pd.Series, other: pd.Series, actual: pd.Series, task: Task) -> float:
    learnt, asked = _as_numbers(one, other, target if task is Task.REGRESSION else class_words(target))
    if task is Task.REGRESSION:
        regressor = DecisionTreeRegressor(max_leaf_nodes=_LEAVES, random_state=0).fit(learnt, target)
        return float(regressor.score(asked, actual))
    words, asked_words = class_words(target).astype(str), class_words(actual).astype(str)
    leaves = max(_LEAVES_OF_DEPTH_TWO, 2 * len(set(words)))
    classifier = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(learnt, words)
    return float(classifier.score(asked, asked_words))


def _as_numbers(one: pd.Series, other: pd.Series, target: Any) -> tuple[Any, Any]:
    """Return a column as numbers for a tree: categories by the mean target among their training rows."""
    if pd.api.types.is_numeric_dtype(one.dtype) and pd.api.types.is_numeric_dtype(other.dtype):
        return one.to_numpy("float64").reshape(-1, 1), other.to_numpy("float64").reshape(-1, 1)
    words, asked = (side.astype("object").where(side.notna(), "").map(str) for side in (one, other))
    order = pd.factorize(target)[0] if not np.issubdtype(np.asarray(target).dtype, np.number) else target
    means = pd.Series(np.asarray(order, dtype="float64")).groupby(words.to_numpy()).mean()
    return tuple(side.map(means).to_numpy("float64").reshape(-1, 1) for side in (words, asked))  # type: ignore[return-value]
