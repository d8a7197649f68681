"""Should the model be retrained now? A list of objections, of which the first one wins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import ANNOTATION_RETRAIN_REQUEST
from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import LastCheck, RetrainingStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that the decision depends on."""

    spec: ModelMonitorSpec
    verdict: LastCheck | None
    retraining: RetrainingStatus
    running: bool
    requested: bool = False
    """A retraining was requested by its annotation."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the model is not retrained now."""

    reason: Reason
    message: str
    until: datetime | None = None
    """When the objection expires; None if only an event can remove it."""
    holds_back: bool = False
    """There is a reason to retrain, and this objection prevents it."""

    @classmethod
    def to_nothing(cls) -> "Objection":
        """Nothing is decided for an invalid spec."""
        return cls(Reason.INVALID_SPEC, "The spec cannot be acted upon")


def no_drift(evidence: Evidence) -> Objection | None:
    """Only a verdict of Drift counts; a check that could not look is no evidence of drift."""
    if evidence.verdict is None or evidence.verdict.result is not CheckResult.DRIFT:
        return Objection(Reason.WITHIN_THRESHOLD, "The newest check found no drift")
    return None


def threshold_raised(evidence: Evidence) -> Objection | None:
    """A Drift verdict that the current threshold would not give is ignored."""
    if evidence.verdict is not None and not _may_exceed(evidence.verdict, evidence.spec.threshold):
        return Objection(Reason.WITHIN_THRESHOLD, "The drift found is within the threshold as it is now")
    return None


def _may_exceed(verdict: LastCheck, threshold: float) -> bool:
    """Return whether the share may be greater than the threshold.

    driftShare is rounded, so a share that rounds to the threshold may be greater. The counts are exact.
    """
    if verdict.columns_checked and verdict.columns_drifted is not None:
        return verdict.columns_drifted / verdict.columns_checked > threshold
    return verdict.drift_share is None or float(verdict.drift_share) >= threshold


def already_answered(evidence: Evidence) -> Objection | None:
    """One check triggers at most one retraining."""
    answered = evidence.retraining.last_trigger_time
    if evidence.verdict is not None and answered is not None and evidence.verdict.scheduled_time <= answered:
        return Objection(Reason.DRIFT_TRIGGERED, "The newest drift has been answered by a retraining")
    return None


def running(evidence: Evidence) -> Objection | None:
    """One retraining at a time."""
    if evidence.running:
        return Objection(Reason.DRIFT_TRIGGERED, "A retraining is running")
    return None


def suspended(evidence: Evidence) -> Objection | None:
    """Suspending stops new work."""
    if evidence.spec.suspend:
        return Objection(
            Reason.SUSPENDED,
            f"{_cause(evidence)}; no retraining starts while spec.suspend is true",
            holds_back=True,
        )
    return None


def switched_off(evidence: Evidence) -> Objection | None:
    """spec.retraining.mode says Manual or Disabled."""
    match evidence.spec.retraining.mode:
        case "Disabled":
            return Objection(
                Reason.RETRAINING_DISABLED,
                f"{_cause(evidence)}; spec.retraining.mode is Disabled, so nothing is done",
                holds_back=True,
            )
        case "Manual" if not evidence.requested:
            return Objection(
                Reason.AWAITING_REQUEST,
                "Drift was found; annotate the monitor with a new value of "
                f"{ANNOTATION_RETRAIN_REQUEST} to have it answered",
                holds_back=True,
            )
        case _:
            return None


def cooling_down(evidence: Evidence) -> Objection | None:
    """Drift soon after a retraining is reported, and triggers the next one after the cooldown."""
    last = evidence.retraining.last_start_time
    if last is None:
        return None
    until = evidence.spec.retraining.cooldown_end(last)
    if evidence.now < until:
        return Objection(
            Reason.COOLING_DOWN,
            f"Drift was found; the next retraining may start at {format_time(until)}",
            until,
            holds_back=True,
        )
    return None


Check = Callable[[Evidence], Objection | None]

OBJECTIONS: Final[tuple[Check, ...]] = (
    no_drift,
    threshold_raised,
    already_answered,
    running,
    suspended,
    switched_off,
    cooling_down,
)

OBJECTIONS_TO_A_REQUEST: Final[tuple[Check, ...]] = (running, suspended, switched_off)
"""A requested retraining needs no drift and ignores the cooldown."""


def objection_to_retraining(evidence: Evidence) -> Objection | None:
    """Return the first objection; None if the model should be retrained now."""
    checks = OBJECTIONS_TO_A_REQUEST if evidence.requested else OBJECTIONS
    return next((found for check in checks if (found := check(evidence))), None)


def _cause(evidence: Evidence) -> str:
    return "A retraining was asked for" if evidence.requested else "Drift was found"
