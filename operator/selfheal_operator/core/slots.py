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
    """How late a monitor's checks start, by choice and at most."""

    delay: timedelta = timedelta()
    """Each start is put off by this: the monitor's own share of spec.spreadSeconds."""
    deadline: timedelta | None = None
    """A slot that is later than this, beyond the delay, is passed over. None: late is better than never."""


def punctuality_of(spec: ModelMonitorSpec, uid: str) -> Punctuality:
    """Read how late a monitor's checks start.

    The delay is made from the UID: it is the same at every slot and for every operator, and differs from
    monitor to monitor.
    """
    delay = zlib.crc32(uid.encode()) % spec.spread_seconds if spec.spread_seconds else 0
    seconds = spec.starting_deadline_seconds
    return Punctuality(
        delay=timedelta(seconds=delay), deadline=None if seconds is None else timedelta(seconds=seconds)
    )


class MissedReason(StrEnum):
    """Why a slot has no Job, and never will."""

    SUPERSEDED = "Superseded"
    """A newer slot came due before it could be started, and only the newest one is caught up."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """It could not be started within spec.startingDeadlineSeconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Where a monitor stands in its schedule."""

    last: datetime | None
    """The newest slot that has a Job, or had one, or was passed over: status.lastScheduleTime.

    Never goes back."""
    missed: int
    """Slots up to `last` that newly turned out to have had no Job."""
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
    """Return where a monitor stands that has no schedule to follow: suspended, or with an invalid spec."""
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
    """Return where a monitor stands.

    Args:
        schedule: The schedule as it is in the spec now.
        status: The status as stored. Its nextCheckTime is the promise that is kept: every slot from there
            on has a Job or is counted as missed, whatever happened to the operator in between.
        created: When the monitor was created: a new one owes no earlier slot.
        started: The slots of the Jobs that are there, which the status may not know yet.
        now: The time.
        punctuality: How late checks start.
    """
    startable = now - punctuality.delay
    owed_after = _owed_after(schedule, status, created, now)
    last = _newest(status.last_schedule_time, *started)
    passed_over = None
    if punctuality.deadline is not None:
        too_late = startable - punctuality.deadline - timedelta.resolution
        passed_over = newest_slot(schedule, _unsettled_after(owed_after, last), too_late)
        last = _newest(last, passed_over)
    # Also the road after a crash between creating a Job and writing the status: the Job is the record.
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
        # A new monitor; or one that was suspended or could not be acted upon, and now can. As with CronJob,
        # what passed meanwhile is owed: the newest slot is started, the others are counted.
        return max(created, status.last_schedule_time or created)
    if promised <= now and is_slot(schedule, promised):
        return promised - _SECOND
    # Nothing is owed yet; or the schedule was edited: then what another schedule would have owed is not
    # caught up, and what it had promised for later is not waited for. An operator whose clock is behind must
    # not promise a slot from before the monitor was made: another one would take it for a debt.
    return max(now, created, status.last_schedule_time or created)


def _unsettled_after(owed_after: datetime, last: datetime | None) -> datetime:
    """Return the time after which slots have neither a Job nor been passed over."""
    return owed_after if last is None else max(owed_after, _end_of_minute(last))


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
