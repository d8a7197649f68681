"""Decides whether the best candidate is registered, and says why. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from selfheal_jobs.retrain.differences import difference, ends
from selfheal_jobs.retrain.gates import FOR_A_PERSON, OF_THE_COMPARISON, Evidence, champion, shortfall
from selfheal_operator.api.model import ApiModel, format_number
from selfheal_operator.api.reasons import Reason, RetrainResult
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.schema import Time
from selfheal_operator.api.v1alpha1.status import GateResult, LastRetraining, MetricComparison, TrainingRows

_MAX_MESSAGE: Final = 1100
"""With ten metrics and seven gates, a decision then fits into an MLflow tag of at most 8,000 characters."""

_INCONCLUSIVE: Final = frozenset({Reason.TOO_FEW_NEW_ROWS})


class Decision(ApiModel, frozen=True, kw_only=True):
    """The decision of a retraining, with all data needed to carry it out."""

    outcome: LastRetraining
    """The outcome, without the model version, which does not exist yet."""
    model_uri: str | None = None
    """The model to register; None to register none."""
    model_run_id: str | None = None
    version_tags: dict[str, str] = {}  # noqa: RUF012  a field of msgspec, which copies it
    """What a later retraining has to know of the version."""
    trained_until_time: Time | None = None
    learnt_rows: int | None = None
    """Number of rows that the model has learnt."""
    previous_version: str | None = None
    """The present version, also if it was not compared."""


class Findings(Struct, frozen=True, kw_only=True):
    """What a retraining has found out about its best candidate."""

    evidence: Evidence
    gates: Sequence[GateResult]
    rows: TrainingRows
    parent_run_id: str
    champion_version: str | None = None
    ignored_version: str | None = None
    """The present version if it was not compared, as the request wanted."""
    remarks: Sequence[str] = ()
    problems: Mapping[str, str] | None = None
    """Why candidates failed, by their names."""
    cpu_seconds: int | None = None

    @property
    def failed_gates(self) -> list[GateResult]:
        """Return the results of the gates that the candidate has not passed."""
        return [gate for gate in self.gates if not gate.passed]

    @property
    def passed(self) -> bool:
        """Return whether the candidate may be registered, if only for a person to decide on it."""
        failed = {gate.name for gate in self.failed_gates}
        return not failed or (failed <= FOR_A_PERSON and self.evidence.rules.moves_the_alias)


class Attempt(Struct, frozen=True):
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
        """Return the report of a retraining that ended early."""
        result = RetrainResult.INCONCLUSIVE if reason in _INCONCLUSIVE else RetrainResult.FAILED
        return RetrainReport(last_retraining=self.outcome(now, result, reason, message))


def all_failed(
    attempt: Attempt,
    problems: Mapping[str, str],
    parent_run_id: str,
    now: datetime,
    *,
    remarks: Sequence[str] = (),
) -> Decision:
    """Return the decision where no candidate could be fitted; remarks on the data may explain why."""
    said = [*(f"{name}: {why}" for name, why in problems.items()), *remarks]
    message = "Every candidate failed. " + "; ".join(said)
    failed = RetrainResult.FAILED, Reason.TRAINING_FAILED
    return Decision(outcome=attempt.outcome(now, *failed, message, run_id=parent_run_id))


def not_servable(attempt: Attempt, findings: Findings, problem: str, now: datetime) -> Decision:
    """Return the decision where a model has passed all gates, and cannot be asked as a server would."""
    message = f"{findings.evidence.winner.name} is not registered: {problem}."
    failed = RetrainResult.FAILED, Reason.TRAINING_FAILED
    return Decision(outcome=attempt.outcome(now, *failed, message, run_id=findings.parent_run_id))


def decide(attempt: Attempt, findings: Findings, now: datetime) -> LastRetraining:
    """Return the outcome: the candidate is registered if it has passed every gate."""
    result = RetrainResult.REGISTERED if findings.passed else RetrainResult.NOT_IMPROVED
    return attempt.outcome(
        now,
        result,
        _reason(findings),
        sentence(findings),
        candidate=findings.evidence.winner.name,
        champion_version=findings.champion_version,
        run_id=findings.parent_run_id,
        metrics=comparisons(findings.evidence),
        gates=list(findings.gates),
        rows=findings.rows,
        cpu_seconds=findings.cpu_seconds,
    )


def _reason(findings: Findings) -> Reason:
    if findings.passed:
        return Reason.MODEL_REGISTERED
    is_no_improvement = any(gate.name in OF_THE_COMPARISON for gate in findings.failed_gates)
    return Reason.NO_IMPROVEMENT if is_no_improvement else Reason.GATE_FAILED


def sentence(findings: Findings) -> str:
    """Return a summary of the decision: scores, what stood in the way, and remarks."""
    evidence = findings.evidence
    said = (
        f"{evidence.winner.name} has {evidence.metric} {evidence.shown(evidence.winner.sums)} "
        f"on {evidence.rows} held-out rows"
    )
    parts = [said + _against(findings), *_refusals(findings), *findings.remarks]
    if findings.problems:
        parts.append(f"failed: {', '.join(findings.problems)}")
    return "; ".join(parts) + "."


def _against(findings: Findings) -> str:
    evidence = findings.evidence
    found = evidence.over_champion
    if evidence.champion is not None and found is not None:
        return (
            f", {evidence.champion.name} has {evidence.shown(evidence.champion.sums)}: "
            f"{difference(found.difference)} ({ends(found)})"
        )
    if findings.ignored_version is not None:
        return f"; compared with none, as requested (version {findings.ignored_version} is present)"
    return "; there was no version before"


def _refusals(findings: Findings) -> list[str]:
    failed = findings.failed_gates
    if not failed:
        return []
    if findings.passed:
        return ["a person has to decide", *(_refusal(gate, findings.evidence) for gate in failed)]
    worse = _reason(findings) is Reason.NO_IMPROVEMENT
    said = ["no improvement, nothing registered" if worse else "nothing registered"]
    return [*said, *(_refusal(gate, findings.evidence) for gate in failed)]


def _refusal(gate: GateResult, evidence: Evidence) -> str:
    found = evidence.over_champion
    if gate.name != champion.__name__ or evidence.champion is None or found is None:
        return f"{gate.name}: {gate.message}"
    return f"the difference to the present version is {shortfall(found, evidence, evidence.champion)}"


def comparisons(evidence: Evidence) -> list[MetricComparison]:
    """Return both models' metrics side by side, rounded to four digits to keep noise out of the status."""
    candidate, other = evidence.winner.metrics, evidence.champion
    champion = other.metrics if other else {}
    names = [*candidate, *(name for name in champion if name not in candidate)]
    rest = [name for name in names if name != evidence.metric]
    return [_comparison(name, evidence, candidate, champion) for name in [evidence.metric, *rest]]


def _comparison(
    name: str, evidence: Evidence, candidate: Mapping[str, float], champion: Mapping[str, float]
) -> MetricComparison:
    found = MetricComparison(
        name=name,
        candidate=format_number(candidate[name]) if name in candidate else None,
        champion=format_number(champion[name]) if name in champion else None,
    )
    interval = evidence.over_champion
    if interval is None or name != evidence.metric:
        return found
    return found.replaced(
        difference=format_number(interval.difference),
        lower=format_number(interval.lower),
        upper=format_number(interval.upper),
    )
