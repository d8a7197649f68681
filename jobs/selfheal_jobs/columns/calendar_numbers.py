"""Recognises numbers that tell a time, such as 2026, 202611, 20261122 or seconds since 1970. Pure.

Time moves on without drift, as dates do. A column is left out if all its values are written like a time and
there is more evidence: a name, sorted rows, or too many values for a coincidence. Values that have moved on
are no evidence, since amounts that drift do the same: such a column is compared, with a remark. Years that
are properties, such as the year of construction, are in the same range on both sides and are compared; so are
months, weeks and quarters that the reference has.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from selfheal_jobs.columns.row_numbers import direction, is_whole
from selfheal_jobs.tables.content import Content, Values
from selfheal_jobs.tables.distinct_count import distinct_count

Array = NDArray[Any]

_COINCIDENCE: Final = 1e-5
"""Probability that so many distinct integers are all written like a time by chance."""
_COINCIDENCE_THAT_MOVES: Final = 2e-3
"""The same where all current values are later than the reference's."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_FEW_YEARS: Final = 5
_NEXT_YEARS: Final = 2
"""Years between two sides of which one follows the other; amounts may be further apart."""
_YEAR_WORDS: Final = frozenset(("year", "yr", "yyyy", "jahr", "season", "vintage"))
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


class _Form(Struct, frozen=True):
    """A way of writing a time as an integer."""

    written: str
    fits: Callable[[Array], Array]
    of_a_year: int
    """The factor of the year."""
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
    _Form("yyyymm", lambda values: _parts_fit(values, 100, 12), 100, 0.12),
    _Form("yyyyww", lambda values: _parts_fit(values, 100, 53), 100, 0.53),
    _Form("yyyyq", lambda values: _parts_fit(values, 10, 4), 10, 0.4),
    _Form(
        "yyyymmdd",
        lambda values: _parts_fit(values // 100, 100, 12) & (values % 100 >= 1) & (values % 100 <= 31),
        10_000,
        0.037,
    ),
)


def why_calendar(name: str, reference: Content, current: Content) -> str | None:
    """Return why a column tells a time; None if it may be a measurement."""
    if not _are_numbers(reference, current):
        return None
    if _is_epoch(name, reference, current):
        return f"seconds since 1970, or fractions of them: {_MOVES_ON}"
    written = _calendar(name, reference, current)
    return f"times, written {written}: {_MOVES_ON}" if written else None


def looks_like_time(reference: Content, current: Content) -> str | None:
    """Return which times the numbers of a column look like that is compared; None if they look like none.

    Nothing but the values says so: all current ones are later, as those of an amount that has grown may be.
    """
    if not _are_numbers(reference, current):
        return None
    before: Any = reference.numbers
    now: Any = current.numbers
    if now.min() <= before.max():
        return None
    if _epoch_unit(before, now) == 1 and _within_a_decade(before, now, unit=1):
        return "seconds since 1970"
    found = _distinct_calendar(reference, current, least=_FIRST_YEAR)
    if found is None:
        return None
    if all(_year_fits(side).all() for side in found):
        return "years" if _are_next_years(*found) else None
    form = next((form for form in _FORMS if _is_no_coincidence(form, *found)), None)
    return f"times, written {form.written}" if form else None


def _are_numbers(reference: Content, current: Content) -> bool:
    there = reference.numbers is not None and current.numbers is not None
    return there and reference.holds is Values.NUMBERS and not reference.categorical


def is_cycle(name: str, numbers: Array) -> bool:
    """Return whether a column is the month, week, quarter or day of its name, which starts again."""
    cycle = _cycle(name)
    return cycle is not None and bool(numbers.min() >= cycle[0] and numbers.max() <= cycle[1])


def _calendar(name: str, reference: Content, current: Content) -> str | None:
    found = _distinct_calendar(reference, current, least=1 if _cycle(name) else _FIRST_YEAR)
    if found is None:
        return None
    years, others = found
    before: Any = reference.numbers
    now: Any = current.numbers
    if _has_moved_in_its_cycle(name, years, others, now):
        return "as a part of the year of which the reference lacks others"
    if _year_fits(years).all() and _year_fits(others).all():
        return "yyyy" if _is_moving_year(name, before, now) else None
    return _form(name, years, others)


