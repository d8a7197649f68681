from dataclasses import replace

import pytest

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.history import surplus_jobs
from selfheal_operator.core.observed import Job, Monitor
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    finished_job,
    job,
    last_check,
    last_retraining,
    monitor,
    spec,
    status,
)

RETRAIN = Purpose.RETRAIN
LATER = NOON + HOUR
NONE_KEPT = spec(successfulJobsHistoryLimit=0, failedJobsHistoryLimit=0)


def on_record(**fields) -> Monitor:
    """Return a monitor whose status knows all that has happened until noon."""
    told = {
        "last_check": last_check(NOON),
        "last_schedule_time": NOON,
        "last_retraining": last_retraining(NOON),
        "retraining": {"count": 9},
    }
    return monitor(status=status(**told | fields))


def checks(*hours_ago: int, **fields) -> list[Job]:
    """Return finished checks."""
    return [finished_job(slot=NOON - hours * HOUR, **fields) for hours in hours_ago]


@pytest.mark.parametrize(
    ("limit", "deleted"), [(0, [3, 2, 1]), (1, [3, 2, 1]), (2, [3, 2]), (4, []), (100, [])]
)
def test_the_newest_jobs_are_kept_and_the_oldest_go_first(limit, deleted):
    """As many as the limit says; and the newest in any case: its name keeps its slot from being run again."""
    found = surplus_jobs(on_record(), spec(successfulJobsHistoryLimit=limit), checks(1, 0, 3, 2), LATER)

    assert found == checks(*deleted)


@pytest.mark.parametrize(("age", "deleted"), [(5 * MINUTE - SECOND, 0), (5 * MINUTE, 1)])
def test_a_job_is_kept_for_five_minutes_whatever_the_limit(age, deleted):
    """A request for the same Job may still be on its way, from an operator that has heard nothing since."""
    jobs = [*checks(0), *checks(1, created=LATER - age)]

    assert len(surplus_jobs(on_record(), NONE_KEPT, jobs, LATER)) == deleted


def test_failed_jobs_and_retrainings_have_places_of_their_own():
    """A hundred good checks do not push the last failure out, whose log somebody wants to read."""
    kept = [
        *checks(0),
        *checks(5, failure="it failed"),
        finished_job(RETRAIN, slot=NOON - 6 * HOUR, number=2),
        finished_job(RETRAIN, slot=NOON - 7 * HOUR, number=1, failure="it failed"),
    ]

    assert surplus_jobs(on_record(), spec(), [*kept, *checks(1, 2)], LATER) == checks(2, 1)


def test_a_job_that_runs_or_is_being_deleted_is_not_deleted():
    """The one is needed, the other is on its way."""
    jobs = [*checks(0), job(slot=NOON - HOUR), *checks(2, deleting=True)]

    assert surplus_jobs(on_record(), spec(), jobs, LATER) == []


@pytest.mark.parametrize(
    ("case", "fields"),
    [
        ("its slot is not in the status", {"last_schedule_time": NOON - 2 * HOUR}),
        ("its report is not in the status", {"last_check": last_check(NOON - 2 * HOUR)}),
        ("nothing is in the status", {"last_schedule_time": None, "last_check": None}),
    ],
)
def test_a_check_is_kept_while_it_is_the_only_record(case, fields):
    """Without it, an operator that starts now would run its slot again, or lose its verdict."""
    assert surplus_jobs(on_record(**fields), NONE_KEPT, checks(0, 1), LATER) == [], case


@pytest.mark.parametrize(
    "fields", [{"retraining": {"count": 1}}, {"last_retraining": last_retraining(NOON - HOUR)}]
)
def test_a_retraining_is_kept_while_it_is_the_only_record(fields):
    """Its number is the lock of the next one."""
    jobs = [finished_job(RETRAIN, slot=NOON, number=2), job(RETRAIN, slot=NOON + HOUR, number=3)]
    assert surplus_jobs(on_record(), NONE_KEPT, jobs, LATER) == jobs[:1]

    assert surplus_jobs(on_record(**fields), NONE_KEPT, jobs, LATER) == []


@pytest.mark.parametrize(
    ("asked", "handled", "deleted"), [("b", "a", 0), ("b", "b", 1), ("c", "a", 1), ("c", "b", 1)]
)
def test_a_requested_check_is_kept_until_its_request_is_on_record(asked, handled, deleted):
    """Or until another one has taken its place: then nobody asks for this one any more."""
    seen = replace(on_record(last_handled_check_request=handled), check_request=asked)
    jobs = [finished_job(slot=NOON, request="b"), job(slot=NOON + HOUR, request="d")]

    assert len(surplus_jobs(seen, NONE_KEPT, jobs, LATER)) == deleted
