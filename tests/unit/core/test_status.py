from dataclasses import replace
from typing import Any, Final

import pytest

from selfheal_operator.api.reasons import CheckResult, ConditionType, Purpose, Reason, RetrainResult, Task
from selfheal_operator.api.v1alpha1.status import (
    DriftedColumn,
    HistoryEntry,
    MetricComparison,
    PromotionIntent,
    PromotionStatus,
    SkippedColumn,
)
from selfheal_operator.core.breaches import MAX_HISTORY
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Observed, PodTrouble
from selfheal_operator.core.situation import assess
from selfheal_operator.core.status import operator_status
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    finished_job,
    job,
    last_check,
    last_promotion,
    last_retraining,
    model_version,
    monitor,
    observed,
    settled,
    spec_document,
    status,
)
from support.builders.steps import status_written

RETRAIN = Purpose.RETRAIN
LATER = NOON + 10 * MINUTE


def written(seen: Observed, now=LATER) -> dict[str, Any]:
    """Return the operator's part of the status."""
    return operator_status(assess(seen, now)).to_wire()


def condition(seen: Observed, kind: str, now=LATER) -> tuple[str, str, str]:
    """Return status, reason and message of a condition."""
    found = next(c for c in written(seen, now)["conditions"] if c["type"] == kind)
    return found["status"], found["reason"], found["message"]


def checked(result: CheckResult, *jobs, document=None, **fields) -> Observed:
    """Return a monitor that was checked at noon."""
    return observed(monitor(document, status(last_check=last_check(NOON, result), **fields)), *jobs)


def test_a_first_status_is_this_document():
    """All of it."""
    assert written(observed(), NOON - 20 * MINUTE) == {
        "observedGeneration": 1,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "MonitorActive",
                "message": "Checks run on schedule",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-23T11:40:00Z",
            },
            {
                "type": "DriftDetected",
                "status": "Unknown",
                "reason": "NotYetChecked",
                "message": "No check has reported yet",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-23T11:40:00Z",
            },
            {
                "type": "Retraining",
                "status": "False",
                "reason": "NeverNeeded",
                "message": "No retraining has run yet",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-23T11:40:00Z",
            },
            {
                "type": "RetrainingFailed",
                "status": "False",
                "reason": "NotYetRetrained",
                "message": "No retraining has ended yet",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-23T11:40:00Z",
            },
            {
                "type": "Stalled",
                "status": "False",
                "reason": "FewFailures",
                "message": "Retrainings do not fail one after the other",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-23T11:40:00Z",
            },
            {
                "type": "Promoted",
                "status": "False",
                "reason": "NotYetPromoted",
                "message": "No promotion has ended yet",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-23T11:40:00Z",
            },
            {
                "type": "PromotionPending",
                "status": "False",
                "reason": "NothingPending",
                "message": "No version waits for a decision",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-23T11:40:00Z",
            },
        ],
        "active": [],
        "nextCheckTime": "2026-11-23T12:00:00Z",
        "missedChecks": 0,
        "history": [],
        "retraining": {"count": 0, "startTimes": [], "consecutiveFailures": 0},
        "promotion": {"count": 0},
    }


def test_what_the_containers_write_is_never_written_by_the_operator():
    """Two writers, disjoint fields."""
    told = status(
        task=Task.REGRESSION,
        target="churned",
        last_check=last_check(),
        last_retraining=last_retraining(),
        model=model_version(),
        challenger=model_version("9"),
        last_promotion=last_promotion(),
    )

    assert not {
        "task",
        "target",
        "lastCheck",
        "lastRetraining",
        "lastPromotion",
        "model",
        "challenger",
    } & set(written(observed(monitor(status=told))))


