"""Recognises numbers that tell a time, such as 2026, 202611, 20261122 or seconds since 1970. Pure.

Time moves on without drift, as dates do. A column is left out if all its values are written like a time and
there is more evidence: a name, too many values for a coincidence, or values that have moved on. Years that
are properties, such as the year of construction, are in the same range on both sides and are compared; so are
months, weeks and quarters that the reference has.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from selfheal_jobs.columns.row_numbers import direction, is_whole
from selfheal_jobs.tables.content import Content, Values

Array = NDArray[Any]

_COINCIDENCE: Final = 1e-5
"""Probability that so many distinct integers are all written like a time by chance."""
_COINCIDENCE_THAT_MOVES: Final = 2e-3
"""The same where all current values are later than the reference's."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_FEW_YEARS: Final = 5
_NEXT_YEARS: Final = 2
"""Years between two sides of which one follows the other."""
_EPOCH: Final = (946_684_800, 2_524_608_000)
"""Seconds from 2000 to 2050."""
_EPOCH_UNITS: Final = (1, 10**3, 10**6, 10**9)
_DECADE: Final = 315_576_000
"""Seconds. Without a name, numbers that differ by more are amounts rather than times."""
_MOST_DISTINCT: Final = 5_000
"""Days of more than a decade; a column with more distinct values is no calendar."""

_CALENDAR_WORDS: Final = frozenset(
    ("year", "yr", "yyyy", "month", "mon", "mm", "week", "wk", "ww", "kw", "quarter", "qtr", "day", "dd",
     "date", "dt", "period", "yyyymm", "yyyymmdd", "yyyyww", "ym", "ymd", "yw", "yq", "yearmonth", "yearweek",
     "calendar", "fiscal", "jahr", "monat", "woche", "tag", "datum", "time")
)  # fmt: skip
_TIME_WORDS: Final = frozenset(
    ("time", "timestamp", "ts", "epoch", "unix", "unixtime", "date", "datetime", "created", "updated", "at")
)
_CYCLES: Final = {
    "month": (1, 12), "mon": (1, 12), "mm": (1, 12), "monat": (1, 12),
    "week": (1, 53), "wk": (1, 53), "kw": (1, 53), "isoweek": (1, 53), "weekofyear": (1, 53),
    "woche": (1, 53),
    "quarter": (1, 4), "qtr": (1, 4),
    "day": (1, 366), "doy": (1, 366), "dayofyear": (1, 366), "dayofmonth": (1, 31),
}  # fmt: skip
_OF_WHAT: Final = frozenset(
    ("booking", "calendar", "event", "fiscal", "invoice", "iso", "order", "purchase", "report", "sale",
     "sales", "transaction", "trip")
)  # fmt: skip
"""Words before the name of a cycle; after others, as in `visits_per_month`, it is none."""
_MOVES_ON: Final = "times always move on"


@dataclass(frozen=True, slots=True)
class _Form:
    """A way of writing a time as an integer."""

    written: str
    fits: Callable[[Array], Array]
    coincidence: float
    """Share of all integers between the first and the last one that are written so."""


def _year_fits(years: Array) -> Array:
    fit: Array = (years >= _FIRST_YEAR) & (years <= _LAST_YEAR)
    return fit


