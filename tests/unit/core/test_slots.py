import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.core.cron import parse
from selfheal_operator.core.schedule import CronSchedule, IntervalSchedule, Schedule
from selfheal_operator.core.slots import Punctuality, idle_slots, punctuality_of, slots_of
from support.builders.objects import DAY, HOUR, MINUTE, NOON, SECOND, at, spec, status

HOURLY = CronSchedule(parse("0 * * * *"), UTC)
CREATED = at("09:30")


def standing(
    now: datetime,
    *started: datetime,
    stored: ModelMonitorStatus | None = None,
    schedule: Schedule = HOURLY,
    created: datetime = CREATED,
):
    """Return where the monitor stands, as (last, missed, due, next)."""
    slots = slots_of(schedule, stored or ModelMonitorStatus(), created, started, now)
    return slots.last, slots.missed, slots.due, slots.next


def promising(slot: datetime, last: datetime | None = None) -> ModelMonitorStatus:
    """Return a status that names its next check."""
    return status(next_check_time=slot, last_schedule_time=last)


# --- new monitors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "created", "now", "due", "following"),
    [
        ("before the first slot", at("09:30"), at("09:59:59"), None, at("10:00")),
        ("at the first slot", at("09:30"), at("10:00"), at("10:00"), at("10:00")),
        ("made at a slot", at("09:00"), at("09:00"), None, at("10:00")),
        ("first seen hours later", at("09:30"), at("12:30"), at("12:00"), at("10:00")),
        ("the API server's clock is ahead", at("09:30"), at("09:29:50"), None, at("10:00")),
    ],
)
def test_a_new_monitor_owes_the_slots_since_it_was_made(case, created, now, due, following):
    """None from before, however often the schedule had come round by then."""
    assert standing(now, created=created) == (None, 0, due, following), case


def test_a_new_monitor_that_was_first_seen_hours_later_counts_what_it_missed():
    """Once the newest slot has its Job, the two before it are known to have had none."""
    assert standing(at("12:30"), at("12:00")) == (at("12:00"), 2, None, at("13:00"))


# --- the promise --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "now", "jobs", "expected"),
    [
        ("not yet due", at("09:59:59"), [], (at("09:00"), 0, None, at("10:00"))),
        ("due", at("10:00"), [], (at("09:00"), 0, at("10:00"), at("10:00"))),
        (
            "the newest of four is due; nothing is counted before it has a Job",
            at("13:10"),
            [],
            (at("09:00"), 0, at("13:00"), at("10:00")),
        ),
        (
            "a Job that the status does not know",
            at("10:01"),
            [at("10:00")],
            (at("10:00"), 0, None, at("11:00")),
        ),
        (
            "the newest of four has its Job: three were missed",
            at("13:10"),
            [at("13:00")],
            (at("13:00"), 3, None, at("14:00")),
        ),
        (
            "one of the four had its Job before",
            at("13:10"),
            [at("11:00"), at("13:00")],
            (at("13:00"), 2, None, at("14:00")),
        ),
        (
            "Jobs that the status knows are not counted again",
            at("10:01"),
            [at("07:00"), at("08:00"), at("09:00"), at("10:00")],
            (at("10:00"), 0, None, at("11:00")),
        ),
        (
            "a Job and a slot after it",
            at("11:00"),
            [at("10:00")],
            (at("10:00"), 0, at("11:00"), at("11:00")),
        ),
    ],
)
def test_every_slot_from_the_promised_one_on_has_a_job_or_is_counted(case, now, jobs, expected):
    """Whatever happened to the operator since it wrote its status at nine."""
    assert standing(now, *jobs, stored=promising(at("10:00"), at("09:00"))) == expected, case


def test_what_was_counted_is_not_counted_again():
    """The status that is written moves the promise beyond what it counts."""
    now, jobs = at("13:10"), [at("13:00")]
    slots = slots_of(HOURLY, promising(at("10:00"), at("09:00")), CREATED, jobs, now)
    assert slots.missed == 3
    assert slots.next is not None

    assert slots_of(HOURLY, promising(slots.next, slots.last), CREATED, jobs, now).missed == 0


def test_many_missed_slots_are_counted_up_to_a_limit():
    """Six days of minutes are exact; a year is walked through neither to count nor to find the newest."""
    minutely = IntervalSchedule(60, 0)
    for away, missed in ((6 * DAY, 6 * 24 * 60 - 1), (400 * DAY, 9_999)):
        promise = NOON - away + MINUTE
        told = promising(promise, promise - MINUTE)

        assert standing(NOON, stored=told, schedule=minutely) == (promise - MINUTE, 0, NOON, promise)
        assert standing(NOON, NOON, stored=told, schedule=minutely) == (NOON, missed, None, NOON + MINUTE)


