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
        (
            "other words",
            ["no", "yes"] * 100,
            ZERO_OR_ONE,
            CLASSIFICATION,
            "200 of its 200 answers are no class",
        ),
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


STARS = pd.Series([1, 2, 3, 4, 5] * 40)


@pytest.mark.parametrize(("unknown", "refused"), [(10, False), (11, True)])
def test_more_than_a_twentieth_of_answers_without_a_class_are_not_compared(
    unknown: int, *, refused: bool
) -> None:
    """The champion may know a class that the target has had once; more is another target."""
    predicted = np.array([9] * unknown + [5] * (200 - unknown))

    if refused:
        said = "11 of its 200 answers are no class of the target: it answers .9., and the classes are .1., "
        with pytest.raises(AnswersError, match=said):
            read_answers(predicted, STARS, CLASSIFICATION)
    else:
        assert read_answers(predicted, STARS, CLASSIFICATION)[0] == "9"


def test_a_class_that_only_other_rows_have_is_known() -> None:
    """The held-out labels may lack a class of the reference, which a champion may answer in every row."""
    assert read_answers([9] * 200, STARS, CLASSIFICATION, {"9"})[0] == "9"


@pytest.mark.parametrize("labels", [STARS, pd.Series([1] + [2, 3, 4, 5] * 50), pd.Series(range(9, 12))])
def test_numbers_of_the_classes_are_not_compared(labels: pd.Series) -> None:
    """LabelEncoder counts the classes from 0: nearly all of its answers may be classes, and all are wrong."""
    codes = labels.rank(method="dense") - 1

    with pytest.raises(AnswersError, match="numbers of the classes, counted from 0"):
        read_answers(codes, labels, CLASSIFICATION)


def test_a_wrong_answer_is_no_number_of_a_class() -> None:
    """A single 0 among right answers does not make numbers of all of them."""
    predicted = [0, *STARS[1:]]

    assert read_answers(predicted, STARS, CLASSIFICATION)[:2].tolist() == ["0", "2"]


def test_two_gaps_in_two_hundred_answers_are_wrong_answers() -> None:
    """A classifier that fails on one row in a hundred can still be compared."""
    answers = read_answers([np.nan, np.nan] + [1.0] * 198, pd.Series(ZERO_OR_ONE), CLASSIFICATION)

    assert answers[:3].tolist() == [None, None, "1"]
