"""One trial: the best candidate against the champion, from the tables to what the decision depends on."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.redaction import one_line
from selfheal_jobs.retrain import remarks
from selfheal_jobs.retrain.candidates import candidates_for
from selfheal_jobs.retrain.champion import Champion
from selfheal_jobs.retrain.cross_validation import Choice
from selfheal_jobs.retrain.decision import Attempt, Findings
from selfheal_jobs.retrain.evidence import Opponent, evidence_of, opponent
from selfheal_jobs.retrain.gates import Examined, results_of
from selfheal_jobs.retrain.many_classes import not_tried, within_reach
from selfheal_jobs.retrain.prepared_rows import PreparedRows, prepare
from selfheal_jobs.retrain.recalibration import recalibrated
from selfheal_jobs.retrain.retraining_data import RetrainingData
from selfheal_jobs.retrain.training import Recipe, fit
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.status import TrainingRows


class Trial(Struct, frozen=True, kw_only=True):
    """What an attempt decides on: the rows, the candidates and the champion."""

    attempt: Attempt
    rows: PreparedRows
    candidates: tuple[Recipe, ...]
    opponent: Opponent | None
    remarks: tuple[str, ...] = ()
    """Which of the default candidates are not tried."""
    ignored_version: str | None = None
    """The present version if the request wants it not to be compared."""
    alias_version: str | None = None
    """The version that spec.mlflow.championAlias was on."""


class Found(Struct, frozen=True, kw_only=True):
    """The findings of a trial, and the model that they are about."""

    findings: Findings
    model: Any

    @property
    def examined(self) -> list[Examined]:
        """Return the models that were examined."""
        evidence = self.findings.evidence
        others = (evidence.champion, evidence.running)
        return [evidence.winner, *(each for each in others if each is not None)]


def trial_of(
    attempt: Attempt,
    data: RetrainingData,
    champion: Champion | None,
    ignored_version: str | None = None,
    alias_version: str | None = None,
) -> Trial:
    """Prepare the rows, examine the champion, and list the candidates.

    Raises:
        DataError: There are too few rows, or the champion cannot be scored.
    """
    now = max(attempt.started, attempt.request.slot)
    rows = prepare(attempt.request, now, data, champion.learnt if champion else None)
    wanted = attempt.request.spec.retraining.candidates
    candidates, remark = candidates_for(wanted, rows.test.task), None
    if not wanted and rows.test.task is Task.CLASSIFICATION:
        defaults, candidates = candidates, within_reach(candidates, rows.training_set.target)
        remark = not_tried(defaults, candidates, rows.training_set.target)
    return Trial(
        attempt=attempt,
        rows=rows,
        candidates=candidates if wanted else (*candidates, *_recalibrated(champion, rows)),
        opponent=opponent(champion, rows) if champion else None,
        remarks=(remark,) if remark else (),
        ignored_version=ignored_version,
        alias_version=alias_version,
    )


class WinnerFailedError(Exception):
    """The winner of the cross-validation fails on all training rows, or on the held-out rows."""


def findings_of(trial: Trial, choice: Choice, winner: Recipe, parent_run_id: str) -> Found:
    """Fit the winner on the training rows, examine it, and let it through the gates.

    Raises:
        WinnerFailedError: It cannot be fitted, or its answers cannot be compared.
    """
    try:
        model = fit(winner, choice.training_set)
        evidence = evidence_of(winner.name, model, choice.training_set, trial.rows, trial.opponent)
    except Exception as error:  # estimators may raise anything
        raise WinnerFailedError(one_line(error)) from error
    findings = Findings(
        evidence=evidence,
        gates=results_of(evidence),
        rows=TrainingRows(train=len(choice.training_set.rows), test=evidence.rows),
        parent_run_id=parent_run_id,
        champion_version=trial.opponent.champion.version.version if trial.opponent else None,
        ignored_version=trial.ignored_version,
        problems=choice.problems,
    )
    said = [*remarks.of_rows(trial.rows, evidence), *trial.remarks]
    if findings.passed:
        said += remarks.of_winner(trial.rows, choice, model, evidence, trial.opponent)
    return Found(findings=replace(findings, remarks=tuple(said)), model=model)


def _recalibrated(champion: Champion | None, rows: PreparedRows) -> tuple[Recipe, ...]:
    """Return the champion with its answers corrected, if it has learnt none of the rows here."""
    if champion is None or champion.fitted is None or rows.split.already_learnt:
        return ()
    if champion.learnt is None or not champion.learnt.are_known:
        return ()
    if champion.names is not None and not set(champion.names) <= set(rows.data.layout.features):
        return ()
    found = recalibrated(champion.fitted, rows.test.task, champion.names)
    return () if found is None else (found,)
