from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.answers import AnswersError, read_answers
from selfheal_operator.api.reasons import Task

CLASSIFICATION, REGRESSION = Task.CLASSIFICATION, Task.REGRESSION
ZERO_OR_ONE = [0, 1] * 100


@pytest.mark.parametrize(
    ("case", "predicted", "target", "task", "said"),
    [
        ("two columns", np.zeros((200, 2)), ZERO_OR_ONE, CLASSIFICATION, "answers 2 columns"),
        ("another length", [0] * 199, ZERO_OR_ONE, CLASSIFICATION, "199 answers for 200 rows"),
        ("one answer for all", 0, ZERO_OR_ONE, CLASSIFICATION, "1 answer for 200 rows"),
        ("fractions", [0.3, 0.7] * 100, ZERO_OR_ONE, CLASSIFICATION, "fractions such as 0.3"),
        ("other words", ["no", "yes"] * 100, ZERO_OR_ONE, CLASSIFICATION, "they share no class"),
        ("no answers", [np.nan] * 200, ZERO_OR_ONE, CLASSIFICATION, "no answer for 200 of 200 rows"),
        ("three gaps", [None] * 3 + [1] * 197, ZERO_OR_ONE, CLASSIFICATION, "no answer for 3 of 200 rows"),
        ("words", ["many"] * 200, ZERO_OR_ONE, REGRESSION, "'many', which is no number"),
        ("one NaN", [np.nan] + [1.0] * 199, ZERO_OR_ONE, REGRESSION, "no finite number for 1 of 200 rows"),
        ("infinity", [np.inf] + [1.0] * 199, ZERO_OR_ONE, REGRESSION, "no finite number for 1 of 200 rows"),
    ],
)
def test_answers_that_cannot_be_compared_are_told(
    case: str, predicted: Any, target: Any, task: Task, said: str
) -> None:
    """The sentence says what the model does, and is put behind "cannot be scored"."""
    with pytest.raises(AnswersError, match=said):
        read_answers(predicted, pd.Series(target), task)


@pytest.mark.parametrize(
    ("predicted", "target", "words"),
    [
        (["True", "False"] * 100, [True, False] * 100, ["True", "False"]),
        ([True, False] * 100, ["True", "False"] * 100, ["True", "False"]),
        ([1.0, 0.0] * 100, [1, 0] * 100, ["1", "0"]),
        (["1", "0"] * 100, [1, 0] * 100, ["1", "0"]),
        (pd.DataFrame({"answer": [1, 0] * 100}), [1, 0] * 100, ["1", "0"]),
        ([0.5, 1.5] * 100, [0.5, 1.5] * 100, ["0.5", "1.5"]),
    ],
)
def test_answers_of_another_type_are_compared_as_words(predicted: Any, target: Any, words: Any) -> None:
    """'True' and True are one class."""
    assert read_answers(predicted, pd.Series(target), CLASSIFICATION)[:2].tolist() == words


def test_two_gaps_in_two_hundred_answers_are_wrong_answers() -> None:
    """A classifier that fails on one row in a hundred can still be compared."""
    answers = read_answers([np.nan, np.nan] + [1.0] * 198, pd.Series(ZERO_OR_ONE), CLASSIFICATION)

    assert answers[:3].tolist() == [None, None, "1"]
