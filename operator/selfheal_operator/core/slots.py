"""Which slot is due, which have been started, and which were missed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from selfheal_operator.api.v1alpha1 import ModelMonitorStatus
from selfheal_operator.core.schedule import Schedule, count_slots, is_slot, newest_slot

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Where a monitor stands in its schedule."""

    last: datetime | None
    """The newest slot that has a Job, or had one: status.lastScheduleTime. Never goes back."""
    missed: int
    """Slots before `last` that newly turned out to have had no Job."""
    due: datetime | None
    """The newest slot that has passed and has no Job."""
    next: datetime | None
    """The oldest slot that has no Job yet: status.nextCheckTime."""
    wake: datetime | None
    """The next slot in the future."""


def idle_slots(status: ModelMonitorStatus, started: Collection[datetime]) -> Slots:
    """Return where a monitor stands that has no schedule to follow: suspended, or with an invalid spec."""
    last = _newest(status.last_schedule_time, *started)
    return Slots(last=last, missed=0, due=None, next=None, wake=None)


def slots_of(
    schedule: Schedule,
    status: ModelMonitorStatus,
    created: datetime,
    started: Collection[datetime],
    now: datetime,
) -> Slots:
    """Return where a monitor stands.

    Args:
        schedule: The schedule as it is in the spec now.
        status: The status as stored. Its nextCheckTime is the promise that is kept: every slot from there
            on has a Job or is counted as missed, whatever happened to the operator in between.
        created: When the monitor was created: a new one owes no earlier slot.
        started: The slots of the Jobs that are there, which the status may not know yet.
        now: The time.
    """
    owed_after = _owed_after(schedule, status, created, now)
    last = _newest(status.last_schedule_time, *started)
    missed = 0
    if last is not None:
        # Also the road after a crash between creating a Job and writing the status: the Job is the record.
        missed = _missed(schedule, owed_after, last, started)
        owed_after = max(owed_after, _end_of_minute(last))
    return Slots(
        last=last,
        missed=missed,
        due=newest_slot(schedule, owed_after, now),
        next=schedule.next_after(owed_after),
        wake=schedule.next_after(now),
    )


def _owed_after(schedule: Schedule, status: ModelMonitorStatus, created: datetime, now: datetime) -> datetime:
    promised = status.next_check_time
    if promised is None and status.observed_generation is None:
        return created
    if promised is not None and promised <= now and is_slot(schedule, promised):
        return promised - _SECOND
    # Nothing is owed yet; or the schedule was edited, or the monitor resumed: then what another schedule
    # would have owed is not caught up, and what it had promised for later is not waited for.
    return _newest(now, status.last_schedule_time) or now


def _missed(schedule: Schedule, owed_after: datetime, last: datetime, started: Collection[datetime]) -> int:
    """Count the slots in (owed_after, last] that have no Job."""
    if last <= owed_after:
        return 0
    with_job = sum(1 for slot in set(started) if owed_after < slot <= last and is_slot(schedule, slot))
    return max(0, count_slots(schedule, owed_after, last) - with_job)


def _end_of_minute(slot: datetime) -> datetime:
    """Return the last second whose Job would have the same name: only an edit brings two slots so close."""
    return slot.replace(second=59)


def _newest(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time is not None), default=None)
