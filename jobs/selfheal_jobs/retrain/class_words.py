"""Writes class labels and the answers of a model as words, so that both can be compared. Pure.

`True` and "True" are one class, and so are 1, 1.0 and "1": which of them a model answers depends on the file
that it has learnt from, not on what it has learnt.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_TRUTH: Final = {"true": "True", "false": "False"}
_OF_BOOLEANS: Final = {"1": "True", "0": "False"}
_OF_NUMBERS: Final = {"True": "1", "False": "0"}


def class_words(values: Any) -> NDArray[np.object_]:
    """Return each value as a word; None for a gap.

    >>> class_words([True, "false", " yes", None]).tolist()
    ['True', 'False', 'yes', None]
    >>> class_words([1.0, "1", 0.5]).tolist()
    ['1', '1', '0.5']
    """
    codes, distinct = pd.factorize(np.asarray(values, dtype=object), use_na_sentinel=True)
    words = np.array([*map(_word, distinct), None], dtype=object)
    return words[codes]


def _word(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    text = str(value).strip()
    return _TRUTH.get(text.lower(), text)


def in_words_of(labels: NDArray[np.object_], answers: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the answers with booleans spelt as the labels are: 1 for True where the labels are numbers.

    >>> zero_or_one = class_words([0, 1])
    >>> in_words_of(zero_or_one, class_words([True, False])).tolist()
    ['1', '0']
    """
    known = set(labels)
    if known <= set(_OF_BOOLEANS):
        return _replaced(answers, _OF_NUMBERS)
    if known <= set(_OF_NUMBERS):
        return _replaced(answers, _OF_BOOLEANS)
    return answers


def _replaced(words: NDArray[np.object_], spelling: dict[str, str]) -> NDArray[np.object_]:
    if not set(words) & set(spelling):
        return words
    return np.array([spelling.get(word, word) for word in words], dtype=object)
