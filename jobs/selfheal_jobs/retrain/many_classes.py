"""Targets of many classes: which are none, and which candidates they are too many for. Pure."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from selfheal_jobs.errors import DataError
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.retraining import Candidate

_MANY: Final = 100
_LEAST_ROWS_OF_EACH: Final = 10
"""On average. With fewer, some folds of the cross-validation have hardly a row of most classes."""

_MOST_BOOSTED_CLASSES: Final = 30
"""Boosting grows a tree for each class in each of 100 iterations: with 20 classes, a fit of 6,000 rows of
four columns takes 5 seconds of CPU, and a retraining makes a dozen fits."""
_MOST_FOREST_BYTES: Final = 1 << 29
_FOREST_TREES: Final = 100
_FOREST_LEAVES: Final = 5_000
"""The default forest's leaves have at least 1 in 5,000 rows."""


def require_classes_with_rows(target: pd.Series) -> None:
    """Raise DataError (TargetUnusable) if the target has so many values that it is an identifier."""
    classes = target.nunique()
    if classes <= _MANY or len(target) >= _LEAST_ROWS_OF_EACH * classes:
        return
    raise DataError(
        Reason.TARGET_UNUSABLE,
        f"The target {str(target.name)[:100]!r} has {classes} classes in {len(target)} rows, as an "
        f"identifier has. Correct spec.target, join rare classes, or deliver {_LEAST_ROWS_OF_EACH} rows of "
        f"each.",
    )


def within_reach(candidates: Sequence[Candidate], target: pd.Series) -> tuple[Candidate, ...]:
    """Return the default candidates without those that need too much time or memory for so many classes."""
    classes, rows = target.nunique(), len(target)
    too_many = {
        "sklearn.ensemble.HistGradientBoostingClassifier": classes > _MOST_BOOSTED_CLASSES,
        "sklearn.ensemble.RandomForestClassifier": _forest_bytes(classes, rows) > _MOST_FOREST_BYTES,
    }
    return tuple(each for each in candidates if not too_many.get(each.estimator, False))


def _forest_bytes(classes: int, rows: int) -> int:
    """Return how large the default forest can become: it has a number for each class in each node.

    A fit of 6,000 rows with 100 classes was measured to take 250 MiB, a third of this bound.
    """
    nodes = 2 * min(rows, _FOREST_LEAVES)
    return _FOREST_TREES * nodes * classes * 8


def not_tried(candidates: Sequence[Candidate], kept: Sequence[Candidate], target: pd.Series) -> str | None:
    """Return a remark on the candidates that were left out; None if there are none."""
    names = [each.name for each in candidates if each not in kept]
    if not names:
        return None
    return (
        f"of {target.nunique()} classes, {' and '.join(names)} would need much time or memory, and "
        f"{'is' if len(names) == 1 else 'are'} tried only if spec.retraining.candidates names "
        f"{'it' if len(names) == 1 else 'them'}"
    )
