"""When checks are due: the slots of cron and interval schedules."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.core.cron import Cron, CronError, parse
from selfheal_operator.core.errors import InvalidSpecError

MOST_COUNTED: Final = 10_000
"""The most missed slots that are counted: a week of minutes, in 0.1 s."""

_LOOKBACKS: Final = tuple(
    timedelta(minutes=m) for m in (2, 120, 2 * 1440, 62 * 1440, 732 * 1440, 5 * 366 * 1440)
)


class Schedule(Protocol):
    """A rule that defines the slots."""

    def next_after(self, time: datetime) -> datetime | None:
        """Return the first slot later than `time`; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """Slots on the wall clock of a time zone."""

    cron: Cron
    zone: tzinfo

    def next_after(self, time: datetime) -> datetime | None:
        """Return the first slot later than `time`."""
        return self.cron.next_after(time, self.zone)


@dataclass(frozen=True, slots=True)
class IntervalSchedule:
    """Slots every `seconds`, `offset` seconds after the epoch's multiples."""

    seconds: int
    offset: int

    def next_after(self, time: datetime) -> datetime | None:
        """Return the first slot later than `time`."""
        elapsed = (
            int(time.timestamp()) - self.offset
        )  # a slot is a whole second, so the fraction of `time` does not matter
        return datetime.fromtimestamp((elapsed // self.seconds + 1) * self.seconds + self.offset, UTC)


def schedule_of(spec: ModelMonitorSpec, uid: str) -> Schedule:
    """Read the schedule of a monitor.

    Raises:
        InvalidSpecError: The cron expression or the time zone is invalid.
    """
    if spec.interval_seconds is not None:
        return IntervalSchedule(spec.interval_seconds, zlib.crc32(uid.encode()) % spec.interval_seconds)
    if spec.schedule is None:
        raise InvalidSpecError("spec", "set exactly one of schedule and intervalSeconds")
    return CronSchedule(_cron(spec.schedule), _zone(spec.time_zone))


@lru_cache(maxsize=4096)  # parsed at every reconciliation; most monitors share a few
def _cron(expression: str) -> Cron:
    try:
        cron = parse(expression)
    except CronError as error:
        raise InvalidSpecError("spec.schedule", str(error)) from error
    if cron.next_after(datetime(2024, 1, 1, tzinfo=UTC), UTC) is None:  # a year with a 29 February
        raise InvalidSpecError("spec.schedule", f"{expression!r} never matches a day of the calendar")
    return cron


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidSpecError(
            "spec.timeZone", f"{name!r} is not a time zone; write an IANA name such as Europe/Berlin"
        ) from error


def is_slot(schedule: Schedule, time: datetime) -> bool:
    """Return whether `time` is a slot of the schedule."""
    return schedule.next_after(time - timedelta(seconds=1)) == time


def count_slots(schedule: Schedule, after: datetime, until: datetime) -> int:
    """Count the slots in (after, until], at most `MOST_COUNTED`."""
    count, slot = 0, schedule.next_after(after)
    while slot is not None and slot <= until and count < MOST_COUNTED:
        count, slot = count + 1, schedule.next_after(slot)
    return count


def newest_slot(schedule: Schedule, after: datetime, until: datetime) -> datetime | None:
    """Return the newest slot in (after, until]; None if there is none.

    Searches back from `until` over increasing spans, so that a schedule of every minute is not iterated
    from a year ago.
    """
    for lookback in _LOOKBACKS:
        start = max(after, until - lookback)
        slot, newest = schedule.next_after(start), None
        while slot is not None and slot <= until:
            newest, slot = slot, schedule.next_after(slot)
        if newest is not None or start == after:
            return newest
    return None
