"""Gathers what the gates depend on: the answers of all models on the held-out rows."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from msgspec import Struct

from selfheal_jobs.retrain import leaks
from selfheal_jobs.retrain.answers import AnswersError
from selfheal_jobs.retrain.baselines import baselines
from selfheal_jobs.retrain.champion import Champion, not_scorable
from selfheal_jobs.retrain.examination import Examination
from selfheal_jobs.retrain.gates import Evidence, Examined
from selfheal_jobs.retrain.prepared_rows import PreparedRows
from selfheal_jobs.retrain.scores import ranking
from selfheal_jobs.retrain.training import TrainingSet
from selfheal_jobs.retrain.vanished_classes import vanished_classes
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.dataset import Columns


class Opponent(Struct, frozen=True, kw_only=True):
    """The champion with its answers for the held-out rows."""

    champion: Champion
    predicted: Any
    examined: Examined


def opponent(champion: Champion, rows: PreparedRows) -> Opponent:
    """Examine the champion.

    Raises:
        DataError: It cannot be asked, or its answers cannot be compared (ChampionNotScorable).
        MlflowException: MLflow could not be reached.
    """
    predicted, more = champion.predict(rows.with_all_columns(rows.split.test))
    try:
        examined = rows.examination.examined(champion.name, predicted, more)
    except AnswersError as error:
        raise not_scorable(champion.version, str(error)) from error
    return Opponent(champion=champion, predicted=predicted, examined=examined)


def evidence_of(
    name: str, model: Any, learnt_from: TrainingSet, rows: PreparedRows, other: Opponent | None
) -> Evidence:
    """Examine the winner, and return it beside everything that it has to be better than.

    Args:
        name: Name of the winner.
        model: The winner, fitted on the training rows.
        learnt_from: These rows.
        rows: The rows of the retraining.
        other: The champion; None if there is none.

    Raises:
        AnswersError: The winner's answers cannot be compared with the targets.
    """
    spec, examination, test = rows.request.spec, rows.examination, rows.test
    predicted = model.predict(test.rows)
    winner = examination.examined(name, predicted, ranking(model, test))
    running, running_problem = _running_model(examination, rows.split.test, spec.dataset.columns.prediction)
    giveaway, perfect = _suspicion(spec.dataset.columns, learnt_from, rows, winner)
    compared = other.predicted if other else None
    columns = spec.promotion.slices if other else []
    return Evidence(
        rules=spec.promotion,
        task=test.task,
        metric=learnt_from.metric,
        seed=learnt_from.seed,
        rows=len(test.target),
        winner=winner,
        champion=other.examined if other else None,
        running=running,
        running_problem=running_problem,
        baselines=baselines(learnt_from.target, test.target, test.task, examination.units),
        past=other.champion.past() if other else None,
        slices=examination.slices(rows.split.test, columns, predicted, compared) if columns else (),
        giveaway=giveaway,
        perfect=perfect,
        vanished=_vanished(learnt_from, rows),
    )


def _vanished(learnt_from: TrainingSet, rows: PreparedRows) -> tuple[str, ...]:
    """Return the classes that are unlearnt; none if only the reference is learnt from, or with force."""
    feed, target = rows.data.feed, rows.target
    if feed is None or rows.test.task is Task.REGRESSION or target not in feed.reference.columns:
        return ()
    if rows.request.force:
        return ()
    current = len(rows.split.train) + len(rows.split.test)
    learnt = (learnt_from.target, rows.test.target)
    return vanished_classes(feed.reference[target], learnt, current)


def _running_model(
    examination: Examination, rows: pd.DataFrame, column: str | None
) -> tuple[Examined | None, str]:
    """Return what the answers of the model that runs are worth, or a remark why nobody can tell."""
    if column is None or column not in rows.columns:
        return None, ""
    name = f"the column {column[:60]!r}"
    try:
        return examination.examined(name, rows[column].to_numpy()), ""
    except AnswersError as error:
        return None, f"{name} is not compared: {error}"


def _suspicion(
    columns: Columns, learnt_from: TrainingSet, rows: PreparedRows, winner: Examined
) -> tuple[str | None, bool]:
    """Return the column that gives the target away, and whether a perfect score remains unexplained.

    A column that the spec names in include or categorical is vouched for: somebody has looked at it.
    """
    task, metrics, features = rows.test.task, dict(winner.metrics), rows.data.layout.features
    if not leaks.is_nearly_perfect(task, metrics):
        return None, False
    level = metrics["r2" if task is Task.REGRESSION else "accuracy"]
    coded = [name for name in columns.categorical if name in features]
    train, test = (_labelled(side.rows, side.target, rows.target, coded) for side in (learnt_from, rows.test))

    def alone(names: Sequence[str]) -> str | None:
        return leaks.giveaway(names, (train, test), target=rows.target, task=task, level=level)

    vouched = {*columns.include, *columns.categorical}
    if (found := alone([name for name in features if name not in vouched])) is not None:
        return found, False
    explained = bool(columns.include) or alone([name for name in features if name in vouched]) is not None
    return None, leaks.is_perfect(task, metrics) and not explained


def _labelled(rows: pd.DataFrame, target: pd.Series, name: str, coded: Sequence[str]) -> pd.DataFrame:
    """Return rows with their target, and codes as text."""
    return pd.concat([rows.astype(dict.fromkeys(coded, str)), target.rename(name)], axis=1)
