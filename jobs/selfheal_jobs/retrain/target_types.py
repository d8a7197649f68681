"""Reads the classes of the current data in the type that they have in the reference. Pure.

A file or a database may deliver the class 1 as the text "1". A version that learns it as text would answer
text, and whoever asks it compares the answers with numbers.
"""

import re
from typing import Any, Final

import pandas as pd

from selfheal_jobs.retrain.class_words import class_words
from selfheal_jobs.retrain.plain_values import with_gaps

_TEXT: Final = "text"
_WHOLE: Final = re.compile(r"^([+-]?\d+)\.0+$")


def read_as_in_reference(
    reference: pd.DataFrame, current: pd.DataFrame, target: str
) -> tuple[pd.DataFrame, str | None]:
    """Return the current data with the reference's classes, and a remark if that has changed their type.

    It does if one side holds text, the other numbers or booleans, and each class of the current data is
    written as a class of the reference is. Otherwise the current data is returned as it is.
    """
    if target not in reference.columns or target not in current.columns:
        return current, None
    before, now = (_kind(side[target].dropna()) for side in (reference, current))
    if not before or not now or before == now or _TEXT not in {before, now}:
        return current, None
    read = _read(reference[target].dropna(), current[target])
    if read is None:
        return current, None
    remark = f"the target {target[:100]!r} holds {now} in current, which is read as the reference's {before}"
    return current.assign(**{target: read}), remark


def _kind(values: pd.Series) -> str:
    """Return what the values of a column are; empty if they are of several types, or of another one."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return "booleans"
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "numbers"
    return {frozenset({bool}): "booleans", frozenset({str}): _TEXT}.get(frozenset(map(type, values)), "")


def _read(reference: pd.Series, labels: pd.Series) -> pd.Series | None:
    """Return the labels as the classes of the reference that are written alike; None if one is none."""
    classes = reference.unique()
    known = dict(zip(_written(classes), classes, strict=True))
    words = _written(labels)
    if len(known) < len(classes) or not {word for word in words if word is not None} <= set(known):
        return None
    read = pd.Series([known.get(word) for word in words], index=labels.index, dtype="object")
    dtype: Any = with_gaps(reference.dtype) if labels.isna().any() else reference.dtype
    return read.astype(dtype) if _kind(reference) == "numbers" else read


def _written(values: Any) -> list[str | None]:
    """Return how each value is written, None for a gap: 1, 1.0, "1" and "1.0" are written alike.

    >>> _written([1, 2.0, "2.0", "02", "true", None])
    ['1', '2', '2', '02', 'True', None]
    """
    return [None if word is None else _WHOLE.sub(r"\1", word) for word in class_words(values)]
