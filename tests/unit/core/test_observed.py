from datetime import UTC, datetime, timedelta, timezone

import pytest

from selfheal_operator.api.reasons import CheckResult, Purpose
from selfheal_operator.core.errors import InvalidSpecError
from selfheal_operator.core.observed import job_from, monitor_from
from support.builders.objects import NOON, UID, monitor_body, spec_document

SLOT, GENERATION = "selfheal.dev/slot", "selfheal.dev/generation"


def job_body(*, labels=None, annotations=None, **fields):
    """Return a check Job of ours as the API server shows it."""
    return {
        "metadata": {
            "name": "churn-check-29923920",
            "namespace": "team-a",
            "uid": "job-uid",
            "resourceVersion": "2000",
            "creationTimestamp": "2026-11-23T12:00:01Z",
            "labels": {
                "app.kubernetes.io/managed-by": "selfheal-operator",
                "selfheal.dev/monitor": "churn",
                "selfheal.dev/monitor-uid": UID,
                "selfheal.dev/purpose": "Check",
            }
            | (labels or {}),
            "annotations": {SLOT: "2026-11-23T12:00:00Z", GENERATION: "3"} | (annotations or {}),
            "ownerReferences": [
                {"kind": "ModelMonitor", "name": "churn", "uid": UID, "controller": True},
            ],
        }
        | fields.pop("metadata", {}),
        **fields,
    }


def condition(kind: str, status: str = "True", **fields):
    """Return a condition of a Job."""
    return {"type": kind, "status": status} | fields


def test_a_job_is_read():
    """All that a decision may look at."""
    job = job_from(job_body(status={"ready": 1}))

    assert job is not None
    assert (job.name, job.owner_uid, job.purpose) == ("churn-check-29923920", UID, Purpose.CHECK)
    assert (job.slot, job.generation, job.has_ready_pod) == (NOON, 3, True)
    assert not job.finished
    assert not job.deleting


@pytest.mark.parametrize(
    ("case", "conditions", "finished", "failure"),
    [
        ("just made", [], False, ""),
        ("suspended by somebody", [condition("Suspended")], False, ""),
        ("about to fail: its pods still run", [condition("FailureTarget")], False, ""),
        ("about to succeed", [condition("SuccessCriteriaMet")], False, ""),
        ("complete", [condition("Complete")], True, ""),
        ("no longer failed", [condition("Failed", "False")], False, ""),
        ("failed", [condition("Failed", reason="DeadlineExceeded", message="too late")], True, "too late"),
        (
            "failed, in a word",
            [condition("Failed", reason="BackoffLimitExceeded")],
            True,
            "BackoffLimitExceeded",
        ),
        ("failed, without a word", [condition("Failed")], True, "it failed"),
    ],
)
def test_a_job_has_ended_when_its_controller_says_so(case, conditions, finished, failure):
    """Complete or Failed: only then is there no pod of it any more."""
    job = job_from(job_body(status={"conditions": conditions}))

    assert job is not None
    assert (job.finished, job.failure) == (finished, failure), case


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("nobody owns it", job_body(metadata={"ownerReferences": []})),
        (
            "its owner does not control it",
            job_body(metadata={"ownerReferences": [{"name": "churn", "uid": UID}]}),
        ),
        ("it is labelled for another", job_body(labels={"selfheal.dev/monitor-uid": "other"})),
        ("it is labelled with another name", job_body(labels={"selfheal.dev/monitor": "fraud"})),
        ("it has no purpose that we know", job_body(labels={"selfheal.dev/purpose": "Cleanup"})),
        ("it has lost its annotations", job_body(metadata={"annotations": None})),
        ("its slot is no time", job_body(annotations={SLOT: "noon"})),
        ("its slot is empty", job_body(annotations={SLOT: ""})),
        ("its slot is in no time zone", job_body(annotations={SLOT: "2026-11-23T12:00:00"})),
        ("its slot is before the epoch", job_body(annotations={SLOT: "0001-01-01T00:00:00+14:00"})),
        ("its slot is the end of time", job_body(annotations={SLOT: "9999-12-31T23:59:59Z"})),
        ("its slot is over an hour ahead", job_body(annotations={SLOT: "2026-11-23T13:00:02Z"})),
        ("its name is of no check", job_body(metadata={"name": "forged"})),
        ("its name is of a retraining", job_body(metadata={"name": "churn-retrain-1"})),
        ("its name is of another monitor", job_body(metadata={"name": "churn-eu-check-29923920"})),
        (
            "its number is too large to count on",
            job_body(
                labels={"selfheal.dev/purpose": "Retrain"}, metadata={"name": "churn-retrain-2147483647"}
            ),
        ),
        ("its generation is no number", job_body(annotations={GENERATION: "three"})),
    ],
)
def test_a_job_that_we_cannot_have_made_is_not_ours(case, body):
    """Anybody may write our labels on a Job; one that cannot be read must not stop the reading of all."""
    assert job_from(body) is None, case


