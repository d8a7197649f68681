"""Events: each reports one stored change, once."""

from collections.abc import Iterator
from typing import Final

from selfheal_operator.api.reasons import CheckResult, ConditionStatus, ConditionType, Purpose, Reason
from selfheal_operator.api.v1alpha1.status import Condition, ModelMonitorStatus
from selfheal_operator.core.condition_policies import newest_outcome
from selfheal_operator.core.observed import Job
from selfheal_operator.core.plan import Event, EventType
from selfheal_operator.core.situation import Situation

_VERDICTS: Final = frozenset({CheckResult.DRIFT, CheckResult.NO_DRIFT, CheckResult.WARNING})


def events_of(situation: Situation, new: ModelMonitorStatus) -> tuple[Event, ...]:
    """Return the Events for the step from the stored status to the operator's new part of it."""
    old = situation.seen.monitor.status
    before = {condition.type: condition for condition in old.conditions}
    after = {condition.type: condition for condition in new.conditions}
    return (
        *_missed(situation),
        *_ready(before.get(ConditionType.READY), after[ConditionType.READY]),
        *_verdict(old, new),
        *_retraining_changes(old, new, situation),
        *_promotion(before.get(ConditionType.PROMOTED), after[ConditionType.PROMOTED]),
        *_decision(before.get(ConditionType.PROMOTION_PENDING), after[ConditionType.PROMOTION_PENDING]),
        *_holding_back(before.get(ConditionType.RETRAINING), after[ConditionType.RETRAINING], situation),
    )


def replaced_event(job: Job) -> Event:
    """Return the Event for a check that was stopped because the next slot is due."""
    return Event(
        EventType.WARNING,
        Reason.CHECK_REPLACED,
        f"Job {job.name} had not ended when the next check was due, and was stopped "
        "(spec.concurrencyPolicy is Replace)",
    )


def _missed(situation: Situation) -> Iterator[Event]:
    if missed := situation.slots.missed:
        checks = "1 check was" if missed == 1 else f"{missed} checks were"
        sentence = f"{checks} missed; only the newest one is started"
        yield Event(EventType.WARNING, Reason.CHECKS_MISSED, sentence)


def _ready(before: Condition | None, after: Condition) -> Iterator[Event]:
    was_false = before is not None and before.status is ConditionStatus.FALSE
    if after.status is ConditionStatus.FALSE and not (was_false and _same(before, after)):
        yield Event(EventType.WARNING, after.reason, after.message)
    if after.status is ConditionStatus.TRUE and was_false:
        yield Event(EventType.NORMAL, after.reason, after.message)


def _verdict(old: ModelMonitorStatus, new: ModelMonitorStatus) -> Iterator[Event]:
    """Report a verdict that changed: not the ninth NoDrift in a row, nor a check that ended in Error."""
    check = old.last_check  # the container wrote it; the history shows whether it was reported
    if check is None or new.history == old.history:
        return
    before = [entry.result for entry in old.history if entry.scheduled_time < check.scheduled_time]
    verdict_before = next((result for result in before if result in _VERDICTS), None)
    match check.result:
        case CheckResult.DRIFT if verdict_before is not CheckResult.DRIFT:
            yield Event(EventType.WARNING, Reason.DRIFT_DETECTED, check.message)
        case CheckResult.NO_DRIFT | CheckResult.WARNING if verdict_before is CheckResult.DRIFT:
            yield Event(EventType.NORMAL, Reason.DRIFT_RESOLVED, check.message)
        case CheckResult.INCONCLUSIVE if before[:1] != [CheckResult.INCONCLUSIVE]:
            yield Event(EventType.WARNING, Reason.CHECK_INCONCLUSIVE, check.message)
        case _:  # no change; or an error, which shows in Ready
            return


def _retraining_changes(
    old: ModelMonitorStatus, new: ModelMonitorStatus, situation: Situation
) -> Iterator[Event]:
    """Report the end of a retraining, then the start of the next one.

    Based on the Jobs, not on the condition: that may change to a cooldown when a retraining ends, and back to
    the outcome when the cooldown is over.
    """
    ran, runs = _retrainings(old), _retrainings(new)
    if ran - runs or (new.retraining.count > old.retraining.count and not runs):
        outcome = newest_outcome(situation)
        kind = _kind(is_expected=outcome.reason in _EXPECTED_OUTCOMES)
        yield Event(kind, outcome.reason, outcome.message)
    if runs - ran:
        started = next(c for c in new.conditions if c.type == ConditionType.RETRAINING)
        yield Event(EventType.NORMAL, Reason.RETRAINING_STARTED, started.message)


def _retrainings(status: ModelMonitorStatus) -> set[str]:
    return {job.name for job in status.active if job.purpose is Purpose.RETRAIN}


def _holding_back(before: Condition | None, after: Condition, situation: Situation) -> Iterator[Event]:
    """Report what prevents a retraining despite a breach or a request, when it changes."""
    objection = situation.objection
    if before is not None and before.reason == after.reason:
        return
    if after.reason == Reason.INVALID_REQUEST:
        yield Event(EventType.WARNING, after.reason, after.message)
    elif objection is not None and objection.holds_back and after.reason == objection.reason:
        yield Event(_kind(is_expected=objection.is_expected), after.reason, after.message)


def _promotion(before: Condition | None, after: Condition) -> Iterator[Event]:
    """Report how a promotion ended, and once that it cannot be carried out."""
    if before is None or before.reason == after.reason or after.reason in _NO_OUTCOMES:
        return
    yield Event(_kind(is_expected=after.status is ConditionStatus.TRUE), after.reason, after.message)


def _decision(before: Condition | None, after: Condition) -> Iterator[Event]:
    """Report that a version waits for a decision, and what became of it."""
    if before is None or _same(before, after) or after.reason == Reason.NOTHING_PENDING:
        return
    yield Event(_kind(is_expected=after.reason not in _NOT_CARRIED_OUT), after.reason, after.message)


_NOT_CARRIED_OUT: Final = frozenset({Reason.INVALID_DECISION, Reason.APPROVAL_TIMED_OUT})
_NO_OUTCOMES: Final = frozenset({Reason.NOT_YET_PROMOTED, Reason.PROMOTION_RUNNING})


def _kind(*, is_expected: bool) -> EventType:
    return EventType.NORMAL if is_expected else EventType.WARNING


_EXPECTED_OUTCOMES: Final = frozenset(
    {
        Reason.MODEL_REGISTERED,
        Reason.NO_IMPROVEMENT,
        Reason.GATE_FAILED,
        Reason.TOO_FEW_NEW_ROWS,
    }
)


def _same(before: Condition | None, after: Condition) -> bool:
    return before is not None and (before.reason, before.message) == (after.reason, after.message)
