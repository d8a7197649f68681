"""Selects the rows in a window, for all storage types of timestamps. Pure."""

import re
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.sources.timespan import TimeSpan

EPOCH_LIMITS: Final = {"s": 10**11, "ms": 10**14, "us": 10**17, "ns": 2**63}
"""A number below the limit has this unit: seconds reach the year 5138, and microseconds begin in 1973."""

_CLOCK: Final = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?"
_ZONED: Final = "^" + _CLOCK + r"(Z|[+-]\d{2}(:?\d{2})?)$"
_NAIVE: Final = "^(" + _CLOCK + r"|\d{4}-\d{2}-\d{2})$"
_BASIC: Final = r"^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})((?:[.,]\d{1,9})?(?:Z|[+-]\d{2}(?::?\d{2})?)?)$"
"""ISO 8601 without hyphens and colons."""
_WHOLE: Final = r"^-?(\d{1,18}|[1-8]\d{18})$"
_DAY: Final = r"^\s*(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\.0)?\s*$"
_WHOLE_AS_FLOAT: Final = r"\d+\.0"
"""As pandas writes whole numbers of a column with gaps."""
_FRACTION: Final = r"^-?\d{1,18}\.\d+$"


class Sorted(Struct, frozen=True):
    """Rows classified by their timestamps."""

    inside: pa.BooleanArray
    """Whether each row is in the span; never null."""
    unreadable: int
    """The number of rows without a valid timestamp."""
    days: int = 0
    """The number of rows outside whose number is a date such as 20261122, unless it is an epoch number."""


def sort_by_time(values: pa.Array, span: TimeSpan) -> Sorted:
    """Return which rows are in a span.

    Args:
        values: Timestamps or dates of any unit, ISO 8601 texts, or epoch numbers; UTC if they have no zone.
        span: The span of time.
    """
    inside = _inside(values, span)
    found = Sorted(inside=pc.fill_null(inside, False), unreadable=inside.null_count)
    return found if found.inside.true_count or span.pattern else replace(found, days=_days(values))


def _days(values: pa.Array) -> int:
    """Return how many values look like 20261122."""
    if pa.types.is_floating(values.type):
        values = _whole(values)
    if not (pa.types.is_integer(values.type) or _is_text(values.type)):
        return 0
    matches = pc.match_substring_regex(values.cast(pa.string()), _DAY)
    return int(pc.sum(matches).as_py() or 0)


