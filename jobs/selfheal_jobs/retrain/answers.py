"""Reads what a model answers, to compare it with labels: nothing is cast into another type. Pure."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal_jobs.retrain.class_words import class_words, in_words_of
from selfheal_operator.api.reasons import Task

_MOST_GAPS: Final = 0.01
"""Share of rows without an answer up to which these count as wrong answers of a classifier."""


class AnswersError(ValueError):
    """A model's answers cannot be compared with the labels; the message says why."""


def read_answers(predicted: Any, target: pd.Series, task: Task) -> NDArray[Any]:
    """Return one answer per row: words of classes, None for a gap, or finite numbers.

    Raises:
        AnswersError: There is not one answer per row, or the answers are not of the labels' type.
    """
    values = _one_per_row(predicted, len(target))
    return _quantities(values) if task is Task.REGRESSION else _classes(values, target)


def _one_per_row(predicted: Any, rows: int) -> NDArray[Any]:
    values = np.asarray(predicted)
    if values.ndim == 2 and values.shape[1] != 1:
        raise AnswersError(f"it answers {values.shape[1]} columns, and one answer for each row is needed")
    if values.ndim == 0 or values.ndim > 2 or len(values) != rows:
        count = len(values) if values.ndim else 1
        answers = "answer" if count == 1 else "answers"
        raise AnswersError(f"it gives {count} {answers} for {rows} rows")
    return values.reshape(rows)


def _quantities(values: NDArray[Any]) -> NDArray[np.float64]:
    try:
        numbers = values.astype("float64")
    except (TypeError, ValueError):
        raise AnswersError(f"it answers {_example(values)}, which is no number") from None
    if gaps := int((~np.isfinite(numbers)).sum()):
        raise AnswersError(f"it answers no finite number for {gaps} of {len(numbers)} rows")
    return numbers


def _classes(values: NDArray[Any], target: pd.Series) -> NDArray[np.object_]:
    gaps = int(pd.isna(values).sum())
    if gaps > _MOST_GAPS * len(values):
        raise AnswersError(f"it has no answer for {gaps} of {len(values)} rows")
    if _holds_fractions(values) and not _holds_fractions(target.to_numpy()):
        raise AnswersError(f"it answers fractions such as {_example(values)}, and the labels are classes")
    labels = class_words(target)
    words = in_words_of(labels, class_words(values))
    if len(words) and not set(words) & set(labels):
        raise AnswersError(
            f"it answers {_listed(words)}, and the labels are {_listed(labels)}: they share no class"
        )
    return words


def _holds_fractions(values: NDArray[Any]) -> bool:
    if values.dtype.kind == "O":
        values = np.array([value for value in values if isinstance(value, (float, np.floating))], dtype=float)
    return values.dtype.kind == "f" and bool((values[np.isfinite(values)] % 1 != 0).any())


def _example(values: NDArray[Any]) -> str:
    odd = next((value for value in values if _is_odd(value)), values[0] if len(values) else None)
    return repr(odd.item() if isinstance(odd, np.generic) else odd)[:60]


def _is_odd(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, (float, np.floating)) and value % 1 != 0)


def _listed(words: NDArray[np.object_]) -> str:
    names = sorted({word for word in words if word is not None})
    return ", ".join(repr(name[:40]) for name in names[:3]) + (", …" if len(names) > 3 else "")