def _parts_fit(values: Array, base: int, last: int) -> Array:
    part = values % base
    fit: Array = _year_fits(values // base) & (part >= 1) & (part <= last)
    return fit


_FORMS: Final = (
    _Form("yyyymm", lambda values: _parts_fit(values, 100, 12), 0.12),
    _Form("yyyyww", lambda values: _parts_fit(values, 100, 53), 0.53),
    _Form("yyyyq", lambda values: _parts_fit(values, 10, 4), 0.4),
    _Form(
        "yyyymmdd",
        lambda values: _parts_fit(values // 100, 100, 12) & (values % 100 >= 1) & (values % 100 <= 31),
        0.037,
    ),
)


def why_calendar(name: str, reference: Content, current: Content) -> str | None:
    """Return why a column tells a time; None if it may be a measurement."""
    before, now = reference.numbers, current.numbers
    if reference.holds is not Values.NUMBERS or before is None or now is None or reference.categorical:
        return None
    if _is_epoch(name, reference, current):
        return f"seconds since 1970, or fractions of them: {_MOVES_ON}"
    written = _calendar(name, reference, current)
    return f"times, written {written}: {_MOVES_ON}" if written else None


def is_cycle(name: str, numbers: Array) -> bool:
    """Return whether a column is the month, week, quarter or day of its name, which starts again."""
    cycle = _cycle(name)
    return cycle is not None and bool(numbers.min() >= cycle[0] and numbers.max() <= cycle[1])


def _calendar(name: str, reference: Content, current: Content) -> str | None:
    before: Any = reference.numbers
    now: Any = current.numbers
    low, high = min(before.min(), now.min()), max(before.max(), now.max())
    if low < 1 or high > (_LAST_YEAR + 1) * 10_000 or not (is_whole(before) and is_whole(now)):
        return None
    if not (_cycle(name) or low >= _FIRST_YEAR):
        return None
    years, others = _distinct(reference), _distinct(current)
    if years is None or others is None:
        return None
    if _has_moved_in_its_cycle(name, years, others, now):
        return "as a part of the year of which the reference lacks others"
    if _year_fits(years).all() and _year_fits(others).all():
        return "yyyy" if _is_moving_year(name, (before, years), (now, others)) else None
    return _form(name, years, others)


def _form(name: str, before: Array, now: Array) -> str | None:
    both = np.union1d(before, now)
    named = bool(_words(name) & _CALENDAR_WORDS)
    allowed = _COINCIDENCE_THAT_MOVES if now[0] > before[-1] else _COINCIDENCE
    for form in _FORMS:
        if (named or form.coincidence ** len(both) <= allowed) and form.fits(both).all():
            return form.written
    return None


def _is_moving_year(name: str, before: tuple[Array, Array], now: tuple[Array, Array]) -> bool:
    """Return whether years move on: nine of ten current ones are later than half of the reference's.

    Without a name that says so they must be a few years on each side, one right after the other.
    """
    if _words(name) & {"year", "yr", "yyyy", "jahr", "season"}:
        return bool(_quantile(now[0], 0.1) > _quantile(before[0], 0.5))
    few = max(len(before[1]), len(now[1])) <= _FEW_YEARS
    return few and bool(0 < now[1][0] - before[1][-1] <= _NEXT_YEARS)


def _has_moved_in_its_cycle(name: str, before: Array, now: Array, rows: Array) -> bool:
    """Return whether most current rows are in parts of a cycle that the reference lacks."""
    cycle = _cycle(name)
    if cycle is None or before[0] < cycle[0] or max(before[-1], now[-1]) > cycle[1]:
        return False
    return bool(2 * np.count_nonzero(~np.isin(rows, before)) > len(rows))


def _is_epoch(name: str, reference: Content, current: Content) -> bool:
    """Return whether all numbers are times since 1970, and name, order or movement say so too."""
    before: Any = reference.numbers
    now: Any = current.numbers
    low, high = min(before.min(), now.min()), max(before.max(), now.max())
    units = [unit for unit in _EPOCH_UNITS if _EPOCH[0] * unit <= low and high < _EPOCH[1] * unit]
    if not units or low == high:
        return False
    if _words(name) & _TIME_WORDS:
        return True
    if high - low > _DECADE * units[0]:
        return False
    # Amounts of a billion are common, and amounts of a trillion that are so close together are not.
    return units[0] > 1 or direction(reference) == direction(current) == 1 or bool(now.min() > before.max())


def _distinct(side: Content) -> Array | None:
    """Return the distinct values, sorted; None if there are more than a calendar has."""
    numbers: Any = side.numbers
    if len(np.unique(numbers[: 2 * _MOST_DISTINCT])) > _MOST_DISTINCT:
        return None
    return np.sort(np.array(list(side.value_counts()), dtype=np.int64))


def _quantile(values: Array, share: float) -> Any:
    position = int(share * (len(values) - 1))
    return np.partition(values, position)[position]


def _cycle(name: str) -> tuple[int, int] | None:
    words = [part.lower() for part in _parts(name)]
    while len(words) > 1 and words[0] in _OF_WHAT:
        del words[0]
    return _CYCLES.get("".join(words))


def _words(name: str) -> set[str]:
    return {part.lower() for part in _parts(name)}


def _parts(name: str) -> list[str]:
    """Return the words of a name.

    >>> _parts("orderYear"), _parts("fiscal_year"), _parts("YYYYMM")
    (['order', 'Year'], ['fiscal', 'year'], ['YYYYMM'])
    """
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