def _inside(values: pa.Array, span: TimeSpan) -> pa.BooleanArray:
    """Return whether each value is in the span, null where it cannot be read."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _inside(values.cast(kind.value_type), span)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _inside_times(values, span)
    if span.pattern is not None:
        return _inside_pattern(values, span, span.pattern)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _inside_numbers(values, span)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _inside_texts(values, span)
    return pa.nulls(len(values), pa.bool_())


def _inside_times(values: pa.Array, span: TimeSpan) -> pa.BooleanArray:
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("s"))
    low, high = span.bounds(values.type.unit)
    return _between(values.cast(pa.int64()), low, high)


def _between(numbers: pa.Array, low: float, high: float) -> pa.BooleanArray:
    # Scalars of the array's own type: otherwise Arrow would cast the whole array to a wider type.
    lower, upper = (pa.scalar(bound, numbers.type) for bound in (low, high))
    return pc.and_(pc.greater(numbers, lower), pc.less_equal(numbers, upper))


def _inside_numbers(values: pa.Array, span: TimeSpan) -> pa.BooleanArray:
    exact = pa.types.is_integer(values.type)
    numbers = values.cast(pa.int64() if exact else pa.float64(), safe=False)
    if not exact:
        numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    size = pc.abs(numbers)
    if span.unit is not None:
        low, high = span.bounds(span.unit)
        return _between(numbers, *((low, high) if exact else (float(low), float(high))))
    inside, lower = None, -1
    for unit, limit in EPOCH_LIMITS.items():
        low, high = span.bounds(unit)
        here = pc.and_(
            _between(numbers, *((low, high) if exact else (float(low), float(high)))),
            _between_sizes(size, lower, limit),
        )
        inside = here if inside is None else pc.or_(inside, here)
        lower = limit
    return inside


def _between_sizes(size: pa.Array, lower: int, limit: int) -> pa.BooleanArray:
    """Return whether numbers are at least `lower` and below `limit`."""
    kind = size.type
    top = min(limit, 2**63 - 1)
    above = pc.greater_equal(size, pa.scalar(max(lower, 0), pa.int64()).cast(kind, safe=False))
    below = pc.less(size, pa.scalar(top, pa.int64()).cast(kind, safe=False))
    return pc.and_(above, below)


def _inside_pattern(values: pa.Array, span: TimeSpan, pattern: str) -> pa.BooleanArray:
    """Return which texts or whole numbers, written in a pattern, are in the span.

    Each distinct one is read once, by Python: Arrow's strptime takes the 30th of February.
    """
    if pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
        values = _whole(values)
    if not (pa.types.is_integer(values.type) or _is_text(values.type)):
        return pa.nulls(len(values), pa.bool_())
    coded = values.cast(pa.string()).dictionary_encode()
    texts = coded.dictionary.to_pylist()
    inside = pa.array([_inside_written(text, span, pattern) for text in texts], pa.bool_())
    return inside.take(coded.indices)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _whole(values: pa.Array) -> pa.Array:
    """Return whole numbers as integers, and null for others: a gap makes floats of dates such as 20261122."""
    numbers = values.cast(pa.float64())
    whole = pc.and_(pc.equal(numbers, pc.floor(numbers)), pc.less(pc.abs(numbers), float(2**53)))
    return pc.if_else(whole, numbers, pa.scalar(None, pa.float64())).cast(pa.int64())


def _inside_written(text: str, span: TimeSpan, pattern: str) -> bool | None:
    text = text.strip()
    if re.fullmatch(_WHOLE_AS_FLOAT, text):
        text = text.removesuffix(".0")
    try:
        return span.holds(datetime.strptime(text, pattern))  # noqa: DTZ007  without a zone it is UTC
    except (ValueError, OverflowError):
        return None


def _inside_texts(values: pa.Array, span: TimeSpan) -> pa.BooleanArray:
    trimmed = pc.replace_substring_regex(
        pc.utf8_trim_whitespace(values.cast(pa.string())), pattern=r"\s?UTC$", replacement="Z"
    )
    trimmed = pc.replace_substring_regex(trimmed, pattern=_BASIC, replacement=r"\1-\2-\3T\4:\5:\6\7")
    try:
        zoned = _only(trimmed, _ZONED).cast(pa.timestamp("ns", "UTC"))
        naive = _only(trimmed, _NAIVE).cast(pa.timestamp("ns"))
    except pa.ArrowInvalid:  # the 30th of February, a decimal comma, a year that nanoseconds do not reach
        times = pa.array([_inside_text(text, span) for text in trimmed.to_pylist()], pa.bool_())
    else:
        low, high = span.bounds("ns")
        times = _between(pc.coalesce(zoned.cast(pa.int64()), naive.cast(pa.int64())), low, high)
    whole = _inside_numbers(_only(trimmed, _WHOLE).cast(pa.int64()), span)
    fraction = _inside_numbers(_only(trimmed, _FRACTION).cast(pa.float64()), span)
    return pc.coalesce(times, whole, fraction)


def _only(texts: pa.Array, pattern: str) -> pa.Array:
    """Return the texts that match, and null for the others."""
    matches = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return pc.if_else(matches, texts, pa.scalar(None, pa.string()))


def _inside_text(text: str | None, span: TimeSpan) -> bool | None:
    if text is None or not (re.match(_ZONED, text) or re.match(_NAIVE, text)):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return span.holds(time)
