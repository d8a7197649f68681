import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.probability_scores import probability_scores


def test_two_classes() -> None:
    """The Brier score is the mean squared error of the probability of the second class."""
    scores = probability_scores(["no", "yes"], np.array([[0.8, 0.2], [0.4, 0.6]]), pd.Series(["no", "yes"]))

    assert scores["brier_score"] == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert scores["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)


def test_more_classes() -> None:
    """The squared errors of all classes are added."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2]])
    scores = probability_scores(["a", "b", "c"], probabilities, pd.Series(["a", "b"]))

    assert scores["brier_score"] == pytest.approx((0.06 + 0.24) / 2)


def test_a_label_that_the_model_does_not_know_has_no_score() -> None:
    """Its probability is not known."""
    assert probability_scores([0, 1], np.array([[0.5, 0.5]]), pd.Series([2])) == {}
