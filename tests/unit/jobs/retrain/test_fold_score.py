import pytest

from selfheal_jobs.retrain.fold_score import fold_score


def test_a_class_that_no_label_has_costs_no_share_of_the_average() -> None:
    """Its answers are wrong, as any other wrong answer is."""
    assert fold_score("f1_macro", ["a", "a", "b", "b"], ["a", "a", "b", "c"]) == pytest.approx(
        (1 + 2 / 3) / 2
    )


def test_a_metric_without_a_value_is_an_error() -> None:
    """A candidate that answers infinity is not chosen."""
    with pytest.raises(ValueError, match=r"infinity|not defined"):
        fold_score("root_mean_squared_error", [1.0, 2.0], [1.0, float("inf")])