# --- edits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "expression", "due", "following"),
    [
        ("to more often; the promise is a slot of both", "*/5 * * * *", None, at("10:40")),
        ("to more often; the promise is a slot of the old one", "7-59/5 * * * *", None, at("10:42")),
        ("to less often", "0 0 * * *", None, at("00:00", day=24)),
    ],
)
def test_an_edited_schedule_takes_effect_at_once(case, expression, due, following):
    """What the old schedule had promised for later binds nobody."""
    told = promising(at("11:00"), at("10:00"))

    found = standing(at("10:37"), at("10:00"), stored=told, schedule=CronSchedule(parse(expression), UTC))

    assert found == (at("10:00"), 0, due, following), case


def test_an_edit_from_yearly_to_every_minute_does_not_wait_for_new_year():
    """The next slot is a minute away at most."""
    told = promising(datetime(2027, 1, 1, tzinfo=UTC))

    assert standing(NOON, stored=told, schedule=IntervalSchedule(60, 0))[3] == NOON + MINUTE


def test_slots_of_an_earlier_schedule_are_not_caught_up():
    """The promise is no slot of the new schedule, so nobody knows what the new one would have owed."""
    told = promising(at("07:00"), at("06:00"))

    found = standing(at("10:37"), stored=told, schedule=CronSchedule(parse("30 * * * *"), UTC))

    assert found == (at("06:00"), 0, None, at("11:30"))


def test_a_slot_in_the_minute_of_the_last_one_is_the_same():
    """Jobs are named by the minute: a second one would find the name taken, for ever.

    It takes an edit to get there: two slots of one schedule are a minute apart at least.
    """
    last, edited = NOON + 37 * SECOND, IntervalSchedule(60, 50)
    told = promising(NOON + 50 * SECOND, last)

    found = standing(NOON + 55 * SECOND, last, stored=told, schedule=edited)

    assert found == (last, 0, None, NOON + MINUTE + 50 * SECOND)


# --- suspended and resumed ----------------------------------------------------------------------------------


def test_a_suspended_monitor_owes_nothing_and_promises_nothing():
    """Only what has a Job is remembered."""
    slots = idle_slots(promising(at("10:00"), at("09:00")), [at("10:00")])

    assert (slots.last, slots.missed, slots.due, slots.next, slots.wake) == (at("10:00"), 0, None, None, None)


def test_a_resumed_monitor_catches_up_the_newest_slot_and_counts_the_others():
    """As with CronJob: what passed while it was suspended was missed."""
    told = status(last_schedule_time=at("09:00"))
    assert standing(at("12:30"), at("09:00"), stored=told) == (
        at("09:00"),
        0,
        at("12:00"),
        at("10:00"),
    )

    found = standing(at("12:30"), at("09:00"), at("12:00"), stored=told)

    assert found == (at("12:00"), 2, None, at("13:00"))


def test_a_monitor_that_was_made_suspended_owes_what_passed_since_it_was_made():
    """It has a status by then, which says nothing of a next check."""
    assert standing(at("12:30"), stored=status()) == (None, 0, at("12:00"), at("10:00"))


# --- the starting deadline ----------------------------------------------------------------------------------


def late(now: datetime, *started: datetime, seconds: int, delay: int = 0):
    """Return where the monitor stands that promised ten o'clock, as (last, missed, due, next)."""
    punctuality = Punctuality(delay=delay * SECOND, deadline=seconds * SECOND)
    told = promising(at("10:00"), at("09:00"))
    slots = slots_of(HOURLY, told, CREATED, started, now, punctuality=punctuality)
    return slots.last, slots.missed, slots.due, slots.next


@pytest.mark.parametrize(
    ("case", "now", "expected"),
    [
        ("on time", at("10:00"), (at("09:00"), 0, at("10:00"), at("10:00"))),
        ("at the deadline", at("10:10"), (at("09:00"), 0, at("10:00"), at("10:00"))),
        ("a second beyond", at("10:10:01"), (at("10:00"), 1, None, at("11:00"))),
        ("hours beyond", at("12:30"), (at("12:00"), 3, None, at("13:00"))),
        ("the newest one is in time", at("12:05"), (at("11:00"), 2, at("12:00"), at("12:00"))),
    ],
)
def test_a_slot_that_is_too_late_is_passed_over_and_counted(case, now, expected):
    """It becomes the last one, so that nobody notices it again, and everybody can read that it was missed."""
    assert late(now, seconds=600) == expected, case


def test_a_slot_that_was_passed_over_is_counted_once():
    """With the status that counted it, the next look finds nothing new."""
    told = promising(at("11:00"), at("10:00"))

    slots = slots_of(HOURLY, told, CREATED, [], at("10:30"), punctuality=Punctuality(deadline=600 * SECOND))

    assert (slots.last, slots.missed) == (at("10:00"), 0)


def test_a_job_that_started_in_time_is_not_passed_over():
    """The status may not know it yet, long after the deadline."""
    assert late(at("10:30"), at("10:00"), seconds=600) == (at("10:00"), 0, None, at("11:00"))


# --- spread -------------------------------------------------------------------------------------------------


