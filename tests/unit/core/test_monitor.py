from dataclasses import replace
from itertools import pairwise

import pytest

from selfheal_operator.api.reasons import CheckResult, Purpose, Reason
from selfheal_operator.api.v1alpha1.status import RetrainingStatus
from selfheal_operator.core.jobs import check_job, check_job_name, retrain_job
from selfheal_operator.core.monitor import POD_PATIENCE, plan_monitor
from selfheal_operator.core.observed import Observed, PodTrouble, Rejection
from selfheal_operator.core.plan import Plan
from support.builders.objects import (
    DAY,
    DEFAULTS,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    at,
    finished_job,
    job,
    last_check,
    last_retraining,
    monitor,
    observed,
    settled,
    spec,
    spec_document,
    status,
)
from support.builders.steps import events_told, job_created, job_inspected, job_recovered, status_written

RETRAIN = Purpose.RETRAIN
CHECK_AT_NOON = check_job_name("churn", NOON)
CHECK_AT_ONE = check_job_name("churn", NOON + HOUR)


def drifted(*jobs, retraining_spec=None, **fields) -> Observed:
    """Return a monitor whose check of noon has found drift, which nothing has answered yet."""
    told = {"last_check": last_check(NOON), "last_schedule_time": NOON, "next_check_time": NOON + HOUR}
    document = spec_document(retraining=retraining_spec)
    return observed(monitor(document, status(**told | fields)), finished_job(slot=NOON), *jobs)


def ordered(plan: Plan) -> str | None:
    """Return the name of the Job that the plan creates."""
    order = job_created(plan)
    return order.name if order is not None else None


# --- what comes first ---------------------------------------------------------------------------------------


def test_a_monitor_that_is_being_deleted_is_left_alone():
    """Its Jobs go by garbage collection; a status would only keep the deletion waiting."""
    assert plan_monitor(observed(monitor(deleting=True)), NOON + 10 * HOUR) == Plan()


def test_a_new_monitor_is_given_a_status_and_no_job():
    """A monitor that is made between two slots owes none of those that were before it."""
    plan = plan_monitor(observed(), at("11:30"))

    assert job_created(plan) is None
    assert status_written(plan) is not None
    assert status_written(plan)["nextCheckTime"] == "2026-11-23T12:00:00Z"
    assert plan.wake_at == NOON


def test_a_check_is_started_at_its_slot_and_not_a_second_before():
    """The slot itself is due."""
    seen = settled(observed(), at("11:30"))

    assert ordered(plan_monitor(seen, NOON - SECOND)) is None
    assert ordered(plan_monitor(seen, NOON)) == CHECK_AT_NOON


def test_the_job_is_created_before_the_status_says_so():
    """One step at a time: the status never says more than the API server has confirmed."""
    plan = plan_monitor(settled(observed(), at("11:30")), NOON)

    assert status_written(plan) is None
    assert events_told(plan) == ()


def test_the_job_is_the_one_of_the_builder():
    """The plan adds nothing to the manifest."""
    plan = plan_monitor(settled(observed(), at("11:30")), NOON)

    order = job_created(plan)
    assert order is not None
    assert order.manifest == check_job(monitor(), spec(), NOON, DEFAULTS)


def test_a_slot_that_comes_due_while_a_check_runs_waits_for_it():
    """Two checks of one monitor never run at the same time."""
    seen = settled(observed(monitor(), job(slot=NOON)), NOON)

    reported = seen.monitor.status.replaced(last_check=last_check(NOON, CheckResult.NO_DRIFT))
    ended = observed(replace(seen.monitor, status=reported), finished_job(slot=NOON))

    assert ordered(plan_monitor(seen, NOON + HOUR)) is None
    assert ordered(plan_monitor(ended, NOON + HOUR)) == CHECK_AT_ONE


