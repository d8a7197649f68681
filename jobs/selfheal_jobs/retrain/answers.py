"""Reads what a model answers, to compare it with labels: nothing is cast into another type. Pure."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal_jobs.retrain.class_words import class_words, in_words_of
from selfheal_operator.api.reasons import Task

_MOST_GAPS: Final = 0.01
"""Share of rows without an answer up to which these count as wrong answers of a classifier."""

_MOST_UNKNOWN: Final = 0.05
"""Share of answers that are no class of the target up to which these count as wrong answers.

A class that has vanished from both tables may still be answered now and then.
"""


class AnswersError(ValueError):
    """A model's answers cannot be compared with the labels; the message says why."""


def read_answers(
    predicted: Any, target: pd.Series, task: Task, known: Collection[str] = frozenset()
) -> NDArray[Any]:
    """Return one answer per row: words of classes, None for a gap, or finite numbers.

    Args:
        predicted: The answers of a model.
        target: The labels of the same rows.
        task: What the answers are.
        known: Words of all classes that the target is known to have, beside those of these labels.

    Raises:
        AnswersError: There is not one answer per row, or the answers are not of the labels' type, or too
            many are no class of the target.
    """
    values = _one_per_row(predicted, len(target))
    return _quantities(values) if task is Task.REGRESSION else _classes(values, target, known)


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


def _classes(values: NDArray[Any], target: pd.Series, known: Collection[str]) -> NDArray[np.object_]:
    gaps = int(pd.isna(values).sum())
    if gaps > _MOST_GAPS * len(values):
        raise AnswersError(f"it has no answer for {gaps} of {len(values)} rows")
    if _holds_fractions(values) and not _holds_fractions(target.to_numpy()):
        raise AnswersError(f"it answers fractions such as {_example(values)}, and the labels are classes")
    labels = class_words(target)
    words = in_words_of(labels, class_words(values))
    _require_known(words, labels, {*labels, *known})
    return words


def _require_known(words: NDArray[np.object_], labels: NDArray[np.object_], classes: Collection[str]) -> None:
    """Raise an error if many answers are no class of the target, or if they are numbers of its classes."""
    unknown = np.array([word for word in words if word is not None and word not in classes], dtype=object)
    if not len(unknown):
        return
    said = (
        f"{len(unknown)} of its {len(words)} answers are no class of the target: it answers "
        f"{_listed(unknown)}, and the classes are {_listed(np.array([*classes], dtype=object))}"
    )
    if _are_numbers_of(classes, words, labels):
        raise AnswersError(f"{said}; its answers seem to be numbers of the classes, counted from 0")
    if len(unknown) > _MOST_UNKNOWN * len(words):
        raise AnswersError(said)


def _are_numbers_of(
    classes: Collection[str], words: NDArray[np.object_], labels: NDArray[np.object_]
) -> bool:
    """Return whether answers are right more often as scikit-learn's LabelEncoder numbers the classes."""
    ordered = sorted(classes, key=_order)
    numbered = {str(number): word for number, word in enumerate(ordered)}
    if not set(words) - {None} <= set(numbered):
        return False
    meant = np.array([numbered.get(word) for word in words], dtype=object)
    return bool((meant == labels).sum() > (words == labels).sum())


def _order(word: str) -> tuple[bool, float, str]:
    """Return a key that sorts numbers by their size, before words."""
    try:
        return False, float(word), word
    except ValueError:
        return True, 0.0, word


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
    names = sorted({word for word in words if word is not None}, key=_order)
    return ", ".join(repr(name[:40]) for name in names[:3]) + (", …" if len(names) > 3 else "")
