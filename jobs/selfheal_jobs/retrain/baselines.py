"""Models that ignore the columns, as scikit-learn's DummyClassifier and DummyRegressor do. Pure."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from selfheal_jobs.retrain.class_words import class_words
from selfheal_jobs.retrain.tallies import (
    Sums,
    Units,
    class_tallies,
    of_words,
    quantity_tallies,
    random_answers,
)
from selfheal_operator.api.reasons import Task


def baselines(train: pd.Series, test: pd.Series, task: Task, units: Units) -> Mapping[str, Sums]:
    """Return the tallies of each baseline on the held-out rows, by a name for messages.

    Classes: always the most frequent one, and answers drawn at random in the classes' shares, of which the
    expected tallies are taken. No other answers that ignore the columns have a higher f1_macro, since it is
    concave in their shares. Quantities: the mean, and the median, of the training rows.
    """
    return _of_quantities(train, test, units) if task is Task.REGRESSION else _of_classes(train, test, units)


def _of_quantities(train: pd.Series, test: pd.Series, units: Units) -> Mapping[str, Sums]:
    actual = test.to_numpy(dtype="float64")
    constants = {"the mean": float(train.mean()), "the median": float(train.median())}
    return {
        name: quantity_tallies(np.full(len(actual), answer), actual, units)
        for name, answer in constants.items()
    }


def _of_classes(train: pd.Series, test: pd.Series, units: Units) -> Mapping[str, Sums]:
    classes = of_words(class_words(test))
    known = pd.Series(class_words(train)).value_counts(normalize=True)
    shares = known.reindex(list(classes.names), fill_value=0.0).to_numpy().astype(np.float64)
    commonest = np.full(len(test), classes.code(np.array([known.index[0]], dtype=object))[0])
    return {
        "the most frequent class": class_tallies(commonest, classes, units),
        "random answers": random_answers(shares, classes, units),
    }