def test_an_adopted_job_tells_of_its_slot_before_the_status_does():
    """After a crash between the Job and the status, the Job is the record."""
    seen = observed(settled(observed(), at("11:30")).monitor, job(slot=NOON))

    plan = plan_monitor(seen, NOON + MINUTE)

    assert job_created(plan) is None
    assert status_written(plan) is not None
    assert status_written(plan)["lastScheduleTime"] == "2026-11-23T12:00:00Z"
    assert status_written(plan)["nextCheckTime"] == "2026-11-23T13:00:00Z"
    assert status_written(plan)["missedChecks"] == 0


def test_suspended_and_invalid_monitors_start_nothing_and_never_wake():
    """Only an edit changes that, and an edit is an event."""
    for document in (spec_document(suspend=True), spec_document(schedule="61 * * * *")):
        plan = plan_monitor(observed(monitor(document, created=at("09:30"))), NOON)

        assert job_created(plan) is None
        assert plan.wake_at is None
        assert status_written(plan) is not None
        assert "nextCheckTime" not in status_written(plan)


# --- reports that never reached the status ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "told", "jobs", "recovered"),
    [
        ("running", {}, [job()], None),
        ("ended, nothing reported ever", {}, [finished_job()], CHECK_AT_NOON),
        ("ended, and reported", {"last_check": last_check(NOON)}, [finished_job()], None),
        (
            "failed after it had reported",
            {"last_check": last_check(NOON)},
            [finished_job(failure="BackoffLimitExceeded")],
            None,
        ),
        (
            "an older check reported",
            {"last_check": last_check(NOON - HOUR)},
            [finished_job()],
            CHECK_AT_NOON,
        ),
        (
            "only the newest counts",
            {},
            [finished_job(slot=NOON - HOUR), finished_job()],
            CHECK_AT_NOON,
        ),
        (
            "a newer check reported",
            {"last_check": last_check(NOON + HOUR)},
            [finished_job(), job(slot=NOON + HOUR)],
            None,
        ),
        (
            "what is newer is a report of no Job",
            {"last_check": last_check(NOON + HOUR)},
            [finished_job()],
            CHECK_AT_NOON,
        ),
        (
            "a retraining ended",
            {"retraining": {"count": 1, "last_trigger_time": NOON}},
            [finished_job(RETRAIN)],
            "churn-retrain-1",
        ),
        (
            "a retraining ended, and reported",
            {"last_retraining": last_retraining(NOON)},
            [finished_job(RETRAIN)],
            None,
        ),
    ],
)
def test_a_report_is_recovered(case, told, jobs, recovered):
    """The report of the newest Job that has ended is looked for if the status has none of its slot."""
    plan = plan_monitor(observed(monitor(status=status(**told)), *jobs), NOON + MINUTE)

    found = job_recovered(plan)
    assert (found.name if found is not None else None) == recovered, case


# --- retraining ---------------------------------------------------------------------------------------------


def test_drift_starts_the_first_retraining_with_the_slot_of_its_check():
    """The slot in the Job is what it answers, whatever becomes of the status."""
    plan = plan_monitor(drifted(), NOON + MINUTE)

    order = job_created(plan)
    assert order is not None
    assert order.manifest == retrain_job(monitor(), spec(), 1, NOON, DEFAULTS, triggers=["DataDrift"])


def test_a_retraining_goes_before_a_check_that_is_due_too():
    """It answers the older slot."""
    assert ordered(plan_monitor(drifted(), NOON + HOUR)) == "churn-retrain-1"


def test_a_started_retraining_is_remembered_by_its_job():
    """The count, the start and the slot that is answered: all are read from the Job."""
    plan = plan_monitor(drifted(job(RETRAIN, created=NOON + 2 * MINUTE)), NOON + 3 * MINUTE)

    assert job_created(plan) is None
    assert status_written(plan) is not None
    assert status_written(plan)["retraining"] == {
        "count": 1,
        "lastStartTime": "2026-11-23T12:02:00Z",
        "lastTriggerTime": "2026-11-23T12:00:00Z",
        "cooldownUntilTime": "2026-11-23T13:02:00Z",
        "startTimes": ["2026-11-23T12:02:00Z"],
        "consecutiveFailures": 0,
    }


