from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints

import selfheal_operator.api.estimators as generated
from selfheal_jobs.retrain.candidates import DEFAULTS, build_estimator
from selfheal_jobs.retrain.estimator_catalogue import render
from selfheal_operator.api.param_kinds import takes
from selfheal_operator.api.param_values import param_value
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


TEXTS = (
    *("many", "''", "0", "1", "-1", "2", "0.5", "1.0", "-0.5", "1e-3", "1e9", ".inf", "-.inf", ".nan"),
    *("5000000000", "true", "false", "no", "null", "None", "auto", "2026-11-23"),
)
COLLECTIONS = ("[]", "[1, 2]", "{0: 1}")


@pytest.mark.parametrize("path", [*generated.CLASSIFIERS, *generated.REGRESSORS])
def test_a_value_is_refused_exactly_where_scikit_learn_refuses_it(path: str) -> None:
    """Where all its constraints are understood; of others, and of what a list or mapping holds, none is."""
    module, _, name_of_class = path.rpartition(".")
    estimator = getattr(import_module(module), name_of_class)

    for name, allowed in {**generated.CLASSIFIERS, **generated.REGRESSORS}[path].items():
        words = [f"'{each}'" for each in allowed if isinstance(each, str)]
        for text in [*TEXTS, *words, *COLLECTIONS] if allowed else ():
            value = param_value(text)
            refused = not takes(allowed, value)
            assert refused is _refuses(estimator, name, value), (name, text, allowed)


def _refuses(estimator: type, name: str, value: Any) -> bool:
    declared = estimator._parameter_constraints[name]  # type: ignore[attr-defined]
    try:
        validate_parameter_constraints({name: declared}, {name: value}, "it")
    except InvalidParameterError:
        return True
    return False


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
