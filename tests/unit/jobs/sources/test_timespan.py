from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.sources.time_sorting import sort_by_time
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_operator.api.v1alpha1.dataset import Window

SLOT = datetime(2026, 11, 23, 6, tzinfo=UTC)
SPAN = TimeSpan("ts", SLOT - timedelta(hours=1), SLOT)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FORMS: dict[str, Callable[[datetime], Any]] = {
    "timestamp[s]": lambda time: (time, pa.timestamp("s")),
    "timestamp[ms, UTC]": lambda time: (time, pa.timestamp("ms", "UTC")),
    "timestamp[us, Berlin]": lambda time: (time, pa.timestamp("us", "Europe/Berlin")),
    "timestamp[ns]": lambda time: (time, pa.timestamp("ns")),
    "seconds": lambda time: (seconds(time), pa.int64()),
    "seconds in 32 bits": lambda time: (seconds(time), pa.int32()),
    "fractions": lambda time: (float(seconds(time)), pa.float64()),
    "milliseconds": lambda time: (seconds(time) * 1000, pa.int64()),
    "microseconds": lambda time: (seconds(time) * 10**6, pa.int64()),
    "nanoseconds": lambda time: (seconds(time) * 10**9, pa.int64()),
    "ISO 8601, Z": lambda time: (f"{time:%Y-%m-%dT%H:%M:%SZ}", pa.string()),
    "ISO 8601, basic": lambda time: (f"{time:%Y%m%dT%H%M%SZ}", pa.string()),
    "ISO 8601, basic, no zone": lambda time: (f"{time:%Y%m%dT%H%M%S}", pa.string()),
    "ISO 8601, no zone": lambda time: (f"{time:%Y-%m-%d %H:%M:%S}", pa.string()),
    "ISO 8601, an offset": lambda time: (
        time.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat(),
        pa.large_string(),
    ),
    "ISO 8601, UTC": lambda time: (f" {time:%Y-%m-%d %H:%M:%S} UTC", pa.string()),
    "ISO 8601, a decimal comma": lambda time: (f"{time:%Y-%m-%dT%H:%M:%S},000", pa.string()),
    "digits": lambda time: (str(seconds(time)), pa.string()),
    "digits of nanoseconds": lambda time: (str(seconds(time) * 10**9), pa.string()),
    "a category": lambda time: (f"{time:%Y-%m-%dT%H:%M:%SZ}", pa.dictionary(pa.int8(), pa.string())),
}


def seconds(time: datetime) -> int:
    """Return whole seconds since 1970."""
    return (time - EPOCH) // timedelta(seconds=1)


def inside(values: list[Any], kind: pa.DataType) -> list[bool]:
    """Return which values are in the span."""
    if pa.types.is_dictionary(kind):
        array = pa.array(values, kind.value_type).dictionary_encode()
    else:
        array = pa.array(values, kind)
    found: list[bool] = sort_by_time(array, SPAN).inside.to_pylist()
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("offset", "counts"), [(-3601, False), (-3600, False), (-3599, True), (-1, True), (0, True), (1, False)]
)
def test_a_bound_is_exact_in_every_form(*, form: str, offset: int, counts: bool) -> None:
    """The beginning does not count, the end does: windows that follow each other share no row."""
    value, kind = FORMS[form](SLOT + timedelta(seconds=offset))

    assert inside([value], kind) == [counts]


@given(offset=st.integers(-(10**5), 10**5), form=st.sampled_from(sorted(FORMS)))
def test_the_form_of_a_timestamp_makes_no_difference(offset: int, form: str) -> None:
    """Whatever stores it: a row counts by its time alone, also beside values that cannot be read."""
    time = SLOT + timedelta(seconds=offset)
    value, kind = FORMS[form](time)

    assert inside([None, value], kind) == [False, SPAN.after < time <= SPAN.until]


@pytest.mark.parametrize(
    ("values", "kind", "unreadable"),
    [
        (
            ["", "soon", "2026-02-30", "23.11.2026", "0x10", None, "2026-11-23T05:30:00Z"],
            pa.string(),
            6,
        ),
        ([float("nan"), float("inf"), None], pa.float64(), 3),
        ([None, None], pa.null(), 2),
        ([True, False], pa.bool_(), 2),
        ([[1], [2]], pa.list_(pa.int64()), 2),
        ([None, SLOT], pa.timestamp("s"), 1),
        (["9999-12-31T00:00:00Z", "0001-01-01"], pa.string(), 0),
        ([-(2**63), 2**63 - 1, 0], pa.int64(), 0),
    ],
)
def test_what_nobody_can_read_is_counted(values: list[Any], kind: pa.DataType, unreadable: int) -> None:
    """It is not in the window, and not just outside of it either."""
    found = sort_by_time(pa.array(values, kind), SPAN)

    assert found.unreadable == unreadable
    assert found.inside.null_count == 0
    assert found.inside.true_count == (1 if "2026-11-23T05:30:00Z" in values or SLOT in values else 0)


