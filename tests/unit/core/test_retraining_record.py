"""What is remembered of retrainings: starts, and failures in a row."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.reasons import Purpose, Reason, RetrainResult
from selfheal_operator.api.v1alpha1.status import MOST_RUNS_PER_DAY, RetrainingStatus
from selfheal_operator.core.jobs import retrain_job_name
from selfheal_operator.core.retraining_record import retraining_record
from support.builders.objects import DAY, HOUR, MINUTE, NOON, job, last_retraining, monitor, spec, status

FAILED, REGISTERED, REFUSED = RetrainResult.FAILED, RetrainResult.REGISTERED, RetrainResult.NOT_IMPROVED


def started(number: int, slot=NOON, **fields):
    """Return the Job of a retraining, started a minute after its slot."""
    name = retrain_job_name("churn", number)
    return job(Purpose.RETRAIN, name=name, slot=slot, created=slot + MINUTE, **fields)


def record(*jobs, outcome=None, generation=1, observed_generation=1, **stored) -> RetrainingStatus:
    """Return what is remembered after the stored record, these Jobs and this outcome."""
    told = status(retraining=stored, last_retraining=outcome, observed_generation=observed_generation)
    return retraining_record(monitor(status=told, generation=generation), jobs, spec())


def test_every_start_that_the_status_does_not_know_is_remembered():
    """An operator was away: two Jobs were made by another one, which could not write the status."""
    seen = record(started(2, NOON), started(3, NOON + HOUR), count=1, start_times=[NOON - HOUR])

    assert seen.count == 3
    assert seen.start_times == [NOON + HOUR + MINUTE, NOON + MINUTE, NOON - HOUR]
    assert seen.last_start_time == NOON + HOUR + MINUTE


def test_a_start_is_forgotten_once_it_is_a_day_older_than_the_newest():
    """By the newest start, not by the clock: the status does not change by itself."""
    before = [NOON + MINUTE - DAY, NOON + MINUTE - DAY - MINUTE]

    assert record(started(2, NOON), count=1, start_times=before).start_times == [NOON + MINUTE]
    assert record(count=1, start_times=before).start_times == before


@given(gaps=st.lists(st.integers(1, 4000), max_size=60))
def test_no_more_starts_are_remembered_than_can_count(gaps):
    """A day's worth, and at most as many as the API's bound of maxRunsPerDay."""
    seen, slot = RetrainingStatus(), NOON
    for number, minutes in enumerate(gaps, start=1):
        slot += minutes * MINUTE
        told = monitor(status=status(retraining=seen))
        seen = retraining_record(told, [started(number, slot)], spec())
        assert seen == retraining_record(
            replace(told, status=status(retraining=seen)), [started(number, slot)], spec()
        )

    assert len(seen.start_times) <= MOST_RUNS_PER_DAY
    assert sorted(seen.start_times, reverse=True) == seen.start_times


@pytest.mark.parametrize(
    ("case", "outcome", "stored", "failures"),
    [
        ("none has ended", None, {}, 0),
        ("the first has failed", last_retraining(NOON, FAILED), {}, 1),
        ("it is counted once", last_retraining(NOON, FAILED), {"failures": 1, "counted": NOON}, 1),
        ("the next one", last_retraining(NOON, FAILED), {"failures": 1, "counted": NOON - HOUR}, 2),
        ("a success ends the row", last_retraining(NOON), {"failures": 2, "counted": NOON - HOUR}, 0),
        (
            "a refusal is no failure",
            last_retraining(NOON, REFUSED),
            {"failures": 2, "counted": NOON - HOUR},
            0,
        ),
        (
            "broken data is no failure of the retraining, and no success",
            last_retraining(NOON, FAILED, reason=Reason.DATA_NOT_USABLE),
            {"failures": 2, "counted": NOON - HOUR},
            2,
        ),
        (
            "a late report of success replaces the failure that was told on its behalf",
            last_retraining(NOON, REGISTERED),
            {"failures": 2, "counted": NOON},
            0,
        ),
        (
            "an older report than the one that was counted",
            last_retraining(NOON - HOUR, FAILED),
            {"failures": 1, "counted": NOON},
            1,
        ),
    ],
)
def test_failures_in_a_row_are_counted_once_each(case, outcome, stored, failures):
    """The status is computed again and again from the same report."""
    known = {"consecutive_failures": stored.get("failures", 0), "last_outcome_time": stored.get("counted")}
    seen = record(outcome=outcome, count=1, **known)

    assert seen.consecutive_failures == failures, case
    again = record(outcome=outcome, **{name: getattr(seen, name) for name in seen.__struct_fields__})
    assert again == seen, case


STALLED = {"count": 3, "consecutive_failures": 3, "last_outcome_time": NOON}


def test_an_edit_of_the_spec_begins_a_new_row():
    """Also for a retraining that was started under the old spec, and fails after the edit."""
    old = last_retraining(NOON, FAILED)

    edited = record(outcome=old, generation=2, observed_generation=1, **STALLED)
    assert edited.consecutive_failures == 0
    late = last_retraining(NOON + HOUR, FAILED, observed_generation=1)
    assert record(outcome=late, generation=2, observed_generation=2, **STALLED).consecutive_failures == 3
    assert record(outcome=late, generation=2, observed_generation=1, **STALLED).consecutive_failures == 0
    new = last_retraining(NOON + HOUR, FAILED, observed_generation=2)
    assert record(outcome=new, generation=2, observed_generation=1, **STALLED).consecutive_failures == 1


def test_a_request_begins_a_new_row_of_which_its_own_failure_is_the_first():
    """Also where the failure of an older one arrives together with the requested Job."""
    old = last_retraining(NOON, FAILED)
    asked = started(4, NOON + HOUR, request="now")

    assert record(asked, outcome=old, **STALLED).consecutive_failures == 0
    uncounted = STALLED | {"last_outcome_time": NOON - HOUR, "consecutive_failures": 2}
    assert record(asked, outcome=old, **uncounted).consecutive_failures == 0
    failed = last_retraining(NOON + HOUR, FAILED, job_name=asked.name)
    assert record(asked, outcome=failed, **STALLED).consecutive_failures == 1
    assert record(started(4, NOON + HOUR), outcome=old, **STALLED).consecutive_failures == 3
