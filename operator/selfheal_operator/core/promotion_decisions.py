"""Decisions of people on promotions: which version waits for one, and what an annotation asks for."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.api.names import ANNOTATION_DECISION
from selfheal_operator.api.reasons import PromotionDirection, PromotionResult, Reason
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import (
    LastRetraining,
    MetricComparison,
    ModelVersion,
    PendingPromotion,
    PromotionDecision,
    PromotionIntent,
    PromotionStatus,
)
from selfheal_operator.core.messages import shortened
from selfheal_operator.core.observed import Monitor

_DECISION: Final = re.compile(r"(approve|reject|rollback):([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a decision leads to."""

    decision: PromotionDecision
    intent: PromotionIntent | None = None
    settles: bool = False
    """The pending version waits no longer."""
    cancels: bool = False
    """A promotion that waits for its next attempt is given up."""


def asks_a_person(spec: ModelMonitorSpec, outcome: LastRetraining) -> str | None:
    """Return why a person has to decide on a registered version, as the beginning of a sentence; or None."""
    failed = [gate for gate in outcome.gates if not gate.passed]
    if failed:
        return "; ".join(f"the gate {gate.name} has failed: {gate.message}" for gate in failed)
    return "spec.promotion.mode is Manual" if spec.promotion.mode == "Manual" else None


def pending_promotion(
    challenger: ModelVersion, outcome: LastRetraining, why: str, now: datetime
) -> PendingPromotion:
    """Return what a person has to decide on, and what there is to see of it."""
    shown = [f"Version {challenger.version} waits for a decision, because {why}", *_seen(outcome)]
    return PendingPromotion(
        version=challenger.version,
        expected_version=outcome.alias_version,
        since_time=now.replace(microsecond=0),
        message=shortened("; ".join(shown), 300),
    )


def _seen(outcome: LastRetraining) -> list[str]:
    metrics = [_compared(each) for each in outcome.metrics[:1]]
    run = [f"MLflow run {outcome.run_id}"] if outcome.run_id else []
    return metrics + run


def _compared(metric: MetricComparison) -> str:
    said = f"{metric.name} {metric.candidate}"
    if metric.champion is None:
        return said
    interval = f" ({metric.lower} to {metric.upper})" if metric.lower and metric.upper else ""
    difference = f"difference {metric.difference}{interval}"
    return f"{said}, the present version has {metric.champion}: {difference}"


def approval_end(pending: PendingPromotion, spec: ModelMonitorSpec) -> datetime:
    """Return when a version has waited long enough."""
    return pending.since_time + timedelta(seconds=spec.promotion.approval_timeout_seconds)


def timed_out(pending: PendingPromotion) -> PromotionDecision:
    """Return the decision where nobody has decided in time."""
    message = (
        f"Nobody has decided on version {pending.version} within spec.promotion.approvalTimeoutSeconds, so "
        f"it is not promoted"
    )
    return PromotionDecision(reason=Reason.APPROVAL_TIMED_OUT, message=message)


def decide(record: PromotionStatus, monitor: Monitor, spec: ModelMonitorSpec) -> Decided:
    """Return what the annotation asks for, or why it cannot be carried out."""
    text = monitor.decision.partition(";")[0].strip()
    read = _DECISION.fullmatch(text)
    if read is None:
        return _invalid(monitor, "it is none of approve:VERSION, reject:VERSION and rollback:VERSION")
    if not spec.promotion.moves_the_alias:
        return _invalid(monitor, "spec.promotion.mode is None")
    match read[1]:
        case "approve":
            return _approved(record, monitor, read[2])
        case "reject":
            return _rejected(record, monitor, read[2])
        case _:
            return _rolled_back(monitor, spec, read[2])


def _approved(record: PromotionStatus, monitor: Monitor, version: str) -> Decided:
    pending = record.pending
    if pending is None or pending.version != version:
        return _invalid(monitor, _not_waiting(record, version))
    intent = PromotionIntent(
        version=version,
        expected_version=pending.expected_version,
        approved_by=_by(monitor),
        decided_time=pending.since_time,
    )
    return Decided(
        decision=_said(Reason.APPROVED, f"Version {version} was approved by {_by(monitor)}"),
        intent=intent,
        settles=True,
    )


def _rejected(record: PromotionStatus, monitor: Monitor, version: str) -> Decided:
    waits = record.pending is not None and record.pending.version == version
    retried = record.intent is not None and record.intent.version == version and _has_failed(monitor)
    if not (waits or retried):
        return _invalid(monitor, _not_waiting(record, version))
    # The answer to the set may be what was lost.
    unknown = "; the next check tells whether it has the alias all the same" if retried else ""
    return Decided(
        decision=_said(Reason.REJECTED, f"Version {version} was rejected by {_by(monitor)}{unknown}"),
        settles=waits,
        cancels=retried,
    )


def _rolled_back(monitor: Monitor, spec: ModelMonitorSpec, version: str) -> Decided:
    present = monitor.status.model
    if present is not None and present.version == version and present.alias is not None:
        return _invalid(monitor, f"version {version} has the alias already")
    has_alias = present is not None and present.alias == spec.mlflow.champion_alias
    intent = PromotionIntent(
        version=version,
        expected_version=present.version if present is not None and has_alias else None,
        direction=PromotionDirection.ROLLBACK,
        approved_by=_by(monitor),
        decided_time=monitor.created,
    )
    said = f"A rollback to version {version} was requested by {_by(monitor)}"
    return Decided(decision=_said(Reason.ROLLBACK_REQUESTED, said), intent=intent)


def _has_failed(monitor: Monitor) -> bool:
    last = monitor.status.last_promotion
    return last is not None and last.result is PromotionResult.FAILED


def _not_waiting(record: PromotionStatus, version: str) -> str:
    waiting = f"version {record.pending.version} does" if record.pending else "none does"
    return f"version {version} does not wait for a decision; {waiting}"


def _by(monitor: Monitor) -> str:
    return f"the annotation of {monitor.decision_by or 'an unknown program'}"


def _invalid(monitor: Monitor, why: str) -> Decided:
    message = f"{ANNOTATION_DECISION}={monitor.decision} is not carried out: {why}"
    return Decided(decision=_said(Reason.INVALID_DECISION, message))


def _said(reason: Reason, message: str) -> PromotionDecision:
    return PromotionDecision(reason=reason, message=shortened(message))