@pytest.mark.parametrize(
    ("case", "seen", "expected"),
    [
        ("all is well", checked(CheckResult.NO_DRIFT), ("True", "MonitorActive", "Checks run on schedule")),
        ("a drifted model is well watched", checked(CheckResult.DRIFT), ("True", "MonitorActive", None)),
        ("too little data is no fault", checked(CheckResult.INCONCLUSIVE), ("True", "MonitorActive", None)),
        (
            "the check could not look",
            checked(CheckResult.ERROR),
            ("False", "ChecksFailing", "DataNotFound: /data/current.csv is not there"),
        ),
        (
            "suspended",
            checked(CheckResult.ERROR, document=spec_document(suspend=True)),
            ("True", "Suspended", "No new checks: spec.suspend is true"),
        ),
        (
            "the spec cannot be acted upon",
            checked(CheckResult.NO_DRIFT, document=spec_document(suspend=True, schedule="x * * * *")),
            ("False", "InvalidSpec", "spec.schedule: the minute 'x' is not a number"),
        ),
    ],
)
def test_ready_says_whether_checks_run_as_declared(case, seen, expected):
    """What matters most is said first."""
    found = condition(seen, "Ready")

    assert found[:2] == expected[:2], case
    assert expected[2] is None or found[2] == expected[2], case


@pytest.mark.parametrize(
    ("case", "waiting", "message", "reason"),
    [
        ("it waits", job(has_ready_pod=False), "Unschedulable: 0/3 nodes", "PodNotStarting"),
        ("it just needs its time", job(has_ready_pod=False), "", "MonitorActive"),
        ("it has started since", job(), "Unschedulable: 0/3 nodes", "MonitorActive"),
        ("it has ended since", finished_job(), "Unschedulable: 0/3 nodes", "MonitorActive"),
    ],
)
def test_a_pod_that_does_not_start_is_told_while_it_does_not(case, waiting, message, reason):
    """In the scheduler's words."""
    trouble = PodTrouble(job_uid=waiting.uid, message=message, time=LATER)
    seen = replace(checked(CheckResult.NO_DRIFT, waiting), pod_trouble=trouble)

    found = condition(seen, "Ready")

    assert found[1] == reason, case
    if reason == "PodNotStarting":
        assert found[2] == f"Job {waiting.name} does not start: {message}"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (CheckResult.DRIFT, ("True", "ThresholdExceeded")),
        (CheckResult.NO_DRIFT, ("False", "WithinThreshold")),
        (CheckResult.WARNING, ("False", "DataNotFound")),
        (CheckResult.INCONCLUSIVE, ("Unknown", "EmptyData")),
        (CheckResult.ERROR, ("Unknown", "DataNotFound")),
    ],
)
def test_could_not_look_is_neither_drift_nor_none(result, expected):
    """A data set that is missing is no all-clear."""
    assert condition(checked(result), "DriftDetected")[:2] == expected


@pytest.mark.parametrize(
    ("case", "told", "jobs", "expected"),
    [
        (
            "running",
            {},
            [job(RETRAIN)],
            (
                "True",
                "DriftTriggered",
                "Job churn-retrain-1 answers the drift found at 2026-11-23T12:00:00Z",
            ),
        ),
        (
            "registered",
            {"last_retraining": last_retraining()},
            [finished_job(RETRAIN)],
            ("False", "ModelRegistered", "It ended: Registered"),
        ),
        (
            "not improved",
            {"last_retraining": last_retraining(result=RetrainResult.NOT_IMPROVED)},
            [finished_job(RETRAIN)],
            ("False", "NoImprovement", "It ended: NotImproved"),
        ),
        (
            "failed, for the container's reason",
            {"last_retraining": last_retraining(result=RetrainResult.FAILED, reason=Reason.TOO_FEW_ROWS)},
            [finished_job(RETRAIN)],
            ("False", "TooFewRows", "It ended: Failed"),
        ),
        (
            "removed before it reported; an older one had reported",
            {
                "retraining": {"count": 2, "last_trigger_time": NOON},
                "last_retraining": last_retraining(NOON - HOUR),
            },
            [],
            ("False", "RetrainingFailed", "Job churn-retrain-2 was removed before it reported"),
        ),
        (
            "newer drift is held back",
            {
                "retraining": {"count": 1, "last_trigger_time": NOON - HOUR, "last_start_time": NOON},
                "last_retraining": last_retraining(NOON - HOUR),
            },
            [],
            (
                "False",
                "CoolingDown",
                "Drift was found; the next retraining may start at 2026-11-23T13:00:00Z",
            ),
        ),
    ],
)
def test_retraining_says_what_there_is_to_say(case, told, jobs, expected):
    """Running, held back, or how the last one ended."""
    assert condition(checked(CheckResult.DRIFT, *jobs, **told), "Retraining") == expected, case