def test_the_same_drift_is_answered_once():
    """After the retraining has ended, its Job gone, the verdict that led to it leads to none again."""
    answered = drifted(
        retraining=RetrainingStatus(count=1, last_trigger_time=NOON, last_start_time=NOON),
        last_retraining=last_retraining(NOON),
    )

    assert job_created(plan_monitor(answered, NOON + 59 * MINUTE)) is None


def test_a_retraining_that_the_status_does_not_know_is_not_ordered_again():
    """An operator that was away since it created retrain-1 meets newer drift: the next one is retrain-2.

    Else it would find the name taken, adopt what has long ended, and ask for it again for ever.
    """
    told = {"last_check": last_check(NOON), "last_retraining": last_retraining(NOON - HOUR)}
    seen = observed(
        monitor(spec_document(retraining={"cooldownSeconds": 0}), status=status(**told)),
        finished_job(slot=NOON),
        finished_job(RETRAIN, slot=NOON - HOUR, number=1),
    )

    assert ordered(plan_monitor(seen, NOON + MINUTE)) == "churn-retrain-2"


def test_a_job_with_a_larger_number_than_the_count_moves_the_count():
    """The status was restored from an older backup: the Jobs are right."""
    earlier = NOON - HOUR
    seen = drifted(finished_job(RETRAIN, earlier, number=7), last_retraining=last_retraining(earlier))

    assert ordered(plan_monitor(seen, NOON)) == "churn-retrain-8"


def test_a_job_with_a_larger_number_and_an_older_slot_answers_nothing_anew():
    """The number is taken; but the newest drift stays answered."""
    seen = drifted(
        finished_job(RETRAIN, NOON - HOUR, number=7),
        retraining=RetrainingStatus(count=3, last_trigger_time=NOON, last_start_time=NOON - DAY),
        last_retraining=last_retraining(NOON),
    )

    plan = plan_monitor(seen, NOON + 30 * MINUTE)

    assert job_created(plan) is None
    assert status_written(plan) is not None
    assert status_written(plan)["retraining"]["count"] == 7
    assert status_written(plan)["retraining"]["lastTriggerTime"] == "2026-11-23T12:00:00Z"


def test_the_monitor_wakes_up_when_the_cooldown_ends():
    """The end of the cooldown is an event that nobody sends."""
    started = NOON - 30 * MINUTE
    memory = RetrainingStatus(count=1, last_trigger_time=at("11:00"), last_start_time=started)
    seen = settled(drifted(retraining=memory), NOON + MINUTE)

    assert plan_monitor(seen, NOON + MINUTE).wake_at == started + HOUR
    assert ordered(plan_monitor(seen, started + HOUR - SECOND)) is None
    assert ordered(plan_monitor(seen, started + HOUR)) == "churn-retrain-2"


# --- Jobs that the API server refuses -----------------------------------------------------------------------


def refused(name: str, when=NOON, attempts: int = 1, generation: int = 1) -> Rejection:
    """Return the API server's refusal of a Job."""
    return Rejection(
        job_name=name,
        generation=generation,
        reason=Reason.JOB_REJECTED,
        message="exceeded quota",
        time=when,
        attempts=attempts,
    )


def test_a_refused_job_is_asked_for_again_after_a_pause():
    """The pause is in the plan, and so is the reason in the condition."""
    seen = settled(observed(), at("11:30"))
    seen = replace(seen, rejection=refused(CHECK_AT_NOON))

    waiting = plan_monitor(seen, NOON + 4 * SECOND)

    assert job_created(waiting) is None
    assert waiting.wake_at == NOON + 5 * SECOND
    assert ordered(plan_monitor(seen, NOON + 5 * SECOND)) == CHECK_AT_NOON


