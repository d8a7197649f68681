from dataclasses import replace

import pytest

from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.slots import MissedReason
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    job,
    monitor,
    observed,
    settled,
    spec_document,
    status,
)
from support.builders.steps import slots_missed, status_written

SUPERSEDED, EXCEEDED = MissedReason


def missed(now, *jobs, **spec):
    """Return why slots were missed from eleven o'clock on, by the status that is written at `now`."""
    owing = monitor(spec_document(**spec), status(next_check_time=NOON - HOUR))
    plan = plan_monitor(observed(replace(owing, created=NOON - 2 * HOUR), *jobs), now)
    assert status_written(plan) is not None
    assert sum(slots_missed(plan).values()) == status_written(plan)["missedChecks"]
    return {reason: count for reason, count in slots_missed(plan).items() if count}


def test_slots_before_the_one_that_is_started_were_superseded():
    """An operator that was away from eleven to one catches up the newest one of three."""
    started = job(slot=NOON + HOUR, created=NOON + HOUR)
    assert missed(NOON + HOUR + MINUTE, started) == {SUPERSEDED: 2}


@pytest.mark.parametrize("late", [SECOND, 58 * MINUTE])
def test_slots_whose_deadline_has_run_out_were_too_late(late):
    """All of them: none is started any more."""
    assert missed(NOON + MINUTE + late, startingDeadlineSeconds=60) == {EXCEEDED: 2}


def test_a_slot_that_is_within_its_deadline_is_not_missed_yet():
    """The one before it is: its deadline is over, and nobody has started it."""
    assert missed(NOON + MINUTE, job(slot=NOON, created=NOON), startingDeadlineSeconds=60) == {SUPERSEDED: 1}


def test_a_status_is_written_once_and_so_are_its_missed_slots():
    """The next look has none to tell."""
    owing = monitor(status=status(next_check_time=NOON - HOUR))
    started = job(slot=NOON, created=NOON)
    seen = settled(observed(replace(owing, created=NOON - 2 * HOUR), started), NOON + MINUTE)
    assert not any(slots_missed(plan_monitor(seen, NOON + MINUTE)).values())
