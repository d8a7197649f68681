"""A status that anybody has forged harms its own monitor, and only until the operator has looked at it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.v1alpha1.status import ActiveJob, PromotionStatus, RetrainingStatus
from selfheal_operator.core.credibility import believed
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import monitor_from
from selfheal_operator.core.plan import CreateJob, WriteStatus
from selfheal_operator.core.recovery import recover_report
from selfheal_operator.metrics.monitors import facts_of
from support.builders.forged_statuses import forged_statuses
from support.builders.objects import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    finished_job,
    job,
    last_check,
    last_promotion,
    last_retraining,
    monitor,
    monitor_body,
    observed,
    settled,
    spec_document,
    status,
)
from support.builders.steps import job_created, job_recovered, status_written

RETRAIN = Purpose.RETRAIN
SPECS = (
    spec_document(),
    spec_document(intervalSeconds=60, suspend=True),
    spec_document(schedule="0 0 29 2 *", startingDeadlineSeconds=60, trigger={"consecutiveBreaches": 2}),
    spec_document(
        schedule="* * * * *",
        retraining={"cooldownSeconds": 0},
        concurrencyPolicy="Replace",
        signals=[
            {
                "name": "DataDrift2",
                "type": "Performance",
                "performance": {"metric": "accuracy", "minValue": 0.5},
            }
        ],
        trigger={"on": ["DataDrift", "DataDrift2"]},
        dataset={
            "reference": {"uri": "/a"},
            "current": {"uri": "/b"},
            "columns": {"prediction": "p"},
        },
    ),
)
JOBS = ((), (job(),), (finished_job(), job(RETRAIN)), (finished_job(RETRAIN, number=999_999_999),))
EVER = datetime(2100, 1, 1, tzinfo=UTC)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(forged=forged_statuses, spec=st.sampled_from(SPECS), jobs=st.sampled_from(JOBS))
def test_no_status_that_the_crd_admits_stops_a_decision(forged, spec, jobs):
    """It is read, decided upon, shown in the metrics, and recovered from; and what is written is admitted."""
    body = monitor_body(spec=spec, status=forged)
    facts_of(body)
    seen = observed(monitor_from(body), *jobs)

    for now in (NOON, NOON + MINUTE, NOON - DAY):
        plan = plan_monitor(seen, now)
        assert plan.wake_at is None or plan.wake_at.astimezone(UTC) < EVER
        if isinstance(plan.step, CreateJob):
            assert len(plan.step.name) <= 63
        if (written := status_written(plan)) is not None:
            again = monitor_from(monitor_body(spec=spec, status=written))
            assert again.disbelieved == frozenset()
            assert 0 <= written["missedChecks"] <= 999_999_999
            assert 0 <= written["retraining"]["count"] <= 999_999_999
            assert 0 <= written["retraining"]["consecutiveFailures"] <= 999_999_999
    for each in jobs:
        recover_report(each, [], believed(seen.monitor, seen.jobs, NOON).status, NOON)


def seen(*jobs, **fields):
    """Return the monitor whose status holds these, with its Jobs."""
    return observed(monitor(spec_document(), status(**fields), created=NOON - DAY), *jobs)


FUTURE = datetime(9999, 1, 1, tzinfo=UTC)
ODD = datetime.fromisoformat("9999-12-31T23:59:59-23:59")
"""A time that does not exist in UTC."""


@pytest.mark.parametrize("forged", [FUTURE, ODD, NOON + HOUR + SECOND])
def test_a_report_of_the_future_supersedes_no_real_one(forged):
    """The Job's own report is recovered from its pods, and takes its place."""
    check = last_check(job_name="churn-check-1").replaced(scheduled_time=forged)

    assert job_recovered(plan_monitor(seen(finished_job(), last_check=check), NOON)) == finished_job()


@pytest.mark.parametrize("forged", [FUTURE, ODD, NOON + HOUR + SECOND])
def test_a_retraining_of_the_future_supersedes_no_real_one(forged):
    """Likewise."""
    outcome, ended = last_retraining().replaced(scheduled_time=forged), finished_job(RETRAIN, number=2)

    assert job_recovered(plan_monitor(seen(ended, last_retraining=outcome), NOON)) == ended


@pytest.mark.parametrize(
    ("number", "is_believed"),
    [(1, True), (2, False)],
)
def test_the_number_of_a_promotion_vouches_for_no_retraining(number, is_believed):
    """Each of them is counted by itself, and so is what the status may say of Jobs that are gone."""
    retraining = last_retraining(NOON - HOUR, job_name=f"churn-retrain-{number}")
    promotion = last_promotion(NOON - HOUR, job_name=f"churn-promote-{number}")
    for ran, counted, told in (
        (Purpose.PROMOTE, "retraining", retraining),
        (RETRAIN, "promotion", promotion),
    ):
        record = {"retraining": RetrainingStatus, "promotion": PromotionStatus}[counted](count=1)
        reported = {f"last_{counted}": told, counted: record}
        found = seen(finished_job(ran, number=2), **reported)
        status_ = believed(found.monitor, found.jobs, NOON).status

        assert (getattr(status_, f"last_{counted}") is not None) is is_believed, counted


@pytest.mark.parametrize("forged", [FUTURE, ODD, NOON + 6 * MINUTE])
def test_a_slot_of_the_future_that_was_started_stops_no_check(forged):
    """LastScheduleTime never goes back, except to where it has been."""
    plan = plan_monitor(seen(last_schedule_time=forged, next_check_time=NOON), NOON)

    assert job_created(plan) is not None


