"""The time zones as both sides know them, from Python's tzdata package, and when their clocks are changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

FOLDER: Final = Path(str(resources.files("tzdata") / "zoneinfo"))
"""Not the machine's own, which ZoneInfo prefers: it may be older or newer than what Go is given."""

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
DAY: Final = 24 * _HOUR
"""In seconds."""


@dataclass(frozen=True, slots=True)
class Change:
    """A moment at which a clock jumps."""

    time: int
    """The first second that shows the new time, in Unix seconds."""
    before: datetime
    """What the clock would have shown then."""
    after: datetime
    """What it shows."""

    @property
    def skips_midnight(self) -> bool:
        """Whether a day has no 00:00."""
        return _holds_midnight(self.before, self.after)

    @property
    def repeats_midnight(self) -> bool:
        """Whether a day has 00:00 twice."""
        return _holds_midnight(self.after, self.before)

    @property
    def within_an_hour(self) -> bool:
        """Whether the clock does not jump from a full hour to a full hour."""
        return self.before.minute != 0 or self.after.minute != 0


def _holds_midnight(begin: datetime, end: datetime) -> bool:
    """Say whether a 00:00 is in [begin, end)."""
    return begin <= (end - timedelta(minutes=1)).replace(hour=0, minute=0)


@cache
def time_zone(name: str) -> ZoneInfo:
    """Read a time zone."""
    with (FOLDER / name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def year_begins(year: int) -> int:
    """Return the first second of a year of UTC, in Unix seconds."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def changes(name: str, after: int, until: int) -> list[Change]:
    """Return when the clock of a zone is changed in (after, until], both in Unix seconds."""
    years = range(datetime.fromtimestamp(after, UTC).year, datetime.fromtimestamp(until, UTC).year + 1)
    return [change for year in years for change in changes_in(name, year) if after < change.time <= until]


@cache
def changes_in(name: str, year: int) -> tuple[Change, ...]:
    """Return when the clock of a zone is changed in a year of UTC."""
    begin, end = year_begins(year), year_begins(year + 1)
    hours = (hour for hour in range(begin, end, _HOUR) if _offset(name, hour - _HOUR) != _offset(name, hour))
    return tuple(change for hour in hours for change in _changes_to(name, hour))


def _changes_to(name: str, hour: int) -> Iterator[Change]:
    for time in range(hour - _HOUR + _MINUTE, hour + _MINUTE, _MINUTE):
        before, after = _offset(name, time - _MINUTE), _offset(name, time)
        if before != after:
            clock = datetime.fromtimestamp(time, UTC).replace(tzinfo=None)
            yield Change(time, clock + before, clock + after)


def _offset(name: str, time: int) -> timedelta:
    return datetime.fromtimestamp(time, time_zone(name)).utcoffset() or timedelta()
