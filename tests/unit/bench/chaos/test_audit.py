"""The audit finds what is wrong in a record: otherwise a run that finds nothing would say nothing."""

from dataclasses import replace

import pytest

from chaos.findings import Odd
from support.builders.chaos_records import EVERY_MINUTE, audited, check, retraining, slot, told
from support.builders.objects import HOUR, MINUTE, NOON, SECOND, last_check

EVERY_TWO = {"schedule": "*/2 * * * *"}


def odds(findings):
    """Return which oddities were found."""
    return [oddity.odd for oddity in findings.oddities]


# --- slots --------------------------------------------------------------------------------------------------


def test_a_record_in_which_each_slot_has_its_job_or_is_counted_is_clean():
    """Two were started, one was missed, and one more was started whose status is not written yet."""
    found = audited([check(1, 10), check(3, 20), check(4, 30)], [told(11, 1), told(21, 3, missed=1)])

    assert found.clean
    assert found.oddities == []
    assert (found.slots, found.started, found.missed) == (3, 3, 1)


@pytest.mark.parametrize("again", [2, 30])
def test_two_jobs_for_one_slot_are_found(again):
    """Also when the first one had been deleted in between, so that both had the same name."""
    found = audited([check(1, 10), check(1, 10 + again, name="churn-check-x")], [told(11, 1)])

    assert len(found.doubled) == 1
    assert "churn-check-x" in found.doubled[0]


def test_a_random_suffix_on_names_does_not_hide_a_second_job():
    """Slots are told apart by what the Jobs say, not by their names."""
    jobs = [check(1, 10, name="churn-check-1-aaaa"), check(1, 12, name="churn-check-1-bbbb")]

    assert len(audited(jobs, [told(13, 1)]).doubled) == 1


def test_a_slot_without_a_job_that_nobody_counted_is_lost():
    """The status has gone past it."""
    found = audited([check(1, 10), check(3, 20)], [told(11, 1), told(21, 3)])

    assert len(found.lost) == 1
    assert "of 2 slots due after 2026-11-23T12:01:00Z until 2026-11-23T12:03:00Z" in found.lost[0]


def test_each_of_several_lost_slots_counts():
    """The number that is printed is that of slots."""
    assert len(audited([check(5, 20)], [told(21, 5)]).lost) == 4


def test_one_slot_counted_too_often_does_not_make_up_for_another_that_is_lost():
    """The account is made status by status."""
    found = audited([check(1, 10), check(3, 20)], [told(11, 1, missed=1), told(21, 3, missed=1)])

    assert len(found.lost) == 1
    assert odds(found) == [Odd.MISCOUNTED]


def test_a_slot_that_has_its_job_and_was_counted_as_missed_is_odd_and_not_lost():
    """An operator with an old view of the Jobs counted it."""
    found = audited([check(1, 10), check(2, 12)], [told(13, 2, missed=1)])

    assert found.clean
    assert odds(found) == [Odd.MISCOUNTED]


def test_a_slot_that_was_given_up_and_started_all_the_same_is_odd_and_not_doubled():
    """Its creation was on its way for long."""
    found = audited([check(2, 10), check(1, 20)], [told(11, 2, missed=1)])

    assert found.clean
    assert Odd.LATE in odds(found)
    assert Odd.MISCOUNTED not in odds(found)


def test_a_job_for_a_time_that_is_no_slot_is_found():
    """Nobody asked for it."""
    found = audited([check(1, 10, slot=slot(1) + SECOND)], [told(11, None)])

    assert len(found.broken) == 1


def test_what_is_due_in_the_end_and_not_in_the_status_is_lost():
    """A wedged operator starts nothing and counts nothing."""
    versions = [told(11, 1)]

    assert audited([check(1, 10)], versions, end=slot(2) - SECOND).clean
    assert len(audited([check(1, 10)], versions, end=slot(2)).lost) == 1


def test_a_monitor_that_nobody_ever_noticed_has_lost_its_slots():
    """It has no status at all."""
    never = told(5, None, observed_generation=None)

    assert len(audited([], [never], end=slot(1)).lost) == 2  # its newest spec, and its slot


def test_a_deleted_monitor_owes_nothing_more_but_had_its_slots_until_then():
    """And a Job that came after it is garbage."""
    jobs, versions = [check(1, 10), check(3, 20)], [told(11, 1), told(21, 3)]
    late = check(3, 30, created=slot(10))

    found = audited([*jobs, late], versions, deleted=slot(9), end=slot(20))

    assert len(found.lost) == 1
    assert (found.doubled, found.orphans) == ([], 1)


# --- schedules that are edited ------------------------------------------------------------------------------