def test_a_start_is_put_off_and_the_slot_is_not():
    """At ten, and until its turn has come, the slot is promised and not yet due."""
    told = promising(at("10:00"), at("09:00"))
    for now, due in ((at("10:00"), None), (at("10:04:59"), None), (at("10:05"), at("10:00"))):
        slots = slots_of(HOURLY, told, CREATED, [], now, punctuality=Punctuality(delay=5 * MINUTE))

        assert (slots.due, slots.next) == (due, at("10:00"))
        assert slots.wake == (at("10:05") if due is None else at("11:05"))


def test_a_delay_longer_than_the_interval_loses_no_slot():
    """Each slot has its turn, ten minutes late."""
    minutely, promised = IntervalSchedule(60, 0), NOON
    for minute in range(5):
        now = NOON + (10 + minute) * MINUTE
        stored = promising(promised, promised - MINUTE)
        slots = slots_of(minutely, stored, CREATED, [], now, punctuality=Punctuality(delay=10 * MINUTE))

        assert slots.due == promised
        promised += MINUTE


def test_the_deadline_is_reckoned_from_the_turn():
    """Whoever asks for a spread of half an hour does not want half of the checks passed over."""
    assert late(at("10:15"), seconds=600, delay=300) == (at("09:00"), 0, at("10:00"), at("10:00"))
    assert late(at("10:15:01"), seconds=600, delay=300)[:2] == (at("10:00"), 1)


def test_an_edit_does_not_start_a_slot_from_before_it():
    """However long the delay is that the slot would still have to wait."""
    told = promising(at("11:00"), at("10:00"))
    edited = CronSchedule(parse("30 * * * *"), UTC)

    slots = slots_of(edited, told, CREATED, [], at("10:35"), punctuality=Punctuality(delay=10 * MINUTE))

    assert (slots.due, slots.next) == (None, at("11:30"))


@given(uid=st.uuids().map(str), seconds=st.integers(1, 86_400))
def test_the_delay_is_the_monitors_own_and_within_the_spread(uid, seconds):
    """The same for every operator, at every slot."""
    first, second = (punctuality_of(spec(spreadSeconds=seconds), uid) for _ in range(2))

    assert first == second
    assert timedelta(0) <= first.delay < seconds * SECOND


def test_monitors_of_one_schedule_are_spread_evenly():
    """Of a thousand within ten minutes, each minute has its hundred, give or take."""
    delays = [
        punctuality_of(spec(spreadSeconds=600), str(uuid.UUID(int=n * 7919))).delay for n in range(1000)
    ]
    per_minute = Counter(delay // MINUTE for delay in delays)

    assert set(per_minute) == set(range(10))
    assert max(per_minute.values()) < 150


def test_without_a_spread_nothing_is_put_off():
    """And without a deadline, late is better than never."""
    assert punctuality_of(spec(), "uid") == Punctuality(delay=timedelta(0), deadline=None)


# --- clocks and edited statuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("back", [SECOND, 30 * MINUTE, HOUR, 3 * DAY])
def test_a_clock_that_steps_back_starts_nothing_twice(back: timedelta):
    """The last slot stays the last, and the next one is after it."""
    told = promising(at("11:00"), at("10:00"))

    found = standing(at("10:00:01") - back, at("10:00"), stored=told)

    assert found == (at("10:00"), 0, None, at("11:00"))


def test_the_last_slot_never_goes_back():
    """Jobs of older slots may still be there when the newest one's is gone."""
    told = promising(at("13:00"), at("12:00"))

    assert standing(at("12:10"), at("09:00"), at("10:00"), stored=told)[0] == at("12:00")
    assert idle_slots(told, [at("09:00")]).last == at("12:00")


def test_a_promise_in_the_far_future_is_not_believed():
    """Somebody has edited the status, or the operator's clock was wrong for a while."""
    told = promising(at("10:00") + 365 * DAY, at("09:00"))

    assert standing(at("09:30"), stored=told) == (at("09:00"), 0, None, at("10:00"))


@pytest.mark.parametrize("now", [at("09:05"), at("09:29:59"), at("09:35")])
def test_a_clock_that_is_behind_promises_no_slot_from_before_the_monitor_was_made(now):
    """Another operator, whose clock is right, would take the promise for a debt and start it."""
    often = CronSchedule(parse("*/10 * * * *"), UTC)

    found = standing(now, stored=promising(at("09:40")), schedule=often)

    assert found == (None, 0, None, at("09:40"))


def test_a_promise_before_the_last_slot_is_counted_once():
    """The status was restored from a backup that knew less than the Jobs do."""
    told = promising(at("10:00"), at("12:00"))

    assert standing(at("12:10"), at("10:00"), at("12:00"), stored=told) == (at("12:00"), 1, None, at("13:00"))


def test_the_monitor_wakes_at_the_next_slot_to_come():
    """Not at the oldest that is owed."""
    slots = slots_of(HOURLY, promising(at("10:00")), CREATED, [], at("12:10"))

    assert slots.wake == at("13:00")


def test_a_status_that_was_emptied_by_hand_owes_from_the_making_on():
    """Then the Jobs that are left are the only record."""
    assert standing(at("12:10"), at("11:00")) == (at("11:00"), 1, at("12:00"), at("12:00"))
