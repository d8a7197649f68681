import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.cross_validation import choose
from selfheal_jobs.retrain.recalibration import RecalibratedChampion, recalibrated
from selfheal_jobs.retrain.training import TrainingSet, fit
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.retraining import Candidate
from support.builders.training_sets import quantity, training_set, two_classes

LINE = Candidate(name="line", estimator="sklearn.linear_model.LinearRegression")
LINEAR = Candidate(name="linear", estimator="sklearn.linear_model.LogisticRegression")


def candidate(champion: Any, task: Task, names: list[str]) -> RecalibratedChampion:
    """Return the champion as a candidate."""
    made = recalibrated(champion, task, names)
    assert made is not None
    return made


def shifted() -> TrainingSet:
    """Return rows whose quantity has moved by an affine map since the champion has learnt."""
    table = quantity(seed=5)
    return training_set(table.assign(label=10 + 2 * table["label"]), Task.REGRESSION)


def test_a_quantity_is_corrected_by_an_affine_map() -> None:
    """The champion keeps its fit; what it answers is scaled and moved."""
    champion = fit(LINE, training_set(quantity(), Task.REGRESSION))

    model = fit(candidate(champion, Task.REGRESSION, ["x"]), shifted())

    assert model.predict(pd.DataFrame({"x": [0.0, 1.0]})) == pytest.approx([10, 16], abs=0.2)


@pytest.mark.parametrize("rows", [200, 1_200])
def test_probabilities_of_classes_are_corrected(rows: int) -> None:
    """By Platt's method for few rows, isotonic for many."""
    champion = fit(LINEAR, training_set(two_classes(400)))

    fresh = two_classes(rows, seed=9)
    model = fit(candidate(champion, Task.CLASSIFICATION, ["x", "plan"]), training_set(fresh))

    assert (model.predict(fresh[["x", "plan"]]) == fresh["label"]).mean() > 0.85
    assert np.allclose(model.predict_proba(fresh[["x", "plan"]]).sum(axis=1), 1)


def test_it_competes_as_any_candidate_does() -> None:
    """On the same folds."""
    champion = fit(LINE, training_set(quantity(), Task.REGRESSION))
    mean = Candidate(name="mean", estimator="sklearn.dummy.DummyRegressor")

    choice = choose([mean, candidate(champion, Task.REGRESSION, ["x"])], shifted())

    assert choice.winner is not None
    assert choice.winner.name == "champion-recalibrated"


def test_the_champion_may_use_fewer_columns_than_there_are() -> None:
    """It is given those of its signature, in their order."""
    champion = fit(LINE, training_set(quantity(), Task.REGRESSION))
    wide = quantity(seed=5).assign(more=1.5)[["more", "x", "label"]]
    wide.loc[0, "more"] = 2.5

    model = fit(candidate(champion, Task.REGRESSION, ["x"]), training_set(wide, Task.REGRESSION))

    assert model.predict(wide.head(1)) == pytest.approx(wide["label"].head(1), abs=0.5)


def test_recalibrating_again_replaces_the_correction() -> None:
    """Otherwise a model would grow with every retraining."""
    champion = fit(LINE, training_set(quantity(), Task.REGRESSION))
    once = fit(candidate(champion, Task.REGRESSION, ["x"]), shifted())
    twice = fit(candidate(once, Task.REGRESSION, ["x"]), shifted())

    assert len(pickle.dumps(twice)) == pytest.approx(len(pickle.dumps(once)), rel=0.05)


def test_a_model_without_probabilities_is_no_candidate() -> None:
    """Nor is one that is not scikit-learn's."""
    champion = fit(LINE, training_set(quantity(), Task.REGRESSION))

    assert recalibrated(champion, Task.CLASSIFICATION, ["x"]) is None
    assert recalibrated(object(), Task.REGRESSION, ["x"]) is None