def _distinct_calendar(reference: Content, current: Content, *, least: int) -> tuple[Array, Array] | None:
    """Return the distinct values of both sides, sorted; None if they can be no parts of a calendar.

    Args:
        reference: One side.
        current: The other one.
        least: No value is smaller.
    """
    before: Any = reference.numbers
    now: Any = current.numbers
    low, high = min(before.min(), now.min()), max(before.max(), now.max())
    if low < least or high > (_LAST_YEAR + 1) * 10_000 or not (is_whole(before) and is_whole(now)):
        return None
    sides = _distinct(reference), _distinct(current)
    return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])


def _form(name: str, before: Array, now: Array) -> str | None:
    named = bool(_words(name) & _CALENDAR_WORDS)
    for form in _FORMS:
        if named and form.fits(before).all() and form.fits(now).all():
            return form.written
        if _is_no_coincidence(form, before, now) and _is_near(form, before, now):
            return form.written
    return None


def _is_no_coincidence(form: _Form, before: Array, now: Array) -> bool:
    both = np.union1d(before, now)
    allowed = _COINCIDENCE_THAT_MOVES if now[0] > before[-1] else _COINCIDENCE
    return form.coincidence ** len(both) <= allowed and bool(form.fits(both).all())


def _is_near(form: _Form, before: Array, now: Array) -> bool:
    """Return whether the two sides overlap, or are a few years apart."""
    apart = max(now[0] // form.of_a_year - before[-1] // form.of_a_year,
                before[0] // form.of_a_year - now[-1] // form.of_a_year)  # fmt: skip
    return bool(apart <= _NEXT_YEARS)


def _is_moving_year(name: str, before: Any, now: Any) -> bool:
    """Return whether years move on: nine of ten current ones are later than half of the reference's."""
    return bool(_words(name) & _YEAR_WORDS) and bool(_quantile(now, 0.1) > _quantile(before, 0.5))


def _are_next_years(before: Array, now: Array) -> bool:
    """Return whether a few years on one side are right after a few on the other."""
    few = max(len(before), len(now)) <= _FEW_YEARS
    return few and bool(0 < now[0] - before[-1] <= _NEXT_YEARS)


def _has_moved_in_its_cycle(name: str, before: Array, now: Array, rows: Array) -> bool:
    """Return whether most current rows are in parts of a cycle that the reference lacks."""
    cycle = _cycle(name)
    if cycle is None or before[0] < cycle[0] or max(before[-1], now[-1]) > cycle[1]:
        return False
    return bool(2 * np.count_nonzero(~np.isin(rows, before)) > len(rows))


def _is_epoch(name: str, reference: Content, current: Content) -> bool:
    """Return whether all numbers are times since 1970, and name or order say so too."""
    before: Any = reference.numbers
    now: Any = current.numbers
    unit = _epoch_unit(before, now)
    if unit is None:
        return False
    if _words(name) & _TIME_WORDS:
        return True
    # Amounts of a billion are common, and amounts of a trillion that are so close together are not.
    more = unit > 1 or direction(reference) == direction(current) == 1
    return more and _within_a_decade(before, now, unit)


def _epoch_unit(before: Any, now: Any) -> int | None:
    """Return how many of the column's units a second has, if all numbers may be times since 1970."""
    low, high = min(before.min(), now.min()), max(before.max(), now.max())
    units = [unit for unit in _EPOCH_UNITS if _EPOCH[0] * unit <= low and high < _EPOCH[1] * unit]
    return units[0] if units and low < high else None


def _within_a_decade(before: Any, now: Any, unit: int) -> bool:
    spread = max(before.max(), now.max()) - min(before.min(), now.min())
    return bool(spread <= _DECADE * unit)


def _distinct(side: Content) -> Array | None:
    """Return the distinct values, sorted; None if there are more than a calendar has."""
    numbers: Any = side.numbers
    if distinct_count(numbers[: 2 * _MOST_DISTINCT]) > _MOST_DISTINCT:
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