REMOVED = {"count": 2, "last_trigger_time": NOON}
MLFLOW: Final[dict[str, Any]] = {"result": RetrainResult.FAILED, "reason": Reason.MLFLOW_UNAVAILABLE}


@pytest.mark.parametrize(
    ("case", "told", "jobs", "expected"),
    [
        ("none was needed", {}, [], ("False", "NotYetRetrained")),
        ("the first one runs", {}, [job(RETRAIN)], ("False", "NotYetRetrained")),
        (
            "registered",
            {"last_retraining": last_retraining()},
            [finished_job(RETRAIN)],
            ("False", "ModelRegistered"),
        ),
        (
            "not improved",
            {"last_retraining": last_retraining(result=RetrainResult.NOT_IMPROVED)},
            [finished_job(RETRAIN)],
            ("False", "NoImprovement"),
        ),
        (
            "failed, for the container's reason",
            {"last_retraining": last_retraining(**MLFLOW)},
            [finished_job(RETRAIN)],
            ("True", "MLflowUnavailable"),
        ),
        (
            "failed, and the next one runs",
            {"last_retraining": last_retraining(NOON - HOUR, **MLFLOW)},
            [job(RETRAIN, number=2)],
            ("True", "MLflowUnavailable"),
        ),
        (
            "failed, and newer drift is held back",
            {
                "retraining": {"count": 1, "last_trigger_time": NOON - HOUR, "last_start_time": NOON},
                "last_retraining": last_retraining(NOON - HOUR, **MLFLOW),
            },
            [],
            ("True", "MLflowUnavailable"),
        ),
        (
            "removed before any report",
            {"retraining": {"count": 1, "last_trigger_time": NOON}},
            [],
            ("True", "RetrainingFailed"),
        ),
        (
            "removed; an older one had succeeded",
            {"retraining": REMOVED, "last_retraining": last_retraining(NOON - HOUR)},
            [],
            ("True", "RetrainingFailed"),
        ),
    ],
)
def test_retraining_failed_is_about_the_newest_retraining_that_has_ended(case, told, jobs, expected):
    """It can be alerted on, and stays until a retraining succeeds."""
    assert condition(checked(CheckResult.DRIFT, *jobs, **told), "RetrainingFailed")[:2] == expected, case


@pytest.mark.parametrize("kind", ConditionType)
def test_every_condition_is_there_from_the_first_look(kind):
    """As the API conventions ask."""
    assert kind in {each["type"] for each in written(observed())["conditions"]}


def test_the_times_of_checks_are_those_of_their_verdicts():
    """A check that could not look does not move the time of the last one that could."""
    good = settled(checked(CheckResult.NO_DRIFT, finished_job(), next_check_time=NOON + 2 * HOUR), LATER)
    worse = good.monitor.status.replaced(
        last_check=last_check(NOON + HOUR, CheckResult.ERROR, completion_time=None)
    )
    jobs = (finished_job(slot=NOON + HOUR),)
    seen = replace(good, monitor=replace(good.monitor, status=worse), jobs=jobs)

    found = written(seen, NOON + HOUR + MINUTE)

    assert found["lastSuccessfulCheckTime"] == "2026-11-23T12:01:00Z"
    assert found["lastFailedCheckTime"] == "2026-11-23T13:00:00Z"


