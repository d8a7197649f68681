"""Fits the candidates, one after the other, and scores them on the held-out set."""

import logging
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import joblib
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.redaction import one_line
from selfheal_jobs.retrain.candidates import build_estimator
from selfheal_jobs.retrain.features import pipeline
from selfheal_jobs.retrain.scores import PRIMARY, HeldOut, score
from selfheal_operator.api.v1alpha1.retraining import Candidate

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """The training set and the held-out set of all candidates."""

    rows: pd.DataFrame
    target: pd.Series
    held_out: HeldOut
    columns: tuple[Column, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A candidate after training: a fitted pipeline with its metrics, or why there is none."""

    candidate: Candidate
    model: Pipeline | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""


def train_all(candidates: tuple[Candidate, ...], training_set: TrainingSet) -> Iterator[Trained]:
    """Train the candidates and yield each. If one fails, the others are still trained."""
    cpus = joblib.cpu_count()  # respects the container's limit
    for candidate in candidates:
        started = time.monotonic()
        try:
            with threadpool_limits(cpus):
                model, metrics = _train(candidate, training_set, cpus)
        except Exception as error:  # noqa: BLE001  estimators may raise anything
            logger.info("%s failed: %s", candidate.name, one_line(error))
            yield Trained(candidate=candidate, problem=one_line(error), seconds=time.monotonic() - started)
            continue
        seconds = time.monotonic() - started
        name = PRIMARY[training_set.held_out.task]
        logger.info("%s trained in %.1f s, %s=%.4f", candidate.name, seconds, name, metrics[name])
        yield Trained(candidate=candidate, model=model, metrics=metrics, seconds=seconds)


def _train(candidate: Candidate, training_set: TrainingSet, cpus: int) -> tuple[Pipeline, dict[str, float]]:
    task = training_set.held_out.task
    model = pipeline(
        build_estimator(candidate, task, seed=training_set.seed, cpus=cpus), training_set.columns
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(training_set.rows, training_set.target)
    for text in sorted({one_line(each.message) for each in caught if isinstance(each.message, Warning)}):
        logger.info("%s warns: %s", candidate.name, text)
    return model, score(model, training_set.held_out)
