from pathlib import Path

import pytest

import selfheal_operator.api.estimators as generated
from selfheal_jobs.retrain.candidates import DEFAULTS, build_estimator
from selfheal_jobs.retrain.estimator_catalogue import render
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.retraining import Candidate


def test_the_operators_list_of_estimators_is_fresh() -> None:
    """When scikit-learn has changed: `python -m selfheal_jobs.retrain.estimator_catalogue` into the file."""
    assert Path(generated.__file__).read_text(encoding="utf-8") == render()


def test_the_defaults_are_listed() -> None:
    """What is tried without being asked for must be allowed."""
    listed = {Task.CLASSIFICATION: generated.CLASSIFIERS, Task.REGRESSION: generated.REGRESSORS}

    for task, candidates in DEFAULTS.items():
        for candidate in candidates:
            assert set(candidate.params) <= set(listed[task][candidate.estimator])


@pytest.mark.parametrize("path", [*generated.CLASSIFIERS, *generated.REGRESSORS])
def test_an_estimator_is_constructed_without_parameters_unless_it_needs_another_one(path: str) -> None:
    """The operator refuses those that need one before a Job starts."""
    task = Task.CLASSIFICATION if path in generated.CLASSIFIERS else Task.REGRESSION
    candidate = Candidate(name="it", estimator=path)

    if path in generated.NEEDS_INNER:
        with pytest.raises(TypeError, match="'estimator'"):
            build_estimator(candidate, task, seed=0, cpus=1)
    else:
        build_estimator(candidate, task, seed=0, cpus=1)


def test_estimators_that_cannot_be_candidates_are_not_listed() -> None:
    """One that needs another estimator, one for counts, one for several targets, one deprecated."""
    listed = {*generated.CLASSIFIERS, *generated.REGRESSORS}

    assert not listed & {
        "sklearn.ensemble.VotingClassifier",
        "sklearn.naive_bayes.MultinomialNB",
        "sklearn.linear_model.MultiTaskLasso",
        "sklearn.linear_model.PassiveAggressiveClassifier",
    }