def test_an_edited_spec_is_tried_at_once():
    """Whoever has just raised a limit wants to see that it helped."""
    seen = settled(observed(), at("11:30"))
    seen = replace(
        seen,
        monitor=replace(seen.monitor, generation=2),
        rejection=refused(CHECK_AT_NOON, attempts=9),
    )

    assert ordered(plan_monitor(seen, NOON + SECOND)) == CHECK_AT_NOON


def test_when_both_are_refused_neither_is_asked_for_without_a_pause():
    """A refused check after a refused retraining: the pause counts for both."""
    seen = replace(drifted(), rejection=refused(CHECK_AT_ONE, when=NOON + HOUR, attempts=2))

    assert job_created(plan_monitor(seen, NOON + HOUR + 9 * SECOND)) is None
    assert ordered(plan_monitor(seen, NOON + HOUR + 10 * SECOND)) == "churn-retrain-1"


def ready_reason(seen: Observed, now) -> str:
    """Return the reason of the Ready condition that is planned, or else stored."""
    plan = plan_monitor(seen, now)
    told = status_written(plan) or seen.monitor.status.to_wire()
    reason: str = next(c["reason"] for c in told["conditions"] if c["type"] == "Ready")
    return reason


@pytest.mark.parametrize(
    ("case", "refusal", "jobs", "reason"),
    [
        ("still refused", refused(CHECK_AT_NOON), [], Reason.JOB_REJECTED),
        ("another operator created it", refused(CHECK_AT_NOON), [job()], Reason.MONITOR_ACTIVE),
        ("a later check runs", refused("churn-check-1"), [job()], Reason.MONITOR_ACTIVE),
    ],
)
def test_a_refusal_is_told_while_the_job_is_wanted(case, refusal, jobs, reason):
    """Only one of two operators may have met it: they must not contradict each other for ever."""
    seen = replace(settled(observed(), at("11:30")), rejection=refusal, jobs=tuple(jobs))

    assert ready_reason(seen, NOON + SECOND) == reason, case


def test_a_refusal_of_an_edited_spec_is_no_longer_told():
    """The user has mended what was wrong; the next check is still to come."""
    told = settled(observed(), at("11:30"))
    edited = replace(told.monitor, generation=2, spec=spec_document(schedule="0 0 * * *"))
    seen = replace(told, monitor=edited, rejection=refused(CHECK_AT_NOON, generation=1))

    assert ready_reason(seen, NOON + SECOND) == Reason.MONITOR_ACTIVE


# --- pods that do not start ---------------------------------------------------------------------------------


def waiting_job(purpose: Purpose = Purpose.CHECK):
    """Return a Job whose pod does not start."""
    return job(purpose, has_ready_pod=False)


def test_a_pod_is_asked_what_it_waits_for_when_it_has_had_its_time():
    """Not a second before: most pods start within seconds."""
    seen = settled(observed(monitor(), waiting_job()))

    assert job_inspected(plan_monitor(seen, NOON + POD_PATIENCE - SECOND)) is None
    assert job_inspected(plan_monitor(seen, NOON + POD_PATIENCE)) == waiting_job()


def test_a_pod_is_asked_again_after_as_long():
    """Between two questions the status is written."""
    asked = PodTrouble(job_uid=waiting_job().uid, message="", time=NOON + MINUTE)
    seen = replace(settled(observed(monitor(), waiting_job())), pod_trouble=asked)

    assert job_inspected(plan_monitor(seen, asked.time + POD_PATIENCE - SECOND)) is None
    assert job_inspected(plan_monitor(seen, asked.time + POD_PATIENCE)) is not None


def test_a_started_pod_is_not_asked():
    """Nor one whose Job has ended."""
    told = status(last_check=last_check(NOON))

    assert job_inspected(plan_monitor(observed(monitor(status=told), job()), NOON + HOUR)) is None
    assert job_inspected(plan_monitor(observed(monitor(status=told), finished_job()), NOON + HOUR)) is None


