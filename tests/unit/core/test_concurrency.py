from dataclasses import replace

import pytest

from selfheal_operator.api.reasons import CheckResult, Purpose, Reason
from selfheal_operator.api.v1alpha1.status import ActiveJob
from selfheal_operator.core.jobs import check_job_name
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Job, Observed
from selfheal_operator.core.situation import QUEUE_PATIENCE, assess
from selfheal_operator.core.status import operator_status
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
    spec_document,
    status,
)
from support.builders.steps import (
    events_told,
    job_created,
    job_inspected,
    job_recovered,
    job_replaced,
    status_written,
)

ONE = NOON + HOUR
RUNNING = job(slot=NOON)
STOPPED = replace(RUNNING, replaced=True)


def overtaken(*jobs: Job, policy: str = "Replace", **fields) -> Observed:
    """Return a monitor whose check of noon still runs at one o'clock."""
    told = {"last_schedule_time": NOON, "next_check_time": ONE} | fields
    return observed(monitor(spec_document(concurrencyPolicy=policy), status(**told)), *(jobs or (RUNNING,)))


def test_replace_stops_the_running_check_and_then_starts_the_next():
    """One after the other: a crash between them leaves a slot that is due."""
    seen = overtaken()
    plan = plan_monitor(seen, ONE)
    assert (job_replaced(plan), job_created(plan)) == (RUNNING, None)
    assert [event.reason for event in events_told(plan)] == [Reason.CHECK_REPLACED]

    following = plan_monitor(replace(seen, jobs=(STOPPED,)), ONE)

    order = job_created(following)
    assert order is not None
    assert order.name == check_job_name("churn", ONE)


def test_a_check_that_was_stopped_is_no_failure():
    """Nobody waits for its report, and no pod of it is asked why it does not start."""
    ended = replace(STOPPED, finished=True, failure="Job was active longer than specified deadline")
    for stopped in (STOPPED, replace(STOPPED, has_ready_pod=False), ended):
        seen = overtaken(stopped, job(slot=ONE))

        plan = plan_monitor(seen, ONE + MINUTE)

        assert (job_recovered(plan), job_inspected(plan), job_replaced(plan)) == (None, None, None)
        assert status_written(plan) is not None
        assert [active["name"] for active in status_written(plan)["active"]] == [check_job_name("churn", ONE)]


def test_a_check_is_not_replaced_before_the_status_knows_it():
    """Without its Job and without the status, nobody would know that its slot was started."""
    plan = plan_monitor(overtaken(last_schedule_time=NOON - HOUR, next_check_time=NOON), ONE)

    assert (job_replaced(plan), job_created(plan)) == (None, None)
    assert status_written(plan) is not None
    assert status_written(plan)["lastScheduleTime"] == "2026-11-23T12:00:00Z"


def test_a_replaced_check_is_not_counted_as_missed():
    """It was started."""
    plan = plan_monitor(overtaken(job(slot=ONE)), ONE + MINUTE)

    assert status_written(plan) is not None
    assert status_written(plan)["missedChecks"] == 0


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        ("Forbid", overtaken(policy="Forbid")),
        ("somebody asked for it", overtaken(job(slot=NOON + MINUTE, request="a"))),
        ("it is being deleted already", overtaken(job(slot=NOON, deleting=True))),
    ],
)
def test_a_running_check_is_left_to_finish(case, seen):
    """And the slot that is due waits for it."""
    plan = plan_monitor(seen, ONE)

    assert (job_replaced(plan), job_created(plan)) == (None, None), case


def test_a_check_for_which_there_is_no_room_is_not_ordered():
    """Its slot stays due."""
    quiet = last_check(NOON, CheckResult.NO_DRIFT)
    seen = replace(overtaken(finished_job(), last_check=quiet), held=frozenset({Purpose.CHECK}))

    assert job_created(plan_monitor(seen, ONE)) is None
    assert job_created(plan_monitor(replace(seen, held=frozenset()), ONE)) is not None