@pytest.mark.parametrize(
    ("purpose", "name"),
    [
        ("Check", "churn-check-29923920"),
        ("Check", "churn-check-r0a1b2c3d"),
        ("Retrain", "churn-retrain-1"),
        ("Retrain", "churn-retrain-999999999"),
    ],
)
def test_a_job_is_ours_by_the_name_that_we_give(purpose, name):
    """A scheduled check, a requested one, and retrainings."""
    assert job_from(job_body(labels={"selfheal.dev/purpose": purpose}, metadata={"name": name})) is not None


def test_a_slot_may_be_up_to_an_hour_after_the_creation():
    """Requests get slots of their own, each later than the newest one."""
    assert job_from(job_body(annotations={SLOT: "2026-11-23T13:00:01Z"})) is not None


def test_a_monitor_is_read():
    """All that a decision may look at."""
    monitor = monitor_from(
        monitor_body(status={"observedGeneration": 1, "lastScheduleTime": "2026-11-23T12:00:00Z"})
    )

    assert (monitor.namespace, monitor.name, monitor.uid) == ("team-a", "churn", UID)
    assert monitor.created == NOON - timedelta(minutes=30)
    assert monitor.status.last_schedule_time == NOON
    assert not monitor.deleting
    assert monitor.read_spec().schedule == "0 * * * *"


def test_a_time_in_another_zone_is_the_same_time():
    """RFC 3339 allows any offset, and an own image may write one."""
    monitor = monitor_from(monitor_body(status={"nextCheckTime": "2026-11-23T14:00:00+02:00"}))

    assert monitor.status.next_check_time == datetime(2026, 11, 23, 14, tzinfo=timezone(timedelta(hours=2)))
    assert monitor.status.to_wire()["nextCheckTime"] == "2026-11-23T12:00:00Z"
    assert monitor.status.next_check_time.astimezone(UTC) == NOON


def test_a_part_of_the_status_that_cannot_be_read_is_as_if_absent():
    """A newer operator, or an image of the user's own, may have written it; the rest still counts."""
    unreadable = {"scheduledTime": "2026-11-23T12:00:00Z", "result": "Maybe"}
    monitor = monitor_from(
        monitor_body(
            status={"lastCheck": unreadable, "retraining": None, "missedChecks": 3, "phase": "Happy"}
        )
    )

    assert monitor.status.last_check is None
    assert monitor.status.retraining.count == 0
    assert monitor.status.missed_checks == 3


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"threshold": 1.5}, "spec.threshold"),
        ({"dataset": {"reference": {"uri": "/a"}}}, "spec.dataset.current"),
        ({"retraining": {"candidates": [{"name": "a"}]}}, "spec.retraining.candidates.0.estimator"),
        ({"intervalSeconds": 59}, "spec.intervalSeconds"),
    ],
)
def test_a_spec_that_the_schema_should_have_refused_names_its_field(fields, field):
    """The CRD in the cluster may be older than the operator."""
    monitor = monitor_from(monitor_body(spec=spec_document(**fields)))

    with pytest.raises(InvalidSpecError) as raised:
        monitor.read_spec()
    assert raised.value.field == field


def test_a_monitor_without_a_spec_can_be_read():
    """Its spec cannot, and says so."""
    with pytest.raises(InvalidSpecError, match=r"spec\.dataset"):
        monitor_from(monitor_body(spec=None)).read_spec()


@pytest.mark.parametrize("share", ["40 %", "", "nan", "inf", "-0.1", "1.0001"])
def test_a_drift_share_that_is_no_share_makes_the_check_unreadable(share):
    """Decisions compare it with a threshold: what an own image writes there must not break them."""
    check = {
        "scheduledTime": "2026-11-23T12:00:00Z",
        "jobName": "churn-check-1",
        "result": "Drift",
        "reason": "ThresholdExceeded",
        "message": "drift",
        "driftShare": share,
        "observedGeneration": 1,
    }

    assert monitor_from(monitor_body(status={"lastCheck": check})).status.last_check is None
    check["driftShare"] = "0.4000"
    readable = monitor_from(monitor_body(status={"lastCheck": check})).status.last_check
    assert readable is not None
    assert readable.result is CheckResult.DRIFT


@pytest.mark.parametrize(
    ("case", "fields", "queued", "started"),
    [
        ("suspended at its creation, as by Kueue", {"spec": {"suspend": True}}, True, None),
        (
            "suspended, by the Job controller's word",
            {"status": {"conditions": [condition("Suspended")]}},
            True,
            None,
        ),
        (
            "resumed, as the Job controller has seen",
            {
                "spec": {"suspend": False},
                "status": {
                    "conditions": [condition("Suspended", "False")],
                    "startTime": "2026-11-23T12:30:00Z",
                },
            },
            False,
            NOON + timedelta(minutes=30),
        ),
        (
            "never suspended",
            {"spec": {"suspend": False}, "status": {"startTime": "2026-11-23T12:00:00Z"}},
            False,
            NOON,
        ),
        (
            "finished before it was suspended",
            {"spec": {"suspend": True}, "status": {"conditions": [condition("Complete")]}},
            False,
            None,
        ),
        ("only its metadata are known", {}, False, None),
    ],
)
def test_a_job_that_is_suspended_is_queued(case, fields, queued, started):
    """The Job controller sets startTime when a Job may have pods, and takes it back when it is suspended."""
    job = job_from(job_body(**fields))

    assert job is not None
    assert (job.queued, job.started) == (queued, started), case
