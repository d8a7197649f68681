"""The demo's own scores."""

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from demo.scores import improved, score, scores_only
from selfheal_operator.api.reasons import Task


def test_a_classifier_that_always_says_no_is_seen_through() -> None:
    """Its accuracy is that of the common class; F1 over both classes is not deceived."""
    rows = pd.DataFrame({"x": range(10), "y": [0] * 8 + [1] * 2})
    model = DummyClassifier(strategy="constant", constant=0).fit(rows[["x"]], rows["y"])

    scores = score(model, rows, target="y", task=Task.CLASSIFICATION)

    assert scores["accuracy"] == pytest.approx(0.8)
    assert scores["recall_macro"] == pytest.approx(0.5)
    assert scores["f1_macro"] == pytest.approx((2 * 0.8 / 1.8 + 0) / 2)
    assert scores["roc_auc"] == pytest.approx(0.5)


def test_a_regressor_is_scored_by_its_errors() -> None:
    """Off by one and by three: squares, root, absolute values, and the share explained."""
    rows = pd.DataFrame({"x": [0, 1], "y": [1.0, 3.0]})
    model = DummyRegressor(strategy="constant", constant=0.0).fit(rows[["x"]], rows["y"])

    scores = score(model, rows, target="y", task=Task.REGRESSION)

    assert scores == pytest.approx(
        {
            "mean_squared_error": 5.0,
            "root_mean_squared_error": 5.0**0.5,
            "mean_absolute_error": 2.0,
            "r2": -4.0,
        }
    )


@pytest.mark.parametrize(
    ("metric", "before", "after", "better"),
    [
        ("accuracy", 0.5, 0.6, True),
        ("accuracy", 0.5, 0.5, False),
        ("root_mean_squared_error", 2.0, 1.0, True),
        ("root_mean_squared_error", 2.0, 2.0, False),
        ("r2", 0.1, 0.2, True),
    ],
)
def test_better_depends_on_the_metric(metric: str, before: float, after: float, *, better: bool) -> None:
    """Of errors less is better, of all else more."""
    assert improved(metric, before={metric: before}, after={metric: after}) is better


def test_the_time_of_a_training_is_no_score() -> None:
    """MLflow keeps it beside the scores."""
    assert scores_only({"root_mean_squared_error": 1.0, "training_seconds": 9.0}) == {
        "root_mean_squared_error": 1.0
    }
