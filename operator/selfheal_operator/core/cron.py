"""Cron expressions, with the meaning that Kubernetes' CronJob gives them (robfig/cron v3, standard parser).

An expression stands for a set of minutes on the wall clock. A slot is every minute of UTC at which the
clock of the time zone shows one of them. So a local time that is skipped in spring has no slot that day,
and one that the clock shows twice in autumn has two, as in CronJob. dev/crondiff compares the two.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_YEARS: Final = 5
"""robfig/cron searches this many years ahead, then concludes that the expression never matches."""

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)

_CALM: Final = timedelta(days=6)
"""Two changes of a clock are further apart than this: if the UTC offset is equal after it, none happened.

From 1970 to 2090 the shortest distance is seven days (America/Recife in 2000, Asia/Gaza in 2040).
"""

_MOST: Final = 2**63 - 1
"""The largest number that CronJob can parse: a Go int."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)

_TERM = re.compile(r"(?P<star>[*?])|(?P<first>[+\w]+)(?:-(?P<last>[+\w]+))?")

_NUMBER = re.compile(r"\+?[0-9]+")


class CronError(ValueError):
    """The expression cannot be read; the message says which part, and why."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The minutes that an expression stands for; each field lists its values in ascending order."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    any_day: bool
    """Either day field is a star: then both must match. Otherwise one of them is enough."""

    def next_after(self, time: datetime, zone: tzinfo) -> datetime | None:
        """Return the first slot later than `time`, in UTC; None if this year and the next five have none."""
        slot = time.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
        while True:
            wall = slot.astimezone(zone)
            distance = self._distance(wall)
            if distance is None:
                return None
            if not distance or (distance <= _CALM and _is_calm(slot, wall, distance)):
                return slot + distance
            slot += _leap(slot, wall, distance)

    def _distance(self, wall: datetime) -> timedelta | None:
        """Return the time to the first matching minute, this one included, if the UTC offset is constant."""
        if wall.month in self.months and self._on_day(wall):
            if wall.hour in self.hours:
                minute = _at_least(wall.minute, self.minutes)
                if minute is not None:
                    return timedelta(minutes=minute - wall.minute)
            hour = _at_least(wall.hour + 1, self.hours)
            if hour is not None:
                return timedelta(hours=hour - wall.hour, minutes=self.minutes[0] - wall.minute)
        today = wall.date()
        day = self._next_day(today)
        if day is None:
            return None
        return day - today + timedelta(hours=self.hours[0] - wall.hour, minutes=self.minutes[0] - wall.minute)

    def _next_day(self, day: date) -> date | None:
        last_year = day.year + _YEARS
        day += _DAY
        while day.year <= last_year:
            if day.month not in self.months:
                day = _next_month(day)
            elif self._on_day(day):
                return day
            else:
                day += _DAY
        return None

    def _on_day(self, day: date) -> bool:
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (of_month and of_week) if self.any_day else (of_month or of_week)


def parse(expression: str) -> Cron:
    """Read five fields, or a macro such as @daily.

    Raises:
        CronError: The expression is invalid; the message names the part and the remedy.
    """
    if "TZ" in expression:
        raise CronError("a time zone has no place in the schedule; set timeZone instead")
    if expression.startswith("@every"):
        raise CronError("@every is not a time of day; set intervalSeconds instead")
    if expression.startswith("@"):
        if expression not in MACROS:
            raise CronError(f"{expression} is not one of {', '.join(sorted(MACROS))}")
        expression = MACROS[expression]
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        raise CronError(
            f"{expression!r} has {len(parts)} fields, not five: minute hour day-of-month month day-of-week"
        )
    minutes, hours, days, months, weekdays = (
        _parse_field(part, field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    any_day = days.star or weekdays.star
    return Cron(minutes.values, hours.values, days.values, months.values, weekdays.values, any_day)


@dataclass(frozen=True, slots=True)
class _Values:
    values: tuple[int, ...]
    star: bool = False
    """A step makes a star an ordinary list, unless it is 1."""


def _parse_field(part: str, field: _Field) -> _Values:
    # Like CronJob, which ignores an empty term between two commas.
    terms = [_parse_term(term, field) for term in part.split(",") if term]
    if not terms:
        raise CronError(f"the {field.name} {part!r} holds no value")
    values = {value for term in terms for value in term.values}
    return _Values(tuple(sorted(values)), any(term.star for term in terms))


def _parse_term(term: str, field: _Field) -> _Values:
    body, slash, step_text = term.partition("/")
    match = _TERM.fullmatch(body)
    if match is None:
        raise CronError(
            f"the {field.name} {term!r} is not a number, a range such as 1-5, a list or a step such as */2"
        )
    if match["star"]:
        first, last = field.low, field.high
    else:
        first = _parse_value(match["first"], field)
        last = _parse_value(match["last"], field) if match["last"] else (field.high if slash else first)
    if first > last:
        raise CronError(f"the {field.name} {term!r} runs backwards; write the smaller value first")
    step = _parse_step(step_text, term, field) if slash else 1
    return _Values(tuple(range(first, last + 1, step)), star=bool(match["star"]) and step == 1)


def _parse_value(text: str, field: _Field) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.low
    if not _NUMBER.fullmatch(text):
        allowed = f" or one of {', '.join(field.names)}" if field.names else ""
        raise CronError(f"the {field.name} {text!r} is not a number{allowed}")
    value = int(text)
    if not field.low <= value <= field.high:
        hint = "; Sunday is 0" if field.name == "day of week" and value == 7 else ""
        raise CronError(f"the {field.name} {value} is not between {field.low} and {field.high}{hint}")
    return value


def _parse_step(text: str, term: str, field: _Field) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= _MOST:
        raise CronError(f"the {field.name} {term!r} has no step of at least 1 after the slash")
    return int(text)


def _at_least(value: int, ascending: tuple[int, ...]) -> int | None:
    """Return the first number that is at least `value`; None if all are smaller."""
    index = bisect_left(ascending, value)
    return ascending[index] if index < len(ascending) else None


def _leap(slot: datetime, wall: datetime, distance: timedelta) -> timedelta:
    """Return how far to advance: not past the match, and at most a minute past a change of the UTC offset.

    Args:
        slot: The current position, in UTC.
        wall: The same time on the wall clock.
        distance: The time to the match if the UTC offset stays the same. It is long, or the offset changes.
    """
    if distance > _CALM and _is_calm(slot, wall, _CALM):
        # The offset may change on the way, but not soon, and by far less than the remaining distance: so the
        # wall clock neither repeats the current time nor reaches the match.
        return distance - _CALM
    leap = min(distance, _CALM)
    while leap > _MINUTE and not _is_calm(slot, wall, leap):
        leap = leap // _MINUTE // 2 * _MINUTE
    return leap


def _is_calm(slot: datetime, wall: datetime, leap: timedelta) -> bool:
    """Return whether the UTC offset does not change during a leap of at most `_CALM`."""
    return (slot + leap).astimezone(wall.tzinfo).utcoffset() == wall.utcoffset()


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
