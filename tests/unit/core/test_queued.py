"""A Job that a queue such as Kueue's holds: it is suspended, and has no pods."""

from dataclasses import replace

import pytest

from selfheal_operator.api.reasons import CheckResult, Purpose, Reason
from selfheal_operator.controller.store import Store
from selfheal_operator.core.history import LOCK_KEPT, surplus_jobs
from selfheal_operator.core.monitor import POD_PATIENCE, plan_monitor
from selfheal_operator.core.observed import Job, Observed, PodTrouble
from selfheal_operator.core.situation import QUEUE_PATIENCE, assess
from selfheal_operator.core.status import operator_status
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    job,
    last_check,
    monitor,
    monitor_body,
    observed,
    settled,
    spec,
    spec_document,
    status,
)
from support.builders.steps import (
    events_told,
    job_created,
    job_inspected,
    job_replaced,
    slots_missed,
    status_written,
)

RETRAIN = Purpose.RETRAIN
ONE = NOON + HOUR


def queued_job(purpose: Purpose = Purpose.CHECK, **fields) -> Job:
    """Return a Job that its queue has held since noon."""
    return job(purpose, has_ready_pod=False, queued=True, **fields)


def seeing(*jobs: Job, **fields) -> Observed:
    """Return a monitor whose newest check but one found nothing, and these Jobs."""
    told = status(
        last_schedule_time=NOON, next_check_time=ONE, last_check=last_check(NOON - HOUR, CheckResult.NO_DRIFT)
    )
    return observed(monitor(spec_document(**fields), told), *jobs)


def condition(seen: Observed, kind: str, now) -> tuple[str, str]:
    """Return status and reason of a condition."""
    found = next(each for each in operator_status(assess(seen, now)).conditions if each.type == kind)
    return found.status, found.reason


@pytest.mark.parametrize(
    ("kind", "purpose", "before"),
    [
        ("Ready", Purpose.CHECK, Reason.MONITOR_ACTIVE),
        ("Retraining", Purpose.RETRAIN, Reason.DRIFT_TRIGGERED),
    ],
)
def test_a_job_that_stays_in_its_queue_says_so(kind, purpose, before):
    """As declared, so neither condition changes its status; one that is admitted at once is not told of."""
    seen = seeing(queued_job(purpose))

    assert condition(seen, kind, NOON + QUEUE_PATIENCE - SECOND) == ("True", before)
    assert condition(seen, kind, NOON + QUEUE_PATIENCE) == ("True", Reason.QUEUED)
    assert condition(replace(seen, jobs=(job(purpose),)), kind, NOON + QUEUE_PATIENCE) == ("True", before)


def test_the_operator_wakes_to_say_that_a_job_is_queued():
    """Nothing happens at a queue that is full."""
    seen = settled(seeing(queued_job()), NOON + SECOND)

    plan = plan_monitor(seen, NOON + 2 * SECOND)
    assert plan.wake_at == NOON + QUEUE_PATIENCE
    assert status_written(plan_monitor(seen, NOON + QUEUE_PATIENCE)) is not None


def test_nobody_asks_for_the_pods_of_a_queued_job():
    """It has none, and that is no trouble."""
    assert job_inspected(plan_monitor(seeing(queued_job()), NOON + 30 * MINUTE)) is None


def test_a_job_that_left_its_queue_has_its_time_to_start():
    """Its patience begins with the Job's startTime; what its pods said before it was suspended is past."""
    left = job(has_ready_pod=False, started=NOON + 40 * MINUTE)
    before = PodTrouble(job_uid=left.uid, message="Unschedulable", time=NOON + MINUTE)
    seen = replace(seeing(left), pod_trouble=before)

    assert job_inspected(plan_monitor(seen, NOON + 40 * MINUTE + POD_PATIENCE - SECOND)) is None
    assert job_inspected(plan_monitor(seen, NOON + 40 * MINUTE + POD_PATIENCE)) == left
    assert condition(seen, "Ready", NOON + 41 * MINUTE) == ("True", Reason.MONITOR_ACTIVE)


def test_a_trouble_is_forgotten_when_its_job_is_suspended_again():
    """Kueue has preempted it."""
    trouble = PodTrouble(job_uid=queued_job().uid, message="Unschedulable", time=NOON + MINUTE)
    seen = replace(seeing(queued_job()), pod_trouble=trouble)

    assert condition(seen, "Ready", NOON + 2 * MINUTE) == ("True", Reason.QUEUED)


def test_the_time_in_a_queue_is_no_lateness():
    """The Job is there: its slot was started in time, whatever startingDeadlineSeconds says."""
    seen = settled(seeing(queued_job(), startingDeadlineSeconds=30), NOON + MINUTE)

    plan = plan_monitor(seen, NOON + 59 * MINUTE)
    assert status_written(plan) is None
    assert slots_missed(plan) == {}


def test_forbid_waits_for_a_queued_check():
    """It has been started, and will run."""
    assert job_created(plan_monitor(seeing(queued_job()), ONE)) is None


def test_replace_takes_a_queued_check_out_of_its_queue():
    """It is marked, so that it ends at once should it be admitted; the next one is created beside it."""
    seen = seeing(queued_job(), concurrencyPolicy="Replace")
    assert job_replaced(plan_monitor(seen, ONE)) == queued_job()
    (event,) = events_told(plan_monitor(seen, ONE))
    assert event.message.startswith(f"Job {queued_job().name} had not ended when"), "it has not run"

    withdrawn = replace(seen, jobs=(queued_job(replaced=True),))
    assert job_created(plan_monitor(withdrawn, ONE)) is not None


def test_a_replaced_check_is_deleted_from_its_queue_once_its_name_locks_nothing():
    """It has no pods that could end, and would wait for its admission for ever."""
    withdrawn, known = queued_job(replaced=True), seeing().monitor

    assert surplus_jobs(known, spec(), [withdrawn], NOON + LOCK_KEPT - SECOND) == []
    assert surplus_jobs(known, spec(), [withdrawn], NOON + LOCK_KEPT) == [withdrawn]
    assert surplus_jobs(known, spec(), [queued_job()], NOON + HOUR) == []
    assert surplus_jobs(monitor(status=status()), spec(), [withdrawn], NOON + HOUR) == [], "not on record"


def test_a_queued_job_takes_no_place_of_the_operators_limits():
    """It uses nothing; how many its queue admits is the queue's quota."""
    store = Store()
    store.put_monitor(monitor_body())
    store.put_job(queued_job(), "1")
    assert store.active(Purpose.CHECK).by_namespace == {}

    store.put_job(job(), "2")
    assert store.active(Purpose.CHECK).by_namespace == {"team-a": 1}

    store.put_job(queued_job(), "3")
    assert store.active(Purpose.CHECK).by_namespace == {}
