from dataclasses import replace

from selfheal_operator.api.reasons import CheckResult
from selfheal_operator.core.monitor import STATUS_PATIENCE, plan_monitor
from selfheal_operator.core.observed import Observed
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    finished_job,
    job,
    last_check,
    monitor,
    observed,
    settled,
    status,
)
from support.builders.steps import status_written

ONE = NOON + HOUR


def just_started() -> Observed:
    """Return a monitor whose check of one o'clock has just been started."""
    told = status(
        last_check=last_check(NOON, CheckResult.NO_DRIFT), last_schedule_time=NOON, next_check_time=ONE
    )
    quiet = settled(observed(monitor(status=told), finished_job()), NOON + MINUTE)
    return replace(quiet, jobs=(finished_job(), job(slot=ONE)))


def test_a_start_is_told_after_five_seconds():
    """Until then its Job is the record, and the operator has other Jobs to start."""
    early = plan_monitor(just_started(), ONE + STATUS_PATIENCE - SECOND)
    assert (status_written(early), early.wake_at) == (None, ONE + STATUS_PATIENCE)

    assert status_written(plan_monitor(just_started(), ONE + STATUS_PATIENCE)) is not None


def test_a_verdict_is_told_at_once():
    """Somebody waits to read it."""
    seen = just_started()
    verdict = seen.monitor.status.replaced(last_check=last_check(ONE, CheckResult.NO_DRIFT))

    plan = plan_monitor(replace(seen, monitor=replace(seen.monitor, status=verdict)), ONE + SECOND)

    assert status_written(plan) is not None


def test_an_edited_spec_is_acknowledged_at_once():
    """Argo CD waits for observedGeneration."""
    seen = just_started()

    plan = plan_monitor(replace(seen, monitor=replace(seen.monitor, generation=2)), ONE + SECOND)

    assert status_written(plan) is not None


def test_a_job_that_is_gone_is_told_at_once():
    """No verdict will come that the same write could tell of."""
    seen = just_started()
    stored = seen.monitor.status.replaced(last_schedule_time=NOON - HOUR)

    plan = plan_monitor(
        replace(seen, monitor=replace(seen.monitor, status=stored), jobs=(finished_job(),)), NOON + MINUTE
    )

    assert status_written(plan) is not None
