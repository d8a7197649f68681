"""Cron expressions, with the meaning that Kubernetes' CronJob gives them (robfig/cron v3, standard parser).

An expression stands for a set of minutes on the wall clock. A slot is every minute of UTC at which the
clock of the time zone shows one of them. So a local time that is skipped in spring has no slot that day,
and one that the clock shows twice in autumn has two, as in CronJob.
"""

import re
from collections.abc import Iterator
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

_HORIZON: Final = timedelta(days=5 * 366)
"""robfig/cron looks five years ahead, then says that the expression never matches."""

_MINUTE: Final = timedelta(minutes=1)


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

_TERM = re.compile(r"(?P<star>[*?])|(?P<first>\w+)(?:-(?P<last>\w+))?")

_STAR = re.compile(r"[*?](/0*1)?")


class CronError(ValueError):
    """The expression cannot be read; the message says which part, and why."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The minutes that an expression stands for."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    """Either day field is a star: then both must match. Otherwise one of them is enough."""

    def next_after(self, time: datetime, zone: tzinfo) -> datetime | None:
        """Return the first slot later than `time`, in UTC; None if there is none within five years."""
        slot = time.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
        end = slot + _HORIZON
        while slot < end:
            wall = slot.astimezone(zone)
            if wall.month not in self.months:
                slot = _leap(slot, wall, _next_month(wall), _next_midnight(wall), _next_hour(slot, wall))
            elif not self._on_day(wall):
                slot = _leap(slot, wall, _next_midnight(wall), _next_hour(slot, wall))
            elif wall.hour not in self.hours:
                slot = _leap(slot, wall, _next_hour(slot, wall))
            elif wall.minute not in self.minutes:
                slot += _MINUTE
            else:
                return slot
        return None

    def _on_day(self, wall: datetime) -> bool:
        of_month, of_week = wall.day in self.days, wall.isoweekday() % 7 in self.weekdays
        return (of_month and of_week) if self.any_day else (of_month or of_week)


def parse(expression: str) -> Cron:
    """Read five fields, or a macro such as @daily.

    Raises:
        CronError: with a sentence that names the part and the remedy.
    """
    if expression.startswith("@every"):
        raise CronError("@every is not a time of day; set intervalSeconds instead")
    if expression.startswith("@"):
        if expression.lower() not in MACROS:
            raise CronError(f"{expression} is not one of {', '.join(sorted(MACROS))}")
        expression = MACROS[expression.lower()]
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        raise CronError(
            f"{expression!r} has {len(parts)} fields, not five: minute hour day-of-month month day-of-week"
        )
    minutes, hours, days, months, weekdays = (
        _parse_field(part, field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    any_day = _is_star(parts[2]) or _is_star(parts[4])
    return Cron(minutes, hours, days, months, weekdays, any_day)


def _is_star(part: str) -> bool:
    return any(_STAR.fullmatch(term) for term in part.split(","))


def _parse_field(part: str, field: _Field) -> frozenset[int]:
    return frozenset(value for term in part.split(",") for value in _parse_term(term, field))


def _parse_term(term: str, field: _Field) -> Iterator[int]:
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
    yield from range(first, last + 1, step)


def _parse_value(text: str, field: _Field) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.low
    if not text.isascii() or not text.isdigit():
        allowed = f" or one of {', '.join(field.names)}" if field.names else ""
        raise CronError(f"the {field.name} {text!r} is not a number{allowed}")
    value = int(text)
    if not field.low <= value <= field.high:
        hint = "; Sunday is 0" if field.name == "day of week" and value == 7 else ""
        raise CronError(f"the {field.name} {value} is not between {field.low} and {field.high}{hint}")
    return value


def _parse_step(text: str, term: str, field: _Field) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise CronError(f"the {field.name} {term!r} has no step of at least 1 after the slash")
    return int(text)


def _leap(slot: datetime, wall: datetime, *goals: datetime) -> datetime:
    """Return the first goal that is reached without the clock being changed before; else the next minute."""
    for goal in goals:
        if goal > slot and goal.astimezone(wall.tzinfo).utcoffset() == wall.utcoffset():
            return goal
    return slot + _MINUTE


def _next_hour(slot: datetime, wall: datetime) -> datetime:
    return slot + (60 - wall.minute) * _MINUTE


def _next_midnight(wall: datetime) -> datetime:
    return _midnight(wall.date() + timedelta(days=1), wall.tzinfo)


def _next_month(wall: datetime) -> datetime:
    return _midnight((wall.date().replace(day=1) + timedelta(days=31)).replace(day=1), wall.tzinfo)


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
