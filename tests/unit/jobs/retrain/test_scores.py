from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from selfheal_jobs.retrain.examination import Examination
from selfheal_jobs.retrain.fold_score import gain
from selfheal_jobs.retrain.scores import METRICS, HeldOut, ranking, skill
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1 import promotion

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


def score(model: Any, rows: HeldOut) -> dict[str, float]:
    """Return the metrics of a model, as the examination of a retraining has them."""
    known = frozenset("abcd")
    examination = Examination(target=rows.target, task=rows.task, together=None, seed=0, known=known)
    examined = examination.examined("model", model.predict(rows.rows), ranking(model, rows))
    return dict(examined.metrics)


def test_every_metric_that_a_promotion_may_name_is_scored() -> None:
    """The API says which metrics a task has; a retraining computes these."""
    assert {task: [*scored] for task, scored in METRICS.items()} == {
        task: [*names] for task, names in promotion.METRICS.items()
    }


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
            "brier_score": (0.01 + 0.16 + 0.04 + 0.49) / 4,
            "log_loss": -np.log([0.9, 0.6, 0.8, 0.3]).mean(),
        }
    )


def test_an_answer_of_a_class_that_nobody_has_does_not_cost_a_class() -> None:
    """Averages are over the classes of the labels: 0.5 and 0.8, not these and 0."""
    found = score(Model(["a", "c", "b", "b"]), held_out(["a", "a", "b", "b"]))

    assert found["f1_macro"] == pytest.approx((2 / 3 + 1) / 2)


def test_regression_is_scored_under_scikit_learns_names() -> None:
    """Errors of 0 and 2 around a target of variance 1."""
    found = score(Model([0.0, 4.0]), held_out([0.0, 2.0], REGRESSION))

    assert found == pytest.approx(
        {"mean_squared_error": 2.0, "root_mean_squared_error": 2**0.5, "mean_absolute_error": 1.0, "r2": -1.0}
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=30))
def test_metrics_of_classes_are_those_of_scikit_learn(rows: list[tuple[str, str]]) -> None:
    """Over the classes that the labels have."""
    actual, predicted = ([row[side] for row in rows] for side in (0, 1))
    macro: dict[str, Any] = {"average": "macro", "zero_division": 0, "labels": sorted(set(actual))}

    found = score(Model(np.array(predicted, dtype=object)), held_out(actual))

    assert found == pytest.approx(
        {
            "f1_macro": metrics.f1_score(actual, predicted, **macro),
            "accuracy": metrics.accuracy_score(actual, predicted),
            "precision_macro": metrics.precision_score(actual, predicted, **macro),
            "recall_macro": metrics.recall_score(actual, predicted, **macro),
        }
    )


NUMBER = st.floats(-1e6, 1e6)


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=2, max_size=30))
def test_metrics_of_quantities_are_those_of_scikit_learn(rows: list[tuple[float, float]]) -> None:
    """R2 is absent where the target does not vary."""
    actual, predicted = (np.array([row[side] for row in rows]) for side in (0, 1))

    found = score(Model(predicted), held_out(actual, REGRESSION))

    assert found["root_mean_squared_error"] == pytest.approx(
        metrics.root_mean_squared_error(actual, predicted), rel=1e-6, abs=1e-6
    )
    assert found["mean_absolute_error"] == pytest.approx(metrics.mean_absolute_error(actual, predicted))
    if np.ptp(actual) > 1:
        assert found["r2"] == pytest.approx(metrics.r2_score(actual, predicted), rel=1e-6, abs=1e-6)


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
    ("metric", "one", "other", "better"),
    [
        ("f1_macro", 0.8, 0.7, 0.1),
        ("r2", 0.5, 0.7, -0.2),
        ("root_mean_squared_error", 0.7, 0.8, 0.1),
        ("mean_absolute_error", 0.8, 0.7, -0.1),
    ],
)
def test_a_gain_is_positive_where_the_first_is_better(
    metric: str, one: float, other: float, better: float
) -> None:
    """Of an error less is better."""
    assert gain(metric, one, other) == pytest.approx(better)


@pytest.mark.parametrize(
    ("metric", "reached", "baseline", "share"),
    [
        ("f1_macro", 0.5, 0.5, 0.0),
        ("f1_macro", 1.0, 0.5, 1.0),
        ("f1_macro", 0.25, 0.5, -0.5),
        ("root_mean_squared_error", 5.0, 20.0, 0.75),
        ("accuracy", 1.0, 1.0, 0.0),
    ],
)
def test_skill_is_the_way_from_the_baseline_to_perfection(
    metric: str, reached: float, baseline: float, share: float
) -> None:
    """A baseline that is perfect leaves no way to go."""
    assert skill(metric, reached, baseline) == pytest.approx(share)