@pytest.mark.parametrize(
    ("case", "check", "jobs", "triggers"),
    [
        ("its Job runs", last_check(), (job(),), True),
        ("its Job has ended", last_check(), (finished_job(),), True),
        ("its slot was started, and the Job is gone", last_check(NOON - HOUR), (), True),
        ("no Job has ever been", last_check(), (), False),
        ("a Job of another slot", last_check(job_name="churn-check-r0a1b2c3d"), (job(),), True),
        ("the slot is not that of the Job", last_check(NOON - HOUR, job_name=job().name), (job(),), False),
        ("the Job is a retraining", last_check(job_name="churn-retrain-1"), (job(),), False),
        ("the Job is another monitor's", last_check(NOON - HOUR, job_name="fraud-check-1"), (), False),
    ],
)
def test_drift_triggers_where_a_job_may_have_found_it(case, check, jobs, triggers):
    """The operator knows its Jobs, and the slots that it has started."""
    at_noon = {"last_schedule_time": NOON - HOUR, "next_check_time": NOON + HOUR}
    plan = plan_monitor(seen(*jobs, last_check=check, **at_noon), NOON + MINUTE)

    order = job_created(plan)
    assert (order is not None and order.purpose is RETRAIN) is triggers, case


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"count": 1},
        {"count": 1, "last_start_time": NOON - 300 * DAY, "start_times": [NOON - 300 * DAY]},
        {"count": 1, "last_start_time": FUTURE, "last_trigger_time": FUTURE},
    ],
)
def test_a_forged_record_removes_no_cooldown(forged):
    """As long as the Job of the retraining exists, it says when it was started."""
    ended = finished_job(RETRAIN, NOON - 30 * MINUTE)
    outcome = last_retraining(NOON - 30 * MINUTE)
    plan = plan_monitor(
        seen(ended, job(), retraining=forged, last_retraining=outcome, last_check=last_check()), NOON + MINUTE
    )

    assert job_created(plan) is None
    written = status_written(plan)
    (condition,) = (each for each in written["conditions"] if each["type"] == "Retraining")
    assert condition["reason"] == "CoolingDown"
    assert written["retraining"]["lastStartTime"] == "2026-11-23T11:30:00Z"
    assert written["retraining"]["lastTriggerTime"] == "2026-11-23T11:30:00Z"
    assert written["retraining"]["startTimes"] == ["2026-11-23T11:30:00Z"]


def test_a_forged_record_removes_no_daily_limit():
    """The Jobs of the day are counted, though the record has forgotten them."""
    ended = [finished_job(RETRAIN, NOON - hours * HOUR, number=9 - hours) for hours in (3, 2, 1)]
    document = spec_document(retraining={"cooldownSeconds": 0, "maxRunsPerDay": 3})
    stored = status(
        last_check=last_check(),
        retraining={"count": 8},
        last_retraining=last_retraining(NOON - HOUR, job_name="churn-retrain-8"),
    )
    plan = plan_monitor(observed(monitor(document, stored, created=NOON - DAY), job(), *ended), NOON + MINUTE)

    (condition,) = (each for each in status_written(plan)["conditions"] if each["type"] == "Retraining")
    assert condition["reason"] == "DailyLimitReached"


@pytest.mark.parametrize("count", [999_999_999, 999_999_998])
def test_a_count_that_cannot_be_makes_no_name_too_long(count):
    """Nobody has started a thousand million retrainings since yesterday: the Jobs tell how many there are."""
    held = seen(
        finished_job(),
        finished_job(RETRAIN, NOON - 9 * HOUR, number=4),
        retraining={"count": count},
        last_check=last_check(),
        last_retraining=last_retraining(NOON - 9 * HOUR, job_name="churn-retrain-4"),
    )
    held = replace(held, monitor=replace(held.monitor, spec=spec_document(retraining={"cooldownSeconds": 0})))

    order = job_created(plan_monitor(held, NOON + MINUTE))

    assert order is not None
    assert order.name == "churn-retrain-5"


def test_a_name_that_is_no_jobs_is_not_looked_up():
    """It would become the path of a request in the operator's name."""
    forged = [
        ActiveJob(name=name, uid="u", purpose=Purpose.CHECK)
        for name in (
            "../../../../api/v1/secrets/x",
            "fraud-check-1",
            "churn-check-7",
        )
    ]
    order = job_created(plan_monitor(seen(active=forged, next_check_time=NOON), NOON))

    assert order is not None
    assert order.unseen == ("churn-check-7",)


def test_what_is_forged_of_the_operators_part_is_written_over():
    """Also where nothing takes its place: what is not believed must not stand there."""
    settled_ = settled(seen(next_check_time=NOON + HOUR), NOON - MINUTE)
    assert plan_monitor(settled_, NOON - MINUTE).step is None

    for field in ("last_schedule_time", "last_failed_check_time"):
        forged = settled_.monitor.status.replaced(**{field: FUTURE})
        plan = plan_monitor(
            replace(settled_, monitor=replace(settled_.monitor, status=forged)), NOON - MINUTE
        )
        assert isinstance(plan.step, WriteStatus), field


def test_believing_changes_nothing_that_is_credible():
    """The monitor is the same object: there is no cost but that of looking."""
    usual = settled(seen(job(), last_check=last_check()), NOON + MINUTE).monitor

    assert believed(usual, [job()], NOON + MINUTE) is usual