def test_a_date_is_its_midnight_in_utc() -> None:
    """As text and as a date."""
    span = TimeSpan("ts", SLOT - timedelta(hours=7), SLOT)
    days = [SLOT.date() - timedelta(days=1), SLOT.date()]

    assert sort_by_time(pa.array(days), span).inside.to_pylist() == [False, True]
    assert sort_by_time(pa.array([str(day) for day in days]), span).inside.to_pylist() == [False, True]


@pytest.mark.parametrize(
    ("offset", "delay", "end"), [(0, 0, 0), (600, 0, 600), (0, 900, 900), (600, 900, 900), (900, 600, 900)]
)
def test_a_window_ends_before_the_slot_by_its_offset_or_the_labels_delay(
    offset: int, delay: int, end: int
) -> None:
    """Its youngest rows would have no labels yet; it keeps its length."""
    window = Window(timestamp_column="ts", lookback_seconds=60, offset_seconds=offset)

    span = TimeSpan.of(window, SLOT, delay_seconds=delay)

    assert span.until == SLOT - timedelta(seconds=end)
    assert span.until - span.after == timedelta(seconds=60)


DAYS = [
    datetime(2026, 11, 22, tzinfo=UTC),
    datetime(2026, 11, 23, tzinfo=UTC),
    datetime(2026, 11, 24, tzinfo=UTC),
]


def written(values: list[Any], kind: pa.DataType, form: str | None) -> Any:
    """Return what is in a day that ends at the slot, by the format of a window."""
    window = Window(timestamp_column="ts", lookback_seconds=86_400, format=form)
    return sort_by_time(pa.array(values, kind), TimeSpan.of(window, SLOT))


@pytest.mark.parametrize(
    ("kind", "convert"),
    [
        (pa.int64(), int),
        (pa.int32(), int),
        (pa.uint64(), int),
        (pa.float64(), float),
        (pa.decimal128(8, 0), int),
        (pa.string(), str),
        (pa.large_string(), lambda text: f" {text} "),
        (pa.string(), lambda text: f"{text}.0"),
    ],
)
def test_dates_without_hyphens_are_read_by_their_format(
    kind: pa.DataType, convert: Callable[[str], Any]
) -> None:
    """20261122 is a day, whatever type it is stored in; a gap is counted as unreadable."""
    found = written([convert(f"{day:%Y%m%d}") for day in DAYS] + [None], kind, "%Y%m%d")

    assert (found.inside.to_pylist(), found.unreadable) == ([False, True, False, False], 1)


@pytest.mark.parametrize(
    "form", ["%d.%m.%Y", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S.%f", "%d.%m.%Y %z"]
)
def test_texts_are_read_by_any_pattern(form: str) -> None:
    """As Python's strptime has them; without a zone they are UTC."""
    found = written([day.strftime(form) for day in DAYS] + ["30.02.2026", "soon"], pa.string(), form)

    assert (found.inside.to_pylist()[:3], found.unreadable) == ([False, True, False], 2)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
def test_epoch_numbers_have_the_unit_that_is_named(unit: str, factor: int, kind: pa.DataType) -> None:
    """Milliseconds of 1970 would else pass for seconds of a later year."""
    times = [seconds(day) * factor for day in DAYS]
    found = written(times if kind == pa.int64() else [str(time) for time in times], kind, unit)

    assert (found.inside.to_pylist(), found.unreadable) == ([False, True, False], 0)


def test_a_format_says_nothing_of_real_times() -> None:
    """A column of timestamps or dates needs none."""
    assert written(DAYS, pa.timestamp("us", "UTC"), "%Y%m%d").inside.to_pylist() == [False, True, False]
    assert written(DAYS, pa.date32(), "%Y%m%d").inside.to_pylist() == [False, True, False]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.string()])
def test_dates_that_pass_for_epoch_numbers_are_counted(kind: pa.DataType) -> None:
    """20261122 seconds are a day of August 1970: the message can say what may be meant."""
    values: list[Any] = [20261122, 20260231, 99999999]
    found = written([str(value) for value in values] if kind == pa.string() else values, kind, None)

    assert (found.inside.true_count, found.unreadable, found.days) == (0, 0, 2)
