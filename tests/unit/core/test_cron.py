from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_operator.core.cron import MACROS, Cron, CronError, parse

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HAVANA = ZoneInfo("America/Havana")
APIA = ZoneInfo("Pacific/Apia")
SANTIAGO = ZoneInfo("America/Santiago")
ST_JOHNS = ZoneInfo("America/St_Johns")
TUCUMAN = ZoneInfo("America/Argentina/Tucuman")


def slots(expression: str, begin: str, end: str, zone=UTC) -> list[str]:
    """Return the slots from `begin` until before `end`, all as the zone's wall clock shows them."""
    cron, found = parse(expression), []
    slot = cron.next_after(wall(begin, zone) - timedelta(seconds=1), zone)
    while slot is not None and slot < wall(end, zone):
        found.append(slot.astimezone(zone).isoformat(timespec="minutes"))
        slot = cron.next_after(slot, zone)
    return found


def wall(text: str, zone) -> datetime:
    """Return the time at which the zone's clock first shows this."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def minutes_of(part: str) -> list[int]:
    """Return what a minute field stands for."""
    return list(parse(f"{part} * * * *").minutes)


@pytest.mark.parametrize(
    ("part", "minutes"),
    [
        ("0", [0]),
        ("59", [59]),
        ("05", [5]),
        ("1,3,5", [1, 3, 5]),
        ("5,5,5", [5]),
        ("10-13", [10, 11, 12, 13]),
        ("10-10", [10]),
        ("*/20", [0, 20, 40]),
        ("?/20", [0, 20, 40]),
        ("*/59", [0, 59]),
        ("*/60", [0]),
        ("50/4", [50, 54, 58]),
        ("10-20/5", [10, 15, 20]),
        ("10-20/11", [10]),
        ("0-4/2,57-59", [0, 2, 4, 57, 58, 59]),
        ("57,3-5,4", [3, 4, 5, 57]),
        (",1,,2,", [1, 2]),
        ("+5", [5]),
        ("*/+20", [0, 20, 40]),
        ("*", list(range(60))),
        ("*/1", list(range(60))),
    ],
)
def test_a_field_stands_for_its_values(part, minutes):
    """Numbers, lists, ranges, steps; `N/step` goes on to the end of the field."""
    assert minutes_of(part) == minutes


def test_months_and_weekdays_have_names():
    """In English, three letters, in any case; Sunday is 0."""
    cron = parse("0 0 * jan,MAR-may Sun,mon-WED")

    assert cron.months == (1, 3, 4, 5)
    assert cron.weekdays == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("macro", "expression"),
    [("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@weekly", "0 0 * * 0"), ("@yearly", "0 0 1 1 *")],
)
def test_macros_are_expressions(macro, expression):
    """As in CronJob."""
    assert parse(macro) == parse(expression)


def test_every_macro_can_be_read():
    """A guard for the table."""
    for macro in MACROS:
        assert isinstance(parse(macro), Cron)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "'' has 0 fields, not five: minute hour day-of-month month day-of-week"),
        ("* * * *", "'* * * *' has 4 fields, not five: minute hour day-of-month month day-of-week"),
        ("0 0 * * * *", "'0 0 * * * *' has 6 fields, not five: minute hour day-of-month month day-of-week"),
        ("TZ=UTC 0 0 * * *", "a time zone has no place in the schedule; set timeZone instead"),
        ("@every 5m", "@every is not a time of day; set intervalSeconds instead"),
        (
            "@reboot",
            "@reboot is not one of @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly",
        ),
        (
            "@Daily",
            "@Daily is not one of @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly",
        ),
        ("60 * * * *", "the minute 60 is not between 0 and 59"),
        ("0 24 * * *", "the hour 24 is not between 0 and 23"),
        ("0 0 0 * *", "the day of month 0 is not between 1 and 31"),
        ("0 0 32 * *", "the day of month 32 is not between 1 and 31"),
        ("0 0 * 0 *", "the month 0 is not between 1 and 12"),
        ("0 0 * 13 *", "the month 13 is not between 1 and 12"),
        ("0 0 * * 7", "the day of week 7 is not between 0 and 6; Sunday is 0"),
        ("0 0 * * 8", "the day of week 8 is not between 0 and 6"),
        (
            "0 0 * * Sunday",
            "the day of week 'Sunday' is not a number or one of sun, mon, tue, wed, thu, fri, sat",
        ),
        ("0 x * * *", "the hour 'x' is not a number"),
        ("٣ * * * *", "the minute '٣' is not a number"),
        ("5-1 * * * *", "the minute '5-1' runs backwards; write the smaller value first"),
        ("*/0 * * * *", "the minute '*/0' has no step of at least 1 after the slash"),
        ("*/ * * * *", "the minute '*/' has no step of at least 1 after the slash"),
        ("*/-5 * * * *", "the minute '*/-5' has no step of at least 1 after the slash"),
        ("*/5/5 * * * *", "the minute '*/5/5' has no step of at least 1 after the slash"),
        (
            "*/9223372036854775808 * * * *",
            "the minute '*/9223372036854775808' has no step of at least 1 after the slash",
        ),
        ("*/² * * * *", "the minute '*/²' has no step of at least 1 after the slash"),
        (", * * * *", "the minute ',' holds no value"),
        (
            "*-5 * * * *",
            "the minute '*-5' is not a number, a range such as 1-5, a list or a step such as */2",
        ),
        ("-5 * * * *", "the minute '-5' is not a number, a range such as 1-5, a list or a step such as */2"),
        (
            "1-2-3 * * * *",
            "the minute '1-2-3' is not a number, a range such as 1-5, a list or a step such as */2",
        ),
        ("L * * * *", "the minute 'L' is not a number"),
        ("0 0 15W * *", "the day of month '15W' is not a number"),
    ],
)
def test_a_wrong_expression_is_answered_with_a_sentence(expression, sentence):
    """It names the part, and what to write instead."""
    with pytest.raises(CronError) as raised:
        parse(expression)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 13 * *", [13]),
        ("0 0 * * 1", [2, 9, 16, 23, 30]),
        ("0 0 13 * 1", [2, 9, 13, 16, 23, 30]),  # either is enough
        ("0 0 */10 * 1", [1, 2, 9, 11, 16, 21, 23, 30, 31]),  # a star with a step is no star
        ("0 0 */1 * 1", [2, 9, 16, 23, 30]),
        ("0 0 */01 * 1", [2, 9, 16, 23, 30]),
        ("0 0 ? * 1", [2, 9, 16, 23, 30]),
        ("0 0 13 * *,1", [13]),  # a star anywhere in the list
        ("0 0 31 * *", [31]),
    ],
)
def test_of_the_two_day_fields_both_must_match_if_one_is_a_star_and_else_one(expression, days):
    """CronJob's rule, and cron's. March 2026 begins on a Sunday."""
    found = slots(expression, "2026-03-01T00:00", "2026-04-01T00:00")

    assert [int(slot[8:10]) for slot in found] == days


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("0 0 29 2 *", "2028-02-29T00:00:00+00:00"),
        ("0 0 31 2 *", None),
        ("0 0 30 2 *", None),
        ("0 0 31 4,6,9,11 *", None),
        ("0 0 31 2 1", "2027-02-01T00:00:00+00:00"),  # or any Monday in February
        ("59 23 31 12 *", "2026-12-31T23:59:00+00:00"),
    ],
)
def test_dates_that_are_rare_are_found_and_those_that_never_come_are_not(expression, found):
    """Within five years."""
    slot = parse(expression).next_after(datetime(2026, 3, 1, tzinfo=UTC), UTC)

    assert (slot.isoformat() if slot else None) == found


# --- clocks that are changed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "expression", "zone", "span", "found"),
    [
        (
            "a time that the spring skips has no slot that day",
            "30 2 * * *",
            BERLIN,
            ("2026-03-28T00:00", "2026-03-31T00:00"),
            ["2026-03-28T02:30+01:00", "2026-03-30T02:30+02:00"],
        ),
        (
            "a time that the autumn repeats has two",
            "30 2 * * *",
            BERLIN,
            ("2026-10-25T00:00", "2026-10-26T00:00"),
            ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"],
        ),
        (
            "hourly is hourly through it",
            "0 * * * *",
            BERLIN,
            ("2026-10-25T01:00", "2026-10-25T04:00"),
            [
                "2026-10-25T01:00+02:00",
                "2026-10-25T02:00+02:00",
                "2026-10-25T02:00+01:00",
                "2026-10-25T03:00+01:00",
            ],
        ),
        (
            "New York in spring",
            "30 1-3 * * *",
            NEW_YORK,
            ("2026-03-08T00:00", "2026-03-09T00:00"),
            ["2026-03-08T01:30-05:00", "2026-03-08T03:30-04:00"],
        ),
        (
            "New York in autumn",
            "30 1 * * *",
            NEW_YORK,
            ("2026-11-01T00:00", "2026-11-02T00:00"),
            ["2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00"],
        ),
        (
            "half an hour is skipped",
            "15,45 2 * * *",
            LORD_HOWE,
            ("2026-10-04T00:00", "2026-10-05T00:00"),
            ["2026-10-04T02:45+11:00"],
        ),
        (
            "half an hour is repeated",
            "15,45 1 * * *",
            LORD_HOWE,
            ("2026-04-05T00:00", "2026-04-06T00:00"),
            ["2026-04-05T01:15+11:00", "2026-04-05T01:45+11:00", "2026-04-05T01:45+10:30"],
        ),
        (
            "midnight is skipped",
            "0 0,1 * * *",
            HAVANA,
            ("2026-03-07T12:00", "2026-03-09T12:00"),
            ["2026-03-08T01:00-04:00", "2026-03-09T00:00-04:00", "2026-03-09T01:00-04:00"],
        ),
        (
            "the hour after midnight is repeated",
            "0,30 0 * * *",
            HAVANA,
            ("2025-11-01T23:00", "2025-11-02T12:00"),
            [
                "2025-11-02T00:00-04:00",
                "2025-11-02T00:30-04:00",
                "2025-11-02T00:00-05:00",
                "2025-11-02T00:30-05:00",
            ],
        ),
        (
            "the hour before midnight is repeated: the day ends twice",
            "30 23 * * *",
            SANTIAGO,
            ("2026-04-04T00:00", "2026-04-05T12:00"),
            ["2026-04-04T23:30-03:00", "2026-04-04T23:30-04:00"],
        ),
        (
            "the clock is set back for twelve days only",
            "30 23 31 5 *",
            TUCUMAN,
            ("2004-05-31T12:00", "2004-06-20T12:00"),
            ["2004-05-31T23:30-03:00", "2004-05-31T23:30-04:00"],
        ),
        (
            "a whole day is skipped",
            "0 12 * * *",
            APIA,
            ("2011-12-29T00:00", "2012-01-01T00:00"),
            ["2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00"],
        ),
        (
            "a day that is skipped has no slot, by its date or by its name",
            "0 0 30 12 5",
            APIA,
            ("2011-12-29T00:00", "2012-01-01T00:00"),
            [],
        ),
        (
            "an hour is skipped a minute after midnight",
            "30 0,1 * * *",
            ST_JOHNS,
            ("2010-03-14T00:00", "2010-03-14T12:00"),
            ["2010-03-14T01:30-02:30"],
        ),
        (
            "the end of the day is repeated a minute after it",
            "30 23 6 11 *",
            ST_JOHNS,
            ("2010-11-06T12:00", "2010-11-07T12:00"),
            ["2010-11-06T23:30-02:30", "2010-11-06T23:30-03:30"],
        ),
    ],
)
def test_a_slot_is_every_minute_at_which_the_wall_shows_a_match(case, expression, zone, span, found):
    """So what the clock skips has none, and what it shows twice has two."""
    start, end = span

    assert slots(expression, start, end, zone) == found, case


# --- against a walk over every minute -----------------------------------------------------------------------


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """Return a strategy for one field: mostly what people write."""
    value = st.integers(low, high)
    spans = st.tuples(value, value).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.integers(1, high).map(lambda step: f"*/{step}")
    return (
        st.just("*")
        | value.map(str)
        | spans
        | steps
        | st.lists(value, min_size=2, max_size=3).map(lambda values: ",".join(map(str, values)))
    )


EXPRESSIONS = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).map(" ".join)

# The nights on which a clock is changed, and any other time.
CHANGES = [
    (BERLIN, "2026-03-29T00:30"),
    (BERLIN, "2026-10-24T23:30"),
    (NEW_YORK, "2026-03-08T06:30"),
    (NEW_YORK, "2026-11-01T05:30"),
    (LORD_HOWE, "2026-04-04T14:30"),
    (LORD_HOWE, "2026-10-03T15:00"),
    (HAVANA, "2026-03-08T04:30"),
    (HAVANA, "2025-11-02T04:30"),
    (SANTIAGO, "2026-04-05T02:30"),
    (SANTIAGO, "2026-09-06T03:30"),
    (APIA, "2011-12-30T09:30"),
    (ST_JOHNS, "2010-11-07T02:31"),
    (ST_JOHNS, "2010-03-14T03:31"),
    (ZoneInfo("Africa/Casablanca"), "2026-02-15T01:30"),
    (ZoneInfo("Asia/Kathmandu"), "2026-06-01T12:00"),
    (UTC, "2028-02-29T12:00"),
]


@given(
    expression=EXPRESSIONS,
    change=st.sampled_from(CHANGES),
    minutes=st.integers(-2 * 1440, 1440),
    seconds=st.integers(0, 59),
)
@settings(max_examples=150)
def test_no_minute_that_matches_is_left_out_and_none_that_does_not_is_found(
    expression, change, minutes, seconds
):
    """Compared with a walk over every minute of the two days that follow."""
    zone, around = change
    begin = datetime.fromisoformat(around).replace(tzinfo=UTC) + timedelta(minutes=minutes, seconds=seconds)
    cron = parse(expression)

    found = cron.next_after(begin, zone)

    assert found is None or found > begin
    assert found is None or matches(cron, found.astimezone(zone))
    minute = begin.replace(second=0)
    for step in range(1, 2 * 1440):
        time = minute + timedelta(minutes=step)
        if matches(cron, time.astimezone(zone)):
            assert found == time
            return
    assert found is None or found > time


def matches(cron: Cron, wall: datetime) -> bool:
    """Say whether the wall clock shows a match, in the plainest words."""
    if wall.minute not in cron.minutes or wall.hour not in cron.hours or wall.month not in cron.months:
        return False
    by_date, by_name = wall.day in cron.days, (wall.weekday() + 1) % 7 in cron.weekdays
    return (by_date and by_name) if cron.any_day else (by_date or by_name)
