"""The operator's part of the status, computed from the monitor's state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from selfheal_operator.api.model import wire_name
from selfheal_operator.api.reasons import CheckResult, ConditionType, Purpose
from selfheal_operator.api.v1alpha1.status import LARGEST_COUNT, ActiveJob, ModelMonitorStatus
from selfheal_operator.core.breaches import history_of
from selfheal_operator.core.condition_policies import CONDITIONS, first_finding
from selfheal_operator.core.conditions import set_conditions
from selfheal_operator.core.history import has_reported
from selfheal_operator.core.situation import Situation

_CONTAINERS_PART: Final = (
    *("task", "target", "last_check", "last_retraining", "last_promotion", "model", "challenger"),
)
OPERATORS_PART: Final = frozenset(
    map(wire_name, {*ModelMonitorStatus.__struct_fields__} - {*_CONTAINERS_PART})
)
"""The fields that the operator writes, by their wire names."""


def operators_part(status: ModelMonitorStatus) -> ModelMonitorStatus:
    """Return the operator's part of a stored status.

    Conditions of other types belong to their writers. The order of map lists is irrelevant, so it is
    normalized.
    """
    by_type = {condition.type: condition for condition in status.conditions}
    return status.replaced(
        conditions=[by_type[kind] for kind in ConditionType if kind in by_type],
        active=sorted(status.active, key=lambda job: job.name),
        **dict.fromkeys(_CONTAINERS_PART),
    )


def foreign_values(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be set after an apply, by its fields' wire names: None for what has to go.

    Server-side apply leaves what another field manager wrote and the operator does not send: an entry of a
    list, or a field. Conditions are left out: those of other types belong to their writers.

    Args:
        stored: The status after the apply.
        sent: The operator's part, as applied.
    """
    return {
        name: _in_place_of(stored.get(name), sent.get(name))
        for name in OPERATORS_PART - {"conditions"}
        if _compared(stored.get(name)) != _compared(sent.get(name))
    }


def _compared(value: Any) -> Any:
    """Return a value so that equal ones compare equal: an empty list is none, and `active` has no order."""
    if isinstance(value, Mapping):
        return {name: each for name, each in value.items() if each not in (None, [])}
    if isinstance(value, list) and all(isinstance(each, Mapping) and "name" in each for each in value):
        return sorted(value, key=lambda each: str(each["name"])) or None
    return value


def _in_place_of(stored: Any, sent: Any) -> Any:
    """Return the merge patch that turns an object into another one; other values are replaced as they are."""
    if isinstance(stored, Mapping) and isinstance(sent, Mapping):
        return {**dict.fromkeys(stored), **sent}
    return sent


def operator_status(situation: Situation) -> ModelMonitorStatus:
    """Return the operator's part of the status as it should be.

    This is always the whole part, because server-side apply removes fields that a manager no longer sends.
    """
    monitor, slots, old = situation.seen.monitor, situation.slots, situation.seen.monitor.status
    succeeded, failed = _check_times(old)
    return ModelMonitorStatus(
        observed_generation=monitor.generation,
        conditions=set_conditions(
            old.conditions,
            {kind: first_finding(policies, situation) for kind, policies in CONDITIONS.items()},
            monitor.generation,
            situation.now,
        ),
        active=[
            ActiveJob(name=job.name, uid=job.uid, purpose=job.purpose)
            for job in situation.active
            # One that has reported is about to end; the end of a retraining alone needs a write of its own.
            if job.purpose is Purpose.RETRAIN or not has_reported(monitor, job)
        ],
        last_schedule_time=slots.last,
        next_check_time=slots.next,
        last_successful_check_time=succeeded,
        last_failed_check_time=failed,
        # A forged count must not lead to a status that the API server refuses.
        missed_checks=min(max(old.missed_checks or 0, 0) + slots.missed, LARGEST_COUNT),
        last_handled_check_request=situation.requests.handled_check,
        last_handled_retrain_request=situation.requests.handled_retrain,
        history=history_of(old),
        retraining=situation.retraining,
        promotion=situation.promotion,
    )


def _check_times(old: ModelMonitorStatus) -> tuple[datetime | None, datetime | None]:
    check = old.last_check
    if check is None:
        return old.last_successful_check_time, old.last_failed_check_time
    time = check.completion_time or check.scheduled_time
    if check.result is CheckResult.ERROR:
        return old.last_successful_check_time, time
    return time, old.last_failed_check_time
