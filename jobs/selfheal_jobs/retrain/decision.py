"""Decides which candidate is registered, if any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from selfheal_jobs.retrain.champion import Champion
from selfheal_jobs.retrain.scores import PRIMARY, best, comparisons, is_better
from selfheal_jobs.retrain.training import Trained
from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.reasons import Reason, RetrainResult, Task
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import LastRetraining, TrainingRows

_MAX_MESSAGE: Final = 1500
"""With ten metrics, a decision then fits into an MLflow tag of at most 8,000 characters."""


class Decision(ApiModel, frozen=True, kw_only=True):
    """The decision of a retraining, with all data needed to carry it out."""

    outcome: LastRetraining
    """The outcome, without the model version, which does not exist yet."""
    model_uri: str | None = None
    """The model to register; None to register none."""
    model_run_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class LoggedModel:
    """A candidate's model in MLflow."""

    run_id: str
    uri: str


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    """The trained candidates and the champion with their scores: the input of the decision."""

    candidates: Sequence[Trained]
    logged: Mapping[str, LoggedModel]
    champion: Champion | None
    rows: TrainingRows
    task: Task
    parent_run_id: str


@dataclass(frozen=True)
class Attempt:
    """One attempt at a requested retraining."""

    request: RunRequest
    started: datetime
    current_identity: str | None = None
    """The identity of the current data, from before it was read."""

    def outcome(
        self, now: datetime, result: RetrainResult, reason: Reason, message: str, **more: Any
    ) -> LastRetraining:
        """Return an outcome, with the fields that all outcomes of this attempt share."""
        return LastRetraining(
            scheduled_time=self.request.slot,
            job_name=self.request.job_name,
            start_time=self.started,
            completion_time=now,
            result=result,
            reason=reason,
            message=message[:_MAX_MESSAGE],
            observed_generation=self.request.monitor.generation,
            current_identity=self.current_identity,
            **more,
        )

    def failed(self, now: datetime, reason: Reason, message: str) -> RetrainReport:
        """Return the report of a failed retraining."""
        return RetrainReport(last_retraining=self.outcome(now, RetrainResult.FAILED, reason, message))


def decide(attempt: Attempt, trained: TrainingOutcome, now: datetime) -> Decision:
    """Select the best candidate; it is registered if it is strictly better than the champion."""
    scores = {each.candidate.name: each.metrics for each in trained.candidates if each.metrics}
    if not scores:
        problems = "; ".join(
            f"{each.candidate.name}: {each.problem}" for each in trained.candidates if each.problem
        )
        message = f"Every candidate failed. {problems}"
        reason = Reason.TRAINING_FAILED
        return Decision(
            outcome=attempt.outcome(now, RetrainResult.FAILED, reason, message, run_id=trained.parent_run_id)
        )
    winner = best(trained.task, scores)
    champion = trained.champion.metrics if trained.champion else None
    better = champion is None or is_better(trained.task, scores[winner], champion)
    outcome = attempt.outcome(
        now,
        RetrainResult.REGISTERED if better else RetrainResult.NOT_IMPROVED,
        Reason.MODEL_REGISTERED if better else Reason.NO_IMPROVEMENT,
        sentence(winner, scores[winner], trained),
        candidate=winner,
        champion_version=trained.champion.version if trained.champion else None,
        run_id=trained.parent_run_id,
        metrics=comparisons(scores[winner], champion),
        rows=trained.rows,
    )
    model = trained.logged[winner]
    return Decision(
        outcome=outcome,
        model_uri=model.uri if better else None,
        model_run_id=model.run_id if better else None,
    )


def sentence(winner: str, metrics: Mapping[str, float], trained: TrainingOutcome) -> str:
    """Return a one-sentence summary of the decision."""
    name = PRIMARY[trained.task]
    said = f"{winner} has {name} {metrics[name]:.4f} on {trained.rows.test} held-out rows"
    said += _against(trained.champion, metrics, trained.task)
    failures = [each.candidate.name for each in trained.candidates if each.problem]
    return said + (f"; failed: {', '.join(failures)}" if failures else "") + "."


def _against(champion: Champion | None, metrics: Mapping[str, float], task: Task) -> str:
    if champion is None:
        return "; there was no version before"
    if champion.metrics is None:
        return f"; version {champion.version} could not be scored ({champion.problem})"
    better = is_better(task, metrics, champion.metrics)
    compared = f", version {champion.version} has {champion.metrics[PRIMARY[task]]:.4f}"
    return compared if better else f"{compared}: no improvement, nothing registered"
