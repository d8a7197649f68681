from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_operator.core.cron import parse
from selfheal_operator.core.errors import InvalidSpecError
from selfheal_operator.core.schedule import (
    MOST_COUNTED,
    CronSchedule,
    IntervalSchedule,
    Schedule,
    count_slots,
    is_slot,
    newest_slot,
    schedule_of,
)
from support.builders.objects import DAY, HOUR, MINUTE, NOON, SECOND, UID, spec

SCHEDULES = st.one_of(
    st.builds(IntervalSchedule, st.integers(60, 7200), st.integers(0, 59)),
    st.builds(
        CronSchedule,
        st.sampled_from(["*/7 * * * *", "0 */3 * * *", "30 2 * * *", "0 0 * * 1", "5 4 * * 1-5"]).map(parse),
        st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")]),
    ),
)
TIMES = st.datetimes(datetime(2026, 10, 1), datetime(2026, 11, 30), timezones=st.just(UTC))  # noqa: DTZ001 - by timezones
SPANS = st.timedeltas(timedelta(0), 3 * DAY)
FEW = settings(max_examples=50)


def walked(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    """Return all slots in (after, until], one by one."""
    found, slot = [], schedule.next_after(after)
    while slot is not None and slot <= until:
        found.append(slot)
        slot = schedule.next_after(slot)
    return found


# --- intervals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "time", "following"),
    [
        ("at a slot: the next one", NOON, NOON + HOUR),
        ("one second before", NOON - SECOND, NOON),
        ("a millisecond before", NOON - timedelta(milliseconds=1), NOON),
        ("a millisecond after", NOON + timedelta(milliseconds=1), NOON + HOUR),
    ],
)
def test_an_interval_has_its_slots_at_multiples_since_the_epoch(case, time, following):
    """A slot is later than the time asked about, never the same."""
    assert IntervalSchedule(3600, 0).next_after(time) == following, case


def test_monitors_of_one_interval_do_not_run_in_step():
    """The phase comes from the UID, so it survives restarts and edits of everything else."""
    phases = {schedule_of(spec(intervalSeconds=900), f"uid-{n}").next_after(NOON) for n in range(100)}

    assert len(phases) > 80
    assert schedule_of(spec(intervalSeconds=900), UID) == schedule_of(spec(intervalSeconds=900), UID)


def test_the_phase_of_a_divisor_is_kept():
    """Editing 3600 to 60 keeps the slots that there were."""
    hourly, minutely = (schedule_of(spec(intervalSeconds=seconds), UID) for seconds in (3600, 60))
    slot = hourly.next_after(NOON)

    assert slot is not None
    assert is_slot(minutely, slot)


# --- reading the spec ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"schedule": "0 25 * * *"},
            "spec.schedule: the hour 25 is not between 0 and 23",
        ),
        (
            {"schedule": "0 0 31 2 *"},
            "spec.schedule: '0 0 31 2 *' never matches a day of the calendar",
        ),
        (
            {"timeZone": "Mars/Olympus"},
            "spec.timeZone: 'Mars/Olympus' is not a time zone; write an IANA name such as Europe/Berlin",
        ),
        (
            {"timeZone": "../etc/passwd"},
            "spec.timeZone: '../etc/passwd' is not a time zone; write an IANA name such as Europe/Berlin",
        ),
        (
            {"timeZone": "Europe"},
            "spec.timeZone: 'Europe' is not a time zone; write an IANA name such as Europe/Berlin",
        ),
        (
            {"timeZone": "+01:00"},
            "spec.timeZone: '+01:00' is not a time zone; write an IANA name such as Europe/Berlin",
        ),
        ({"schedule": None}, "spec: set exactly one of schedule and intervalSeconds"),
    ],
)
def test_a_schedule_that_cannot_be_read_names_the_field_and_the_remedy(fields, sentence):
    """In the words that the Ready condition then shows."""
    with pytest.raises(InvalidSpecError) as raised:
        schedule_of(spec(**fields), UID)
    assert str(raised.value) == sentence


def test_a_leap_day_is_a_day_of_the_calendar():
    """Even if the next one is years away."""
    assert schedule_of(spec(schedule="0 0 29 2 *"), UID).next_after(NOON) == datetime(2028, 2, 29, tzinfo=UTC)


def test_a_schedule_is_read_in_its_time_zone():
    """Nine in Berlin is eight in UTC, in winter."""
    schedule = schedule_of(spec(schedule="0 9 * * *", timeZone="Europe/Berlin"), UID)

    assert schedule.next_after(NOON) == NOON + 20 * HOUR


# --- looking back -------------------------------------------------------------------------------------------


@FEW
@given(schedule=SCHEDULES, after=TIMES, span=SPANS)
def test_the_newest_slot_is_the_last_one_of_a_walk(schedule, after, span):
    """Found without the walk."""
    slots = walked(schedule, after, after + span)

    assert newest_slot(schedule, after, after + span) == (slots[-1] if slots else None)


@FEW
@given(schedule=SCHEDULES, after=TIMES, span=SPANS)
def test_slots_are_counted_as_in_a_walk(schedule, after, span):
    """Up to a limit."""
    assert count_slots(schedule, after, after + span) == min(
        len(walked(schedule, after, after + span)), MOST_COUNTED
    )


@FEW
@given(schedule=SCHEDULES, time=TIMES, span=SPANS)
def test_slots_are_in_order_and_are_slots(schedule, time, span):
    """Each is later than the one before, and the moments around it are none."""
    slots = walked(schedule, time, time + span)[:10]

    for slot in slots:
        assert slot > time
        assert is_slot(schedule, slot)
        assert not is_slot(schedule, slot + SECOND)
        assert not is_slot(schedule, slot - SECOND)
        time = slot


@pytest.mark.parametrize(
    ("after", "until", "newest", "count"),
    [
        (NOON, NOON, None, 0),
        (NOON - SECOND, NOON, NOON, 1),
        (NOON, NOON + HOUR - SECOND, None, 0),
        (NOON, NOON + HOUR, NOON + HOUR, 1),
        (NOON + HOUR, NOON, None, 0),
    ],
)
def test_a_span_holds_its_end_and_not_its_beginning(after, until, newest, count):
    """So spans can be put together without counting a slot twice."""
    hourly = IntervalSchedule(3600, 0)

    assert (newest_slot(hourly, after, until), count_slots(hourly, after, until)) == (newest, count)


@pytest.mark.parametrize(
    ("expression", "newest"),
    [
        ("* * * * *", "2026-11-23T12:00:00+00:00"),
        ("0 0 1 1 *", "2026-01-01T00:00:00+00:00"),
        ("0 0 29 2 *", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_after_years_the_newest_slot_is_still_found(expression, newest):
    """However rare or frequent the slots are."""
    found = newest_slot(CronSchedule(parse(expression), UTC), NOON - 5 * 365 * DAY, NOON)

    assert found is not None
    assert found.isoformat() == newest


def test_the_clock_of_a_zone_is_no_matter_to_a_span():
    """Times in any zone are the same times."""
    local = NOON.astimezone(ZoneInfo("Asia/Kathmandu"))

    assert newest_slot(IntervalSchedule(60, 0), local - MINUTE, local) == NOON
