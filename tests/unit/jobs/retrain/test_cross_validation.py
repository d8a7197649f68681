import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.candidates import DEFAULTS
from selfheal_jobs.retrain.cross_validation import PreparedFolds, choose
from selfheal_jobs.retrain.training import fit
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.retraining import Candidate
from support.builders.training_sets import quantity, training_set, two_classes

LINEAR = Candidate(name="linear", estimator="sklearn.linear_model.LogisticRegression")
LINE = Candidate(name="line", estimator="sklearn.linear_model.LinearRegression")
MEAN = Candidate(name="mean", estimator="sklearn.dummy.DummyRegressor")
DUMMY = Candidate(name="dummy", estimator="sklearn.dummy.DummyClassifier")
BROKEN = Candidate(
    name="broken", estimator="sklearn.linear_model.LogisticRegression", params={"C": "minus one"}
)


def test_the_best_candidate_of_the_folds_wins() -> None:
    """Each has a mean score over the same folds."""
    choice = choose([DUMMY, LINEAR], training_set(two_classes()))

    assert choice.winner == LINEAR
    assert choice.scores["linear"] > 0.8 > choice.scores["dummy"]


def test_of_errors_the_lower_one_is_better() -> None:
    """The metric is named by the training set."""
    choice = choose([MEAN, LINE], training_set(quantity(), Task.REGRESSION))

    assert choice.winner == LINE
    assert choice.scores["line"] == pytest.approx(0.1, abs=0.02)


def test_a_candidate_that_fails_does_not_stop_the_others() -> None:
    """Its problem is told by its name."""
    choice = choose([BROKEN, LINEAR], training_set(two_classes()))

    assert choice.winner == LINEAR
    assert "'C' parameter" in choice.problems["broken"]
    assert "broken" not in choice.scores


def test_when_every_candidate_fails_nobody_wins() -> None:
    """The problems say why."""
    choice = choose([BROKEN], training_set(two_classes()))

    assert choice.winner is None
    assert set(choice.problems) == {"broken"}


def test_the_same_rows_are_chosen_from_alike() -> None:
    """Folds and estimators are seeded."""
    rows = training_set(two_classes())

    assert (
        choose(DEFAULTS[Task.CLASSIFICATION], rows).scores
        == choose(DEFAULTS[Task.CLASSIFICATION], rows).scores
    )


def with_reference(slope: float, current: int = 60) -> pd.DataFrame:
    """Return 300 rows of a reference, and current ones whose slope is 3."""
    return pd.concat([quantity(300, seed=1, slope=slope), quantity(current, seed=2)], ignore_index=True)


@pytest.mark.parametrize(("slope", "helps"), [(3.0, True), (-3.0, False)])
def test_auto_learns_from_the_reference_where_that_helps(slope: float, *, helps: bool) -> None:
    """It helps where the relation is the same, and does harm where it has turned."""
    table = with_reference(slope, current=12)
    rows = training_set(
        table, Task.REGRESSION, reference=np.arange(len(table)) < 300, reference_optional=True
    )

    choice = choose([LINE], rows)

    assert choice.with_reference is helps
    assert len(choice.training_set.rows) == (312 if helps else 12)
    assert fit(LINE, choice.training_set).predict(pd.DataFrame({"x": [1.0]}))[0] == pytest.approx(3, abs=0.2)


def test_with_many_rows_a_choice_with_the_reference_keeps_the_scores_of_those_not_tried_again() -> None:
    """Of more than 20,000 rows only the winner is tried with the reference; all candidates are logged."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(20_400, 40))).rename(columns="x{}".format)
    table["label"] = table.sum(axis="columns") + rng.normal(0, 20, len(table))
    given = training_set(
        table, Task.REGRESSION, reference=np.arange(len(table)) < 20_300, reference_optional=True
    )
    failing = Candidate(name="failing", estimator="sklearn.linear_model.Ridge", params={"alpha": "-1"})

    choice = choose([MEAN, LINE, failing], given)

    assert choice.with_reference
    assert set(choice.scores) == {"mean", "line"}
    assert set(choice.problems) == {"failing"}


def test_reference_and_current_is_not_up_to_the_folds() -> None:
    """Where the manifest wants the reference, it stays."""
    table = with_reference(-3.0)
    rows = training_set(table, Task.REGRESSION, reference=np.arange(len(table)) < 300)

    assert choose([LINE], rows).with_reference


def test_boosting_learns_many_rows_with_a_class_of_one_row() -> None:
    """It would split the rows by class for early stopping, and fail."""
    table = two_classes(10_500)
    table.loc[7, "label"] = "once"
    boosting = Candidate(
        name="boosting",
        estimator="sklearn.ensemble.HistGradientBoostingClassifier",
        params={"max_iter": "3"},
    )

    choice = choose([boosting], training_set(table))

    assert choice.problems == {}
    assert "once" in fit(boosting, choice.training_set).classes_


@pytest.mark.parametrize("most_values", [0, 10**9])
def test_folds_that_are_kept_score_like_those_that_are_not(most_values: int) -> None:
    """What is kept is only the preparation."""
    prepared = PreparedFolds(training_set(two_classes()), most_values=most_values)

    first, second = (float(np.mean(list(prepared.scores(LINEAR)))) for _ in range(2))

    assert first == second == choose([LINEAR], training_set(two_classes())).scores["linear"]


def test_a_tuned_threshold_may_be_a_candidate() -> None:
    """Of classes that are words, too."""
    tuned = Candidate(
        name="tuned",
        estimator="sklearn.model_selection.TunedThresholdClassifierCV",
        params={"estimator": "sklearn.linear_model.LogisticRegression", "scoring": "f1_macro"},
    )

    choice = choose([tuned], training_set(two_classes()))

    assert choice.problems == {}
    assert choice.scores["tuned"] > 0.8
