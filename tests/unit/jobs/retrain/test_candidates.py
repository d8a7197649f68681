import sys
from typing import Any

import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from selfheal_jobs.retrain.candidates import DEFAULTS, CandidateError, build_estimator, candidates_for
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.retraining import Candidate

FOREST = "sklearn.ensemble.RandomForestClassifier"


def built(path: str, task: Task = Task.CLASSIFICATION, /, **params: str) -> Any:
    """Return the estimator of a candidate."""
    return build_estimator(Candidate(name="c", estimator=path, params=params), task, seed=7, cpus=2)


def test_params_reach_the_estimator() -> None:
    """With seed and processors where it has them."""
    forest = built(FOREST, n_estimators="3")

    assert isinstance(forest, RandomForestClassifier)
    assert (forest.n_estimators, forest.random_state, forest.n_jobs) == (3, 7, 2)


def test_the_specs_own_seed_and_processors_win() -> None:
    """They are ordinary parameters."""
    forest = built(FOREST, random_state="1", n_jobs="1")

    assert (forest.random_state, forest.n_jobs) == (1, 1)


def test_an_estimator_without_a_seed_gets_none() -> None:
    """Naive Bayes does not know random_state."""
    assert "random_state" not in built("sklearn.naive_bayes.GaussianNB").get_params()


@pytest.mark.parametrize(
    ("estimator", "task", "said"),
    [
        ("sklearn.ensemble.RandomForrestClassifier", Task.CLASSIFICATION, f"Did you mean {FOREST}?"),
        ("os.system", Task.CLASSIFICATION, "is no Classification estimator"),
        (FOREST, Task.REGRESSION, "Did you mean sklearn.ensemble.RandomForestRegressor?"),
        ("sklearn.ensemble.VotingClassifier", Task.CLASSIFICATION, "is no Classification estimator"),
    ],
)
def test_an_estimator_that_is_not_listed_is_refused(estimator: str, task: Task, said: str) -> None:
    """A manifest names a model; it does not run code."""
    with pytest.raises(CandidateError, match="scikit-learn") as caught:
        built(estimator, task)

    assert said in str(caught.value)


def test_an_unknown_parameter_is_refused_with_the_nearest_one() -> None:
    """scikit-learn would only say that it was unexpected."""
    with pytest.raises(CandidateError, match=r"no parameter 'n_estimator'\. Did you mean n_estimators\?"):
        built(FOREST, n_estimator="3")


@pytest.mark.parametrize("task", list(Task))
def test_the_defaults_can_be_built(task: Task) -> None:
    """A linear one, a forest and gradient boosting; none weighs classes."""
    assert [candidate.name for candidate in candidates_for([], task)] == ["linear", "forest", "boosting"]
    for candidate in DEFAULTS[task]:
        assert "class_weight" not in candidate.params
        build_estimator(candidate, task, seed=1, cpus=1)


def test_the_spec_replaces_the_defaults() -> None:
    """Named candidates are the only ones."""
    mine = Candidate(name="mine", estimator=FOREST)

    assert candidates_for([mine], Task.CLASSIFICATION) == (mine,)


def test_an_estimator_may_hold_another_one() -> None:
    """It is named as the candidate's own is, and gets the seed."""
    tuned = built(
        "sklearn.model_selection.TunedThresholdClassifierCV", estimator=FOREST, scoring="f1", cv="3"
    )

    assert (tuned.scoring, tuned.cv, tuned.estimator.random_state) == ("f1", 3, 7)
    with pytest.raises(CandidateError, match="is no Classification estimator"):
        built("sklearn.model_selection.TunedThresholdClassifierCV", estimator="os.system")


def test_an_inner_estimator_that_is_null_is_scikit_learns_default() -> None:
    """A null is written as a string, like that of any parameter."""
    assert built("sklearn.ensemble.AdaBoostClassifier", estimator="null").estimator is None


@pytest.mark.parametrize(
    ("task", "name"), [(Task.CLASSIFICATION, "Classifier"), (Task.REGRESSION, "Regressor")]
)
def test_lightgbm_may_be_a_candidate(task: Task, name: str) -> None:
    """With seed and processors, and without its lines in the log."""
    boosting = built(f"lightgbm.LGBM{name}", task, num_leaves="15")

    assert (boosting.num_leaves, boosting.random_state, boosting.n_jobs) == (15, 7, 2)
    assert boosting.get_params()["verbosity"] == -1


def test_an_image_without_lightgbm_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra of the image."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)

    with pytest.raises(CandidateError, match="build it with the extra 'boosting'"):
        built("lightgbm.LGBMClassifier")


def test_class_weights_name_classes_of_the_target() -> None:
    """In JSON keys are text."""
    candidate = Candidate(name="c", estimator=FOREST, params={"class_weight": '{"0": 1, "1": 5}'})

    forest = build_estimator(candidate, Task.CLASSIFICATION, seed=7, cpus=1, target=pd.Series([0, 1]))

    assert forest.get_params()["class_weight"] == {0: 1, 1: 5}