def test_the_history_holds_the_newest_ten_newest_first():
    """Each check once."""
    seen = observed(monitor(spec_document(suspend=True)))
    for number in range(MAX_HISTORY + 2):
        check = last_check(NOON + number * HOUR, CheckResult.NO_DRIFT)
        told = seen.monitor.status.replaced(last_check=check)
        seen = replace(
            seen,
            monitor=replace(seen.monitor, status=told),
            jobs=(finished_job(slot=NOON + number * HOUR),),
        )
        seen = settled(settled(seen, NOON + number * HOUR), NOON + number * HOUR + SECOND)

    history = written(seen, NOON + 12 * HOUR)["history"]
    assert [entry["scheduledTime"][11:16] for entry in history] == [
        f"{hour}:00" for hour in range(23, 13, -1)
    ]
    assert history[0] == {
        "scheduledTime": "2026-11-23T23:00:00Z",
        "result": "NoDrift",
        "driftShare": "0.1000",
        "breached": [],
    }


def test_active_jobs_are_listed_until_they_have_reported_or_ended():
    """By name, so that the order of events does not matter."""
    jobs = (finished_job(slot=NOON - HOUR), job(RETRAIN), job(slot=NOON + HOUR), job())

    active = written(checked(CheckResult.DRIFT, *jobs))["active"]

    assert [(each["name"], each["purpose"]) for each in active] == [
        (job(slot=NOON + HOUR).name, "Check"),
        ("churn-retrain-1", "Retrain"),
    ]


def test_an_edited_cooldown_moves_its_end_at_once():
    """CooldownUntilTime is what the spec makes of the start, not what it once made of it."""
    memory = {"count": 1, "last_start_time": NOON, "cooldown_until_time": NOON + HOUR}
    document = spec_document(retraining={"cooldownSeconds": 60})

    seen = checked(CheckResult.NO_DRIFT, document=document, retraining=memory)

    assert written(seen)["retraining"]["cooldownUntilTime"] == "2026-11-23T12:01:00Z"


def test_a_status_stays_small_whatever_is_in_it():
    """500 columns, of which all drifted, under long names, and every sentence as long as it may be."""
    long = "ü" * 1100
    columns = [
        DriftedColumn(name=f"{'column' * 30}{n}", method="wasserstein", score="0.2210", threshold="0.1000")
        for n in range(10)
    ]
    told = status(
        task=Task.CLASSIFICATION,
        last_check=last_check(
            message=long,
            columns_checked=500,
            columns_drifted=500,
            top_drifted_columns=columns,
            skipped_columns=[SkippedColumn(name="x" * 180, message="all values are missing")] * 10,
        ),
        last_retraining=last_retraining(
            message=long,
            result=RetrainResult.FAILED,
            metrics=[MetricComparison(name="f1_macro", candidate="0.8412", champion="0.7710")] * 10,
        ),
        model=model_version(),
        challenger=model_version("9", digest="d" * 64, trained_until_time=NOON),
        promotion=PromotionStatus(
            count=1,
            previous=model_version("7", digest="d" * 64),
            intent=PromotionIntent(
                version="8", approved_by="the gates of churn-retrain-1", decided_time=NOON
            ),
        ),
        last_promotion=last_promotion(message="m" * 300),
        history=[
            HistoryEntry(scheduled_time=NOON - n * HOUR, result=CheckResult.DRIFT, drift_share="1.0000")
            for n in range(MAX_HISTORY)
        ],
    )
    for jobs in ([job(), job(RETRAIN)], [job(), finished_job(RETRAIN)]):
        seen = settled(observed(monitor(status=told), *jobs), LATER)

        assert len(seen.monitor.status.to_json().encode()) < 16 * 1024, "as it is stored"


def test_a_plan_writes_the_whole_part_or_nothing():
    """Server-side apply removes what an owner no longer sends."""
    seen = checked(CheckResult.NO_DRIFT, job())
    plan = plan_monitor(seen, LATER)

    assert status_written(plan) == written(seen)
    assert status_written(plan_monitor(settled(seen, LATER), LATER)) is None
