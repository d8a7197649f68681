"""What of a stored status is believed.

Anybody who may patch a status can write there whatever the CRD admits. What cannot be true counts as absent,
so that it harms no other monitor, and this one for one reconciliation at most: a time that does not exist or
lies too far ahead, and a report of no Job. The Jobs are the record that a status cannot forge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from selfheal_operator.api.model import wire_name
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.report import MOST_AHEAD, Outcome
from selfheal_operator.api.v1alpha1.status import (
    LastCheck,
    LastPromotion,
    LastRetraining,
    ModelMonitorStatus,
    ModelVersion,
    PromotionStatus,
    RetrainingStatus,
)
from selfheal_operator.core.history import number_in, started_counts
from selfheal_operator.core.observed import EARLIEST_SLOT, Job, Monitor, is_job_name

FORESEEABLE: Final = timedelta(days=6 * 366)
"""Nothing is due later: a schedule that has no slot within five years is none (`core.cron`)."""

SKEW: Final = timedelta(minutes=5)
"""How far ahead a slot that was started may lie. While it is believed, no other one is started."""

_FIRST_TIME: Final = datetime(1, 1, 3, tzinfo=UTC)
_LAST_TIME: Final = datetime(9999, 12, 29, tzinfo=UTC)
"""Between these, a time can be written in UTC, whatever the offset that it was written with."""

_Outcome = TypeVar("_Outcome", LastCheck, LastRetraining, LastPromotion)


def believed(monitor: Monitor, jobs: Sequence[Job], now: datetime) -> Monitor:
    """Return the monitor with what is credible of its status.

    Args:
        monitor: The monitor.
        jobs: Its Jobs.
        now: The current time.

    Returns:
        The monitor. `disbelieved` names the fields of its status that are other than stored.
    """
    stored = monitor.status
    status = stored if _is_possible(monitor, jobs, now) else _possible_part(monitor, jobs, now)
    status = _with_known_jobs(status, monitor, jobs, now)
    if status is stored:
        return monitor
    changed = {
        wire_name(name)
        for name in ModelMonitorStatus.__struct_fields__
        if getattr(status, name) != getattr(stored, name)
    }
    return replace(monitor, status=status, disbelieved=monitor.disbelieved | changed)


# --- times and counts that cannot be ------------------------------------------------------------------------


def _is_possible(monitor: Monitor, jobs: Sequence[Job], now: datetime) -> bool:
    """Return whether all times and counts are possible. Asked at each decision: it looks at all at once."""
    status = monitor.status
    past, future = _times_of_the_past(status), _times_to_come(status)
    return (
        (not past or (min(past) >= EARLIEST_SLOT and max(past) <= now + MOST_AHEAD))
        and (not future or (min(future) >= EARLIEST_SLOT and max(future) <= now + FORESEEABLE))
        and (status.last_schedule_time is None or status.last_schedule_time <= now + SKEW)
        and all(_possible_model(each) is each for each in status.recorded_versions)
        and all(_is_possible_count(purpose, monitor, jobs, now) for purpose in started_counts(status))
    )


def _times_of_the_past(status: ModelMonitorStatus) -> list[datetime]:
    """Return the times of what has happened, but for the slots of reports, which their Jobs prove."""
    record, check, outcome = status.retraining, status.last_check, status.last_retraining
    promotion, moved = status.promotion, status.last_promotion
    return [
        *(each.last_transition_time for each in status.conditions),
        *(each.scheduled_time for each in status.history),
        *record.start_times,
        *_there(status.last_schedule_time, status.last_successful_check_time, status.last_failed_check_time),
        *_there(record.last_start_time, record.last_trigger_time, record.last_outcome_time),
        *(_there(check.start_time, check.completion_time) if check else ()),
        *(_there(outcome.start_time, outcome.completion_time) if outcome else ()),
        *(_there(moved.start_time, moved.completion_time) if moved else ()),
        *_there(promotion.last_retraining_time),
        *([promotion.intent.decided_time] if promotion.intent else ()),
        *([promotion.pending.since_time] if promotion.pending else ()),
        *([promotion.watch.last_check_time] if promotion.watch else ()),
    ]


def _times_to_come(status: ModelMonitorStatus) -> list[datetime]:
    return _there(status.next_check_time, status.retraining.cooldown_until_time)


def _there(*times: datetime | None) -> list[datetime]:
    return [time for time in times if time is not None]


def _possible_part(monitor: Monitor, jobs: Sequence[Job], now: datetime) -> ModelMonitorStatus:
    status = monitor.status
    return status.replaced(
        conditions=[each for each in status.conditions if _past(each.last_transition_time, now)],
        last_schedule_time=_between(EARLIEST_SLOT, status.last_schedule_time, now + SKEW),
        next_check_time=_between(EARLIEST_SLOT, status.next_check_time, now + FORESEEABLE),
        last_successful_check_time=_past(status.last_successful_check_time, now),
        last_failed_check_time=_past(status.last_failed_check_time, now),
        history=[each for each in status.history if _past(each.scheduled_time, now)],
        retraining=_possible_record(monitor, jobs, now),
        last_check=_possible_outcome(status.last_check, now),
        last_retraining=_possible_outcome(status.last_retraining, now),
        model=status.model and _possible_model(status.model),
        challenger=status.challenger and _possible_model(status.challenger),
        promotion=_possible_promotions(monitor, jobs, now),
        last_promotion=_possible_outcome(status.last_promotion, now),
    )


def _past(time: datetime | None, now: datetime) -> datetime | None:
    return _between(EARLIEST_SLOT, time, now + MOST_AHEAD)


def _between(first: datetime, time: datetime | None, last: datetime) -> datetime | None:
    return time if time is not None and first <= time <= last else None


def _possible_record(monitor: Monitor, jobs: Sequence[Job], now: datetime) -> RetrainingStatus:
    record = monitor.status.retraining
    return record.replaced(
        count=record.count if _is_possible_count(Purpose.RETRAIN, monitor, jobs, now) else 0,
        last_start_time=_past(record.last_start_time, now),
        last_trigger_time=_past(record.last_trigger_time, now),
        cooldown_until_time=_between(EARLIEST_SLOT, record.cooldown_until_time, now + FORESEEABLE),
        start_times=[time for time in record.start_times if _past(time, now)],
        last_outcome_time=_past(record.last_outcome_time, now),
    )


def _possible_promotions(monitor: Monitor, jobs: Sequence[Job], now: datetime) -> PromotionStatus:
    record = monitor.status.promotion
    believed_intent = record.intent is not None and _past(record.intent.decided_time, now)
    believed_watch = record.watch is not None and _past(record.watch.last_check_time, now)
    believed_pending = record.pending is not None and _past(record.pending.since_time, now)
    return record.replaced(
        count=record.count if _is_possible_count(Purpose.PROMOTE, monitor, jobs, now) else 0,
        intent=record.intent if believed_intent else None,
        previous=record.previous and _possible_model(record.previous),
        pending=record.pending if believed_pending else None,
        watch=record.watch if believed_watch else None,
        last_retraining_time=_past(record.last_retraining_time, now),
    )


def _is_possible_count(purpose: Purpose, monitor: Monitor, jobs: Sequence[Job], now: datetime) -> bool:
    """Return whether so many Jobs can have been started: one a second since the monitor was created.

    A greater count would lead to a Job's name that is too long.
    """
    count, age = started_counts(monitor.status)[purpose], now + MOST_AHEAD - monitor.created
    return count <= age.total_seconds() or count <= _highest_number(purpose, jobs)


def _highest_number(purpose: Purpose, jobs: Iterable[Job]) -> int:
    return max((number_in(job.name) for job in jobs if job.purpose is purpose), default=0)


def _possible_outcome(outcome: _Outcome | None, now: datetime) -> _Outcome | None:
    if outcome is None:
        return None
    return outcome.replaced(
        start_time=_past(outcome.start_time, now), completion_time=_past(outcome.completion_time, now)
    )


def _possible_model(model: ModelVersion) -> ModelVersion | None:
    """Return the model; its times are of MLflow, of the data, and of a promotion."""
    if _written(model.registered_time) is None:
        return None
    until, promoted = _written(model.trained_until_time), _written(model.promoted_time)
    if (until, promoted) == (model.trained_until_time, model.promoted_time):
        return model
    return model.replaced(trained_until_time=until, promoted_time=promoted)


def _written(time: datetime | None) -> datetime | None:
    """Return the time if it can be written in UTC."""
    return _between(_FIRST_TIME, time, _LAST_TIME)


# --- reports of Jobs that have never been -------------------------------------------------------------------


def _with_known_jobs(
    status: ModelMonitorStatus, monitor: Monitor, jobs: Sequence[Job], now: datetime
) -> ModelMonitorStatus:
    """Return the status without reports of Jobs that the operator cannot have started.

    Otherwise a report of the year 9999 would be newer than all others for good.
    """
    seen = replace(monitor, status=status)
    check = _known(status.last_check, Purpose.CHECK, seen, jobs, now)
    retraining = _known(status.last_retraining, Purpose.RETRAIN, seen, jobs, now)
    promotion = _known(status.last_promotion, Purpose.PROMOTE, seen, jobs, now)
    if (check, retraining, promotion) == (status.last_check, status.last_retraining, status.last_promotion):
        return status
    return status.replaced(last_check=check, last_retraining=retraining, last_promotion=promotion)


def _known(
    outcome: _Outcome | None, purpose: Purpose, monitor: Monitor, jobs: Sequence[Job], now: datetime
) -> _Outcome | None:
    """Return the report if it is of a Job, which may be gone if the status says that it was started."""
    if outcome is None:
        return None
    job = next((job for job in jobs if job.name == outcome.job_name), None)
    if job is not None:
        is_known = job.purpose is purpose and job.slot == outcome.scheduled_time
    else:
        is_ours = is_job_name(outcome.job_name, monitor.name, purpose)
        in_time = _past(outcome.scheduled_time, now) is not None
        is_known = is_ours and in_time and _was_started(outcome, purpose, monitor.status, jobs)
    return outcome if is_known else None


def _was_started(
    outcome: Outcome,
    purpose: Purpose,
    status: ModelMonitorStatus,
    jobs: Sequence[Job],
) -> bool:
    if purpose is Purpose.CHECK:
        return outcome.scheduled_time <= max(_started_slots(status, jobs), default=EARLIEST_SLOT)
    highest = max(started_counts(status)[purpose], _highest_number(purpose, jobs))
    return number_in(outcome.job_name) <= highest


def _started_slots(status: ModelMonitorStatus, jobs: Iterable[Job]) -> list[datetime]:
    return [
        *_there(status.last_schedule_time),
        *(entry.scheduled_time for entry in status.history),
        *(job.slot for job in jobs if job.purpose is Purpose.CHECK),
    ]