def test_a_retraining_for_which_there_is_no_room_says_so_and_keeps_no_check_waiting():
    """The condition names the cause."""
    told = status(last_check=last_check(NOON), last_schedule_time=NOON, next_check_time=ONE)
    held = observed(monitor(status=told), finished_job(), held=frozenset({Purpose.RETRAIN}))

    plan = plan_monitor(held, NOON + MINUTE)
    assert job_created(plan) is None
    assert status_written(plan) is not None
    condition = next(c for c in status_written(plan)["conditions"] if c["type"] == "Retraining")
    assert condition["reason"] == Reason.WAITING_FOR_CAPACITY

    order = job_created(plan_monitor(held, ONE))
    assert order is not None
    assert order.purpose is Purpose.CHECK


# --- Jobs that only the status speaks of --------------------------------------------------------------------


def test_a_check_that_only_the_status_knows_is_looked_up_before_the_next_starts():
    """Another operator started it; the watch of Jobs is behind that of monitors."""
    unknown = ActiveJob(name="churn-check-1", uid="uid", purpose=Purpose.CHECK)
    told = status(active=[unknown], last_schedule_time=NOON, next_check_time=ONE)

    order = job_created(plan_monitor(observed(monitor(status=told)), ONE))

    assert order is not None
    assert order.unseen == ("churn-check-1", check_job_name("churn", NOON))


@pytest.mark.parametrize("jobs", [(finished_job(),), ()])
def test_nothing_is_looked_up_when_all_is_known(jobs):
    """The ordinary start costs one request."""
    told = status(
        last_schedule_time=NOON, next_check_time=ONE, last_check=last_check(NOON, CheckResult.NO_DRIFT)
    )

    order = job_created(plan_monitor(observed(monitor(status=told), *jobs), ONE))

    assert order is not None
    assert order.unseen == ()


def test_the_retraining_before_is_looked_up_if_it_is_not_known_to_have_ended():
    """Two at once would train on the same data, and the later one would win for no reason."""
    told = status(
        last_check=last_check(NOON),
        last_schedule_time=NOON,
        next_check_time=ONE,
        retraining={"count": 1, "last_trigger_time": NOON - HOUR, "last_start_time": NOON - 2 * HOUR},
    )
    seen = observed(monitor(spec_document(retraining={"cooldownSeconds": 0}), told), finished_job())

    order = job_created(plan_monitor(seen, NOON + MINUTE))

    assert order is not None
    assert (order.name, order.unseen) == ("churn-retrain-2", ("churn-retrain-1",))


def test_a_job_whose_creation_was_not_answered_is_looked_up_before_the_next_starts():
    """It may run: the request was carried out, and only the answer was lost."""
    told = status(last_schedule_time=NOON - HOUR, next_check_time=NOON, last_check=last_check(NOON - HOUR))
    manual = spec_document(retraining={"mode": "Manual"})
    lost = check_job_name("churn", NOON)
    seen = observed(monitor(manual, told), finished_job(slot=NOON - HOUR), unanswered=(lost,))

    order = job_created(plan_monitor(seen, ONE))

    assert order is not None
    assert (order.name, order.unseen) == (check_job_name("churn", ONE), (lost,))


def test_a_check_that_the_limit_holds_back_is_told_after_a_while():
    """A wait of moments would cost two more writes for each check."""
    quiet = last_check(NOON, CheckResult.NO_DRIFT)
    seen = replace(overtaken(finished_job(), last_check=quiet), held=frozenset({Purpose.CHECK}))
    told = ONE + QUEUE_PATIENCE

    assert reason_of_ready(seen, told - SECOND) == "MonitorActive"
    assert plan_monitor(settled(seen, told - SECOND), told - SECOND).wake_at == told
    assert reason_of_ready(seen, told) == "WaitingForCapacity"
    assert reason_of_ready(replace(seen, held=frozenset()), told) == "MonitorActive"


def reason_of_ready(seen: Observed, now) -> str:
    """Return the reason of the condition Ready, which is True."""
    ready = next(
        c for c in operator_status(assess(seen, now)).to_wire()["conditions"] if c["type"] == "Ready"
    )
    assert ready["status"] == "True"
    return str(ready["reason"])
