"""Events: each tells of one change that has been stored, once, to the people who watch."""

from collections.abc import Iterator, Mapping
from typing import Any

from selfheal_operator.api.reasons import CheckResult, ConditionStatus, ConditionType, Reason
from selfheal_operator.api.v1alpha1 import Condition, ModelMonitorStatus
from selfheal_operator.core.conditions import Finding
from selfheal_operator.core.plan import Event, EventType
from selfheal_operator.core.situation import Situation
from selfheal_operator.core.status import retraining_outcome


def events_of(situation: Situation, status: Mapping[str, Any]) -> tuple[Event, ...]:
    """Return the Events for the step from the stored status to `status`, the operator's new part."""
    old = situation.seen.monitor.status
    new = ModelMonitorStatus.model_validate(status)
    before = {condition.type: condition for condition in old.conditions}
    after = {condition.type: condition for condition in new.conditions}
    return (
        *_missed(situation),
        *_ready(before.get(ConditionType.READY), after[ConditionType.READY]),
        *_verdict(old, new),
        *_retraining(
            before.get(ConditionType.RETRAINING),
            after[ConditionType.RETRAINING],
            retraining_outcome(situation),
        ),
    )


def _missed(situation: Situation) -> Iterator[Event]:
    if situation.slots.missed:
        yield Event(
            EventType.WARNING,
            Reason.CHECKS_MISSED,
            f"{situation.slots.missed} checks were missed; only the newest due slot is caught up",
        )


def _ready(before: Condition | None, after: Condition) -> Iterator[Event]:
    was_false = before is not None and before.status is ConditionStatus.FALSE
    if after.status is ConditionStatus.FALSE and not (was_false and _same(before, after)):
        yield Event(EventType.WARNING, after.reason, after.message)
    if after.status is ConditionStatus.TRUE and was_false:
        yield Event(EventType.NORMAL, after.reason, after.message)


def _verdict(old: ModelMonitorStatus, new: ModelMonitorStatus) -> Iterator[Event]:
    """Tell of a verdict that differs from the one before: nine quiet checks in a row are no news."""
    check = old.last_check  # written by the container; its entry in the history shows that it is new to us
    if check is None or len(new.history) == 0 or (old.history and old.history[0].time >= check.slot):
        return
    result_before = old.history[0].result if old.history else None
    if check.result is result_before:
        return
    match check.result:
        case CheckResult.DRIFT:
            yield Event(EventType.WARNING, Reason.DRIFT_DETECTED, check.message)
        case CheckResult.INCONCLUSIVE:
            yield Event(EventType.WARNING, Reason.CHECK_INCONCLUSIVE, check.message)
        case CheckResult.NO_DRIFT if result_before is CheckResult.DRIFT:
            yield Event(EventType.NORMAL, Reason.DRIFT_RESOLVED, check.message)
        case _:  # an error shows in Ready
            return


def _retraining(before: Condition | None, after: Condition, outcome: Finding) -> Iterator[Event]:
    if before is not None and before.status is after.status and before.reason == after.reason:
        return
    if after.status is ConditionStatus.TRUE:
        yield Event(EventType.NORMAL, Reason.RETRAIN_STARTED, after.message)
    elif before is not None and before.status is ConditionStatus.TRUE:
        # Told even where the condition goes on to say what holds the next one back: a check that found
        # drift while the retraining ran would otherwise hide how it ended.
        yield Event(_kind(outcome.reason), outcome.reason, outcome.message)
    elif before is not None and after.reason != Reason.NEVER_NEEDED:
        yield Event(_kind(after.reason), after.reason, after.message)


def _kind(reason: str) -> EventType:
    expected = {Reason.MODEL_REGISTERED, Reason.NO_IMPROVEMENT, Reason.COOLING_DOWN, Reason.SUSPENDED}
    return EventType.NORMAL if reason in expected else EventType.WARNING


def _same(before: Condition | None, after: Condition) -> bool:
    return before is not None and (before.reason, before.message) == (after.reason, after.message)
