"""Which slot is due, which have been started, and which were missed."""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.core.schedule import Schedule, count_slots, is_slot, newest_slot

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Punctuality:
    """The intended delay of a monitor's checks, and their starting deadline."""

    delay: timedelta = timedelta()
    """The delay of each start: the monitor's own share of spec.spreadSeconds."""
    deadline: timedelta | None = None
    """A slot that is later than this, beyond the delay, is skipped. None: there is no deadline."""


def punctuality_of(spec: ModelMonitorSpec, uid: str) -> Punctuality:
    """Read the delay and the deadline of a monitor's checks.

    The delay is derived from the UID: it is the same at every slot and for every operator, and differs
    between monitors.
    """
    delay = zlib.crc32(uid.encode()) % spec.spread_seconds if spec.spread_seconds else 0
    seconds = spec.starting_deadline_seconds
    return Punctuality(
        delay=timedelta(seconds=delay), deadline=None if seconds is None else timedelta(seconds=seconds)
    )


class MissedReason(StrEnum):
    """Why a slot has no Job and will get none."""

    SUPERSEDED = "Superseded"
    """A newer slot came due before this one could be started; only the newest is caught up."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """It could not be started within spec.startingDeadlineSeconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """A monitor's progress through its schedule."""

    last: datetime | None
    """The newest slot that has or had a Job, or was skipped: status.lastScheduleTime.

    Never decreases."""
    missed: int
    """Slots up to `last` that are newly found to have had no Job."""
    due: datetime | None
    """The newest slot that has passed, has no Job and may still be started."""
    next: datetime | None
    """The oldest slot that has no Job yet: status.nextCheckTime."""
    wake: datetime | None
    """When the next slot in the future may be started."""
    expired: int = 0
    """How many of the missed slots were too late."""

    @property
    def missed_by_reason(self) -> dict[MissedReason, int]:
        """Return why the missed slots were missed."""
        return {
            MissedReason.SUPERSEDED: self.missed - self.expired,
            MissedReason.DEADLINE_EXCEEDED: self.expired,
        }


def idle_slots(status: ModelMonitorStatus, started: Collection[datetime]) -> Slots:
    """Return the slots of a monitor that follows no schedule: suspended, or with an invalid spec."""
    last = _newest(status.last_schedule_time, *started)
    return Slots(last=last, missed=0, due=None, next=None, wake=None)


def slots_of(  # noqa: PLR0913 - the one place where all of these meet
    schedule: Schedule,
    status: ModelMonitorStatus,
    created: datetime,
    started: Collection[datetime],
    now: datetime,
    *,
    punctuality: Punctuality = Punctuality(),
) -> Slots:
    """Return a monitor's progress through its schedule.

    Args:
        schedule: The schedule in the current spec.
        status: The stored status. Every slot from its nextCheckTime on gets a Job or is counted as missed,
            whatever happened to the operator in between.
        created: When the monitor was created; no earlier slot is due.
        started: The slots of existing Jobs, which the status may not contain yet.
        now: The current time.
        punctuality: The delay and the deadline of checks.
    """
    startable = now - punctuality.delay
    owed_after = _owed_after(schedule, status, created, now)
    last = _newest(status.last_schedule_time, *started)
    passed_over = None
    if punctuality.deadline is not None:
        too_late = startable - punctuality.deadline - timedelta.resolution
        passed_over = newest_slot(schedule, _unsettled_after(owed_after, last), too_late)
        last = _newest(last, passed_over)
    # This also covers a crash between creating a Job and writing the status: the Job is the record.
    missed = 0 if last is None else _missed(schedule, owed_after, last, started)
    expired = 0 if passed_over is None else _missed(schedule, owed_after, passed_over, started)
    owed_after = _unsettled_after(owed_after, last)
    wake = schedule.next_after(startable)
    return Slots(
        last=last,
        missed=missed,
        expired=expired,
        due=newest_slot(schedule, owed_after, startable),
        next=schedule.next_after(owed_after),
        wake=None if wake is None else wake + punctuality.delay,
    )


def _owed_after(schedule: Schedule, status: ModelMonitorStatus, created: datetime, now: datetime) -> datetime:
    promised = status.next_check_time
    if promised is None:
        # A new monitor, or one that was suspended or invalid and no longer is. As with CronJob, slots that
        # passed meanwhile count: the newest is started, the others are counted as missed.
        return max(created, status.last_schedule_time or created)
    if promised <= now and is_slot(schedule, promised):
        return promised - _SECOND
    # Nothing is due yet; or the schedule was edited: then past slots of the new schedule are not caught up,
    # and the old nextCheckTime is ignored. An operator whose clock is behind must not announce a slot from
    # before the monitor's creation: another operator would count it as due.
    return max(now, created, status.last_schedule_time or created)


def _unsettled_after(owed_after: datetime, last: datetime | None) -> datetime:
    """Return the time after which slots neither have a Job nor were skipped."""
    return owed_after if last is None else max(owed_after, _end_of_minute(last))


def _missed(schedule: Schedule, owed_after: datetime, last: datetime, started: Collection[datetime]) -> int:
    """Count the slots in (owed_after, last] that have no Job."""
    if last <= owed_after:
        return 0
    with_job = sum(1 for slot in set(started) if owed_after < slot <= last and is_slot(schedule, slot))
    return max(0, count_slots(schedule, owed_after, last) - with_job)


def _end_of_minute(slot: datetime) -> datetime:
    """Return the last second whose Job would have the same name; only an edit puts two slots in a minute."""
    return slot.replace(second=59)


def _newest(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time is not None), default=None)
