from datetime import UTC, datetime, timedelta

import pytest

from selfheal_bench.audit import Call
from selfheal_bench.measured_operator import USER
from selfheal_bench.scale.round import Round, slot_in_minute
from selfheal_operator.core.schedule import IntervalSchedule

BEGIN = datetime(2026, 11, 24, 23, 0, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIRST = IntervalSchedule(seconds=300, offset=1)
"""Its slot is the round's first second, and the next one the first second after the round."""


def created(ended: datetime, *, name: str | None = None, user: str = USER, code: int = 201) -> Call:
    """The creation of the check that is due at the round's first second, unless another is named."""
    name = name or f"churn-check-{int(BEGIN.timestamp()) // 60}"
    return Call(user=user, verb="create", resource="jobs", namespace="a", name=name, code=code, ended=ended)


def a_round() -> Round:
    """A round of one monitor."""
    return Round(begin=BEGIN, schedules={"a/churn": FIRST})


def test_the_lag_is_from_the_slot_to_the_answer():
    """The Job's name holds the minute only; the slot's second comes from the monitor's schedule."""
    seen = a_round()

    seen.add([created(BEGIN + timedelta(milliseconds=250))])

    assert seen.lags(60.0).seconds == (0.25,)


def test_a_late_job_counts_for_its_slot_but_not_as_work_of_the_round():
    """A Job of the round that comes after its end has a lag; its request belongs to the time it was made."""
    seen = a_round()

    seen.add([created(BEGIN + timedelta(seconds=301))])

    assert seen.lags(600.0).seconds == (301.0,)
    assert (seen.checks, seen.writes) == (0, {})


def test_a_slot_after_the_round_is_not_of_it():
    """The round ends before the same monitor's next slot."""
    seen = a_round()
    name = f"churn-check-{int(seen.end.timestamp()) // 60}"

    seen.add([created(seen.end, name=name)])

    assert seen.lags(60.0).missed == 1


def test_only_the_operators_own_requests_count():
    """What others do, and what the API server refused, is no check that was started."""
    seen = a_round()

    seen.add([created(BEGIN, user="somebody"), created(BEGIN, code=409)])

    assert seen.lags(60.0).missed == 1
    assert seen.checks == 0
    assert seen.writes == {"create jobs": 1}


def test_jobs_of_strangers_and_retrainings_have_no_lag():
    """A name that is not a check's of a known monitor is passed over, whatever it looks like."""
    seen = a_round()

    seen.add([created(BEGIN, name="churn-retrain-1"), created(BEGIN, name="other-check-29000000")])

    assert seen.lags(60.0).missed == 1


@pytest.mark.parametrize(("offset", "second"), [(0, 0), (59, 59), (60, None)])
def test_the_slot_is_the_one_within_the_minute(offset, second):
    """The first and the last second belong to the minute, the next one does not."""
    minute = int(BEGIN.timestamp()) // 300 * 5

    slot = slot_in_minute(IntervalSchedule(seconds=300, offset=offset), minute)

    assert (slot and slot.second) == second