def test_each_stretch_of_one_schedule_is_accounted_for():
    """What happens around the edit is not."""
    versions = [
        told(11, 1),
        told(21, 3, missed=1),
        told(30, 3, missed=1, when=EVERY_TWO, generation=2, next_check_time=slot(10)),
        told(41, 14, missed=1, when=EVERY_TWO, generation=2),
    ]
    jobs = [check(1, 10), check(3, 20), check(10, 35), check(14, 40)]

    found = audited(jobs, versions)
    assert len(found.lost) == 1
    assert "until 2026-11-23T12:14:00Z" in found.lost[0]

    assert audited([*jobs, check(12, 37)], versions).clean


def test_a_suspended_stretch_owes_nothing():
    """Nobody is to check then."""
    versions = [told(11, 1), told(20, 1, when=EVERY_MINUTE | {"suspend": True}, generation=2)]

    assert audited([check(1, 10)], versions, end=slot(60)).clean


def test_a_job_of_the_earlier_schedule_stands_for_the_slot_of_its_minute():
    """The later schedule's slot would need the name that it has."""
    by_interval = {
        "intervalSeconds": 60
    }  # its slots are 38 seconds past the minute, by the UID of the builders
    versions = [
        told(8, 1, when=by_interval),
        told(11, 2, generation=2, next_check_time=slot(3), last_schedule_time=slot(2)),
        told(21, 4, generation=2),
    ]
    jobs = [check(3, 10, slot=slot(3) + 38 * SECOND), check(4, 20)]

    assert audited(jobs, versions).lost == []


# --- other promises -----------------------------------------------------------------------------------------


def test_a_request_is_answered_once():
    """By one Job, whatever its name."""
    twice = [check(1, number, request="now", name=f"churn-check-r{number}") for number in (10, 12)]

    found = audited(twice, [told(13, None)])

    assert len(found.doubled) == 1
    assert found.requested == 2


def test_the_request_that_stands_in_the_end_has_been_answered():
    """One that was overwritten may have had no answer."""
    asked = told(20, None, annotations={"selfheal.dev/check-requested-at": "b"})
    answered = check(1, 10, request="b", created=NOON)

    assert len(audited([replace(answered, request="a")], [asked]).lost) == 1
    assert audited([answered], [asked]).clean


def test_a_drift_is_answered_once():
    """Two retrainings for one check would train on the same data."""
    jobs = [check(1, 10), retraining(1, 20, answers=1), retraining(2, 30, answers=1)]

    found = audited(jobs, [told(40, 1, retraining={"count": 2})])

    assert len(found.doubled) == 1


@pytest.mark.parametrize(
    ("case", "numbers", "finished"),
    [("a gap", (1, 3), 15), ("two at once", (1, 2), 25), ("never", (1, 2), None)],
)
def test_retrainings_are_numbered_and_run_one_at_a_time(case, numbers, finished):
    """By the revision at which the first one was seen to have ended."""
    first, second = numbers
    jobs = [
        retraining(first, 10, answers=1, finished_version=finished),
        retraining(second, 20, answers=2),
    ]

    found = audited(jobs, [told(40, None, retraining={"count": 3})])

    assert len(found.broken) == 1, case


def test_a_retraining_that_the_status_never_learns_of_is_lost():
    """Its number would be given once more when its Job is gone."""
    jobs = [check(1, 10), retraining(1, 20, answers=1, created=NOON)]

    assert len(audited(jobs, [told(40, 1)]).lost) == 1
    assert audited(jobs, [told(40, 1, retraining={"count": 1})]).clean


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (told(11, 2), told(12, 1)),
        (told(11, 1, missed=2), told(12, 1, missed=1)),
        (told(11, 1, retraining={"count": 2}), told(12, 1, retraining={"count": 1})),
    ],
)
def test_a_status_that_goes_back_is_found(before, after):
    """It is what the next decision is made on."""
    found = audited([check(1, 5), check(2, 7)], [before, after])

    assert len(found.broken) == 1


@pytest.mark.parametrize(
    ("case", "versions", "overlap"),
    [
        ("it runs", [told(40, 2)], True),
        ("it has reported", [told(15, 1, last_check=last_check(slot(1))), told(40, 2)], False),
        ("it makes room", [told(40, 2, when=EVERY_MINUTE | {"concurrencyPolicy": "Replace"})], False),
    ],
)
def test_a_check_that_starts_while_another_runs_is_odd(case, versions, overlap):
    """Two operators can do no better, when each sees the other's Job too late."""
    found = audited([check(1, 10, finished_version=30), check(2, 20)], versions)

    assert found.clean
    assert odds(found) == ([Odd.OVERLAPPING] if overlap else []), case


def test_nothing_is_found_where_nothing_was():
    """And the numbers say so: a run that did nothing must not pass for one that found nothing."""
    found = audited([], [told(5, None)], end=NOON + MINUTE - SECOND)

    assert found.clean
    assert (found.slots, found.started) == (0, 0)


def test_a_day_is_looked_back_for_what_is_due_in_the_end():
    """The newest slot of a rare schedule may be hours old."""
    hourly = told(11, None, when={"schedule": "0 13 * * *"})

    assert len(audited([], [hourly], end=NOON + 5 * HOUR).lost) == 1