# --- no step without a change -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        ("new", observed(monitor(created=NOON))),
        ("a check runs", observed(monitor(), job())),
        ("drift, held back", drifted(retraining_spec={"mode": "Disabled"})),
        ("a retraining runs", drifted(job(RETRAIN))),
        ("invalid", observed(monitor(spec_document(timeZone="Mars/Olympus")))),
        ("suspended", observed(monitor(spec_document(suspend=True)))),
        ("missed", observed(monitor(created=at("02:30")), job(slot=NOON))),
    ],
)
def test_a_stored_status_is_not_written_again(case, seen):
    """Planning again what has been carried out plans nothing: neither a write nor an Event."""
    first = plan_monitor(seen, NOON + MINUTE)
    assert status_written(first) is not None, case

    again = plan_monitor(settled(seen, NOON + MINUTE), NOON + MINUTE)

    assert again == Plan(wake_at=first.wake_at), case


@pytest.mark.parametrize(("takes", "statuses"), [(4 * SECOND, 1), (MINUTE, 2)])
def test_an_ordinary_check_is_told_by_one_status_or_two(takes, statuses):
    """One tells of its start and its verdict, if they are within seconds: the API server is not a log."""
    seen, writes = settled(observed(), at("11:30")), 0
    for slot, following in pairwise([NOON + n * HOUR for n in range(4)]):
        for now, jobs, check in (
            (slot, (job(slot=slot),), seen.monitor.status.last_check),
            (slot + takes - SECOND, (job(slot=slot),), seen.monitor.status.last_check),
            (slot + takes, (finished_job(slot=slot),), last_check(slot, CheckResult.NO_DRIFT)),
            (following - SECOND, (finished_job(slot=slot),), last_check(slot, CheckResult.NO_DRIFT)),
        ):
            told = seen.monitor.status.replaced(last_check=check)
            seen = replace(seen, monitor=replace(seen.monitor, status=told), jobs=jobs)
            writes += status_written(plan_monitor(seen, now)) is not None
            seen = settled(seen, now)

    assert writes == 3 * statuses


def test_two_pods_that_do_not_start_do_not_keep_the_operator_asking():
    """A full cluster: the check and the retraining both wait. One question, then the status."""
    seen = observed(monitor(status=status()), waiting_job(), waiting_job(RETRAIN))

    first = plan_monitor(seen, NOON + HOUR)
    asked = job_inspected(first)
    assert asked is not None
    answer = PodTrouble(job_uid=asked.uid, message="Unschedulable", time=NOON + HOUR)
    second = plan_monitor(replace(seen, pod_trouble=answer), NOON + HOUR)

    assert job_inspected(second) is None
    assert status_written(second) is not None


def test_two_operators_ask_about_the_same_pod():
    """Else each would tell of another Job in the same condition, and undo what the other wrote."""
    check, retraining = waiting_job(), replace(waiting_job(RETRAIN), created=NOON + MINUTE)
    seen = observed(monitor(status=status()), retraining, check)
    earlier = PodTrouble(job_uid=retraining.uid, message="Unschedulable", time=NOON + HOUR)

    for known in (seen, replace(seen, pod_trouble=earlier)):
        assert job_inspected(plan_monitor(known, NOON + HOUR)) == check


def test_a_refused_retraining_does_not_keep_checks_from_running():
    """A retraining may need more memory than the quota gives; checks have to go on."""
    seen = replace(drifted(), rejection=refused("churn-retrain-1", when=NOON + HOUR))

    assert ordered(plan_monitor(seen, NOON + HOUR)) == CHECK_AT_ONE


def test_conditions_of_other_owners_are_not_ours_to_write():
    """Conditions is a map list: another controller's entry there is no difference to undo."""
    seen = settled(observed(), at("11:30"))
    foreign = seen.monitor.status.conditions[0].replaced(type="Approved")
    told = seen.monitor.status.replaced(conditions=[foreign, *seen.monitor.status.conditions])
    seen = replace(seen, monitor=replace(seen.monitor, status=told))

    assert status_written(plan_monitor(seen, at("11:31"))) is None
