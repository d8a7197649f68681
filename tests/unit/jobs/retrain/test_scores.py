from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.scores import HeldOut, best, comparisons, is_better, score
from selfheal_operator.api.reasons import Task

CLASSIFICATION, REGRESSION = Task.CLASSIFICATION, Task.REGRESSION


class Model:
    """Predicts what it was told to."""

    def __init__(self, predicted: Any, probabilities: Any = None, classes: Any = None) -> None:
        self.predicted = predicted
        if probabilities is not None:
            self.predict_proba = lambda rows: np.array(probabilities)
            self.classes_ = np.array(classes)

    def predict(self, rows: pd.DataFrame) -> Any:
        """Return what it was told, whatever the rows."""
        return self.predicted


def held_out(target: Any, task: Task = CLASSIFICATION) -> Any:
    """Return as many rows as there are targets."""
    return HeldOut(rows=pd.DataFrame({"x": range(len(target))}), target=pd.Series(target), task=task)


def test_classification_is_scored_under_scikit_learns_names() -> None:
    """One of four wrong: class 1 has recall 1/2 and precision 1, class 0 recall 1 and precision 2/3."""
    probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]]

    found = score(Model([0, 0, 1, 0], probabilities, [0, 1]), held_out([0, 0, 1, 1]))

    assert found == pytest.approx(
        {
            "accuracy": 3 / 4,
            "precision_macro": (2 / 3 + 1) / 2,
            "recall_macro": 3 / 4,
            "f1_macro": (4 / 5 + 2 / 3) / 2,
            "roc_auc": 3 / 4,
        }
    )


def test_regression_is_scored_under_scikit_learns_names() -> None:
    """Errors of 0 and 2 around a target of variance 1."""
    found = score(Model([0.0, 4.0]), held_out([0.0, 2.0], REGRESSION))

    assert found == pytest.approx(
        {"mean_squared_error": 2.0, "root_mean_squared_error": 2**0.5, "mean_absolute_error": 1.0, "r2": -1.0}
    )


def test_more_than_two_classes_have_one_curve_against_the_rest() -> None:
    """The name says so."""
    probabilities = np.eye(3)[[0, 1, 2, 0]] * 0.8 + 0.2 / 3

    found = score(Model([0, 1, 2, 0], probabilities, [0, 1, 2]), held_out([0, 1, 2, 0]))

    assert found["roc_auc_ovr"] == 1.0
    assert "roc_auc" not in found


@pytest.mark.parametrize(
    ("case", "model", "target"),
    [
        ("no probabilities", Model([0, 1]), [0, 1]),
        ("one class among the held-out rows", Model([0, 0], [[1, 0], [1, 0]], [0, 1]), [0, 0]),
        ("a class the model has never seen", Model([0, 1, 1], [[1, 0], [0, 1], [0, 1]], [0, 1]), [0, 1, 2]),
    ],
)
def test_a_curve_that_is_not_defined_is_absent(case: str, model: Any, target: Any) -> None:
    """The other metrics are there all the same."""
    found = score(model, held_out(target))

    assert not [name for name in found if name.startswith("roc_auc")], case
    assert "f1_macro" in found, case


def test_r2_of_one_row_is_absent() -> None:
    """It is not defined, and NaN is no number for a status."""
    assert set(score(Model([1.0]), held_out([2.0], REGRESSION))) == {
        "mean_squared_error",
        "root_mean_squared_error",
        "mean_absolute_error",
    }


def test_a_model_of_one_column_is_scored_like_a_vector() -> None:
    """Pyfunc models may return frames."""
    assert score(Model(pd.DataFrame({"y": [0, 1]})), held_out([0, 1]))["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("task", "one", "other", "better"),
    [
        (CLASSIFICATION, {"f1_macro": 0.8}, {"f1_macro": 0.7}, True),
        (CLASSIFICATION, {"f1_macro": 0.7}, {"f1_macro": 0.7}, False),
        (REGRESSION, {"root_mean_squared_error": 0.7}, {"root_mean_squared_error": 0.8}, True),
        (REGRESSION, {"root_mean_squared_error": 0.8}, {"root_mean_squared_error": 0.8}, False),
    ],
)
def test_better_is_strictly_better(task: Task, one: Any, other: Any, *, better: bool) -> None:
    """A model that is only as good is not worth a new version."""
    assert is_better(task, one, other) is better


def test_the_first_of_equals_is_the_best() -> None:
    """The order of the spec decides, so that the choice can be repeated."""
    scores = {"a": {"f1_macro": 0.5}, "b": {"f1_macro": 0.9}, "c": {"f1_macro": 0.9}}

    assert best(CLASSIFICATION, scores) == "b"


def test_metrics_stand_side_by_side_with_four_digits() -> None:
    """A metric that only one of them has is shown for that one."""
    both = comparisons({"f1_macro": 0.51239, "roc_auc": 0.6}, {"f1_macro": 0.5})

    assert [(each.name, each.candidate, each.champion) for each in both] == [
        ("f1_macro", "0.5124", "0.5000"),
        ("roc_auc", "0.6000", None),
    ]
