from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.retrain.class_words import class_words, in_words_of


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([True, False], ["True", "False"]),
        (["true", "FALSE"], ["True", "False"]),
        ([1, 1.0, "1", np.int64(1)], ["1", "1", "1", "1"]),
        ([0.5], ["0.5"]),
        (["yes ", None, float("nan")], ["yes", None, None]),
        ([120330000000000001], ["120330000000000001"]),
    ],
)
def test_one_class_is_one_word(values: Any, words: Any) -> None:
    """Whatever type a file has stored it in."""
    assert class_words(np.array(values, dtype=object)).tolist() == words


@pytest.mark.parametrize(
    ("labels", "answers", "words"),
    [
        ([0, 1], [True, False], ["1", "0"]),
        ([True, False], [1, 0], ["True", "False"]),
        (["no", "yes"], [1, 0], ["1", "0"]),
        ([0, 1, 2], [True, False], ["True", "False"]),
    ],
)
def test_booleans_are_spelt_as_the_labels_are(labels: Any, answers: Any, words: Any) -> None:
    """Only where the labels can be booleans too."""
    assert in_words_of(class_words(labels), class_words(answers)).tolist() == words


@given(st.lists(st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.floats())))
def test_every_value_has_a_word_or_is_a_gap(values: list[Any]) -> None:
    """No table of labels ends a retraining here."""
    words = class_words(np.array([*values, None], dtype=object)[:-1])

    assert len(words) == len(values)
    assert all(word is None or isinstance(word, str) for word in words)
