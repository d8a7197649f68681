"""The model to register: the winner, fitted again on all labelled rows where the spec says so."""

from typing import Any

import pandas as pd
from msgspec import Struct

from selfheal_jobs.retrain.cross_validation import Choice
from selfheal_jobs.retrain.learnt_rows import LearntRows
from selfheal_jobs.retrain.prepared_rows import PreparedRows
from selfheal_jobs.retrain.row_times import newest
from selfheal_jobs.retrain.training import Recipe, TrainingSet, fit


class FinalModel(Struct, frozen=True, kw_only=True):
    """A model that may be registered, and the rows that it has learnt."""

    model: Any
    training_set: TrainingSet
    learnt: LearntRows


def refits(rows: PreparedRows) -> bool:
    """Return whether the winner is fitted again: by default where the held-out rows are the newest.

    A model that has never seen the newest rows is outdated when it is registered.
    """
    wanted = rows.request.spec.retraining.refit
    return rows.split.train_times is not None if wanted is None else wanted


def final_model(winner: Recipe, model: Any, choice: Choice, rows: PreparedRows) -> FinalModel:
    """Return the model to register.

    Args:
        winner: The recipe that has passed all gates.
        model: Its fit on the training rows.
        choice: The cross-validation, with these rows.
        rows: The rows of the retraining.

    Raises:
        Exception: Whatever the estimator raises.
    """
    training_set, times = choice.training_set, rows.split.train_times
    until = None if times is None else newest(times)
    if refits(rows):
        training_set, until = rows.with_held_out(training_set), rows.split.until
        model = fit(winner, training_set)
    labelled = pd.concat([training_set.rows, training_set.target.rename(rows.target)], axis=1)
    learnt = LearntRows.of(labelled, rows.data.layout.learnt, until)
    return FinalModel(model=model, training_set=training_set, learnt=learnt)
