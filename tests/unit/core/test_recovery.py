import json

import pytest

from selfheal_operator.api.names import CHECK_MANAGER, PROMOTE_MANAGER, RETRAIN_MANAGER
from selfheal_operator.api.reasons import CheckResult, Origin, PromotionResult, Purpose, RetrainResult, Task
from selfheal_operator.api.report import CheckReport, PromoteReport, Report, RetrainReport
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus, PromotionStatus
from selfheal_operator.core.recovery import how_it_ended, pod_trouble, recover_report
from support.builders.objects import (
    MINUTE,
    NOON,
    finished_job,
    last_check,
    last_promotion,
    last_retraining,
    model_version,
    pod,
    status,
)

RETRAIN = Purpose.RETRAIN
CHECK_JOB = finished_job()
LATER = NOON + 30 * MINUTE


def last_words(report: Report) -> str:
    """Return what the container has left in its termination message."""
    return report.to_termination_message()


def recovered_check(*pods, job=CHECK_JOB, stored: ModelMonitorStatus | None = None):
    """Return the lastCheck that is recovered."""
    recovered = recover_report(job, pods, stored or status(), LATER)
    assert recovered.manager == CHECK_MANAGER
    return CheckReport.from_wire(recovered.status).last_check


def test_a_report_is_found_in_the_termination_message():
    """As the container would have written it, in its name."""
    report = CheckReport(task=Task.REGRESSION, last_check=last_check(NOON))

    recovered = recover_report(CHECK_JOB, [pod(message=last_words(report))], status(), LATER)

    assert recovered.manager == CHECK_MANAGER
    assert recovered.status == report.to_wire()


def test_the_newest_pod_with_a_report_counts():
    """A pod that was evicted after another had reported says nothing."""
    early = CheckReport(last_check=last_check(NOON, CheckResult.ERROR))
    late = CheckReport(last_check=last_check(NOON, CheckResult.NO_DRIFT))

    pods = [pod(message=last_words(early)), pod(message=last_words(late)), pod(exit_code=137)]

    assert recovered_check(*pods).result is CheckResult.NO_DRIFT


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("nothing", ""),
        ("a stack trace", "Traceback (most recent call last):\n  File ..."),
        ("half a document", last_words(CheckReport(last_check=last_check(NOON)))[:200]),
        ("another program's document", json.dumps({"status": "ok", "lastCheck": "yesterday"})),
        ("a list", "[[]]"),
        ("deep nesting", "[" * 4096),
        ("null", "null"),
        ("the report of another Job", last_words(CheckReport(last_check=last_check(NOON, job_name="other")))),
        (
            "a report of another slot, which would be asked for again and again",
            last_words(CheckReport(last_check=last_check(NOON - MINUTE, job_name=CHECK_JOB.name))),
        ),
        ("the other sort of report", last_words(RetrainReport(last_retraining=last_retraining(NOON)))),
    ],
)
def test_without_a_report_the_check_could_not_look(case, message):
    """Error is no verdict: what was drift before is neither confirmed nor denied."""
    check = recovered_check(pod(message=message, exit_code=1, reason="Error"))

    assert (check.result, check.reason) == (CheckResult.ERROR, "CheckFailed"), case
    assert (check.scheduled_time, check.job_name, check.completion_time) == (NOON, CHECK_JOB.name, LATER)
    assert check.message == f"Job {CHECK_JOB.name} ended without a report (exit code 1)"


def test_a_recovered_report_is_not_asked_for_again():
    """It is that of the Job's slot, whatever the pods say."""
    for pods in ([], [pod()], [pod(message="null")]):
        assert recovered_check(*pods).scheduled_time == CHECK_JOB.slot


@pytest.mark.parametrize("task", [None, Task.CLASSIFICATION])
def test_what_the_container_owns_besides_is_sent_again(task):
    """Server-side apply drops what an owner no longer sends."""
    stored = status(task=task, target=task and "churned", model=model_version())

    recovered = recover_report(CHECK_JOB, [], stored, LATER)

    assert recovered.status.get("task") == task
    assert recovered.status.get("target") == stored.target
    assert recovered.status["model"] == model_version().to_wire()


def test_the_last_words_of_a_check_vouch_for_no_files():
    """The operator may write every field: the policy does not stop it."""
    forged = model_version().replaced(digest="a" * 64, origin=Origin.RETRAINING)
    said = last_words(CheckReport(last_check=last_check(NOON), model=forged))

    recovered = recover_report(CHECK_JOB, [pod(message=said)], status(), LATER)

    assert recovered.status["model"] == model_version().to_wire()


RECORDED = model_version("9", digest="a" * 64, origin=Origin.RETRAINING)


@pytest.mark.parametrize(
    "stored",
    [
        status(challenger=RECORDED),
        status(model=RECORDED),
        status(promotion=PromotionStatus(previous=RECORDED)),
    ],
)
def test_the_last_words_of_a_promotion_show_a_version_as_it_is_recorded(stored):
    """By a retraining or by the operator."""
    assert promoted_by_last_words(RECORDED, stored) == RECORDED.to_wire()


@pytest.mark.parametrize(
    "forged",
    [
        RECORDED.replaced(digest="b" * 64),
        RECORDED.replaced(version="10"),
        RECORDED.replaced(registered_time=LATER),
        RECORDED.replaced(origin=Origin.FOUND),
    ],
)
def test_the_last_words_of_a_promotion_vouch_for_no_files(forged):
    """As the policy holds the pod itself to it."""
    shown = promoted_by_last_words(forged, status(challenger=RECORDED))

    assert shown == forged.without_digest().to_wire()


def promoted_by_last_words(model, stored):
    """Return the model after a promotion whose report was found in the termination message."""
    report = PromoteReport(last_promotion=last_promotion(NOON), model=model)

    recovered = recover_report(
        finished_job(Purpose.PROMOTE), [pod(message=last_words(report))], stored, LATER
    )

    assert PromoteReport.from_wire(recovered.status).last_promotion == report.last_promotion
    return recovered.status["model"]


def test_a_promotion_without_a_report_has_failed_and_is_tried_again():
    """Nobody knows whether it has moved the alias; the model stays."""
    recovered = recover_report(finished_job(Purpose.PROMOTE), [], status(model=RECORDED), LATER)

    assert recovered.manager == PROMOTE_MANAGER
    report = PromoteReport.from_wire(recovered.status)
    assert report.last_promotion.result is PromotionResult.FAILED
    assert report.model == RECORDED


def test_a_retraining_without_a_report_has_failed_and_the_model_stays():
    """The model in the status is the container's part: it is sent again as it stands."""
    model = model_version()

    recovered = recover_report(finished_job(RETRAIN), [], status(model=model), LATER)

    assert recovered.manager == RETRAIN_MANAGER
    report = RetrainReport.from_wire(recovered.status)
    assert report.last_retraining.result is RetrainResult.FAILED
    assert report.last_retraining.message == "Job churn-retrain-1 ended without a report"
    assert report.model == model


def test_a_registered_version_is_recovered():
    """Else the status would name the old model while MLflow has the new one."""
    report = RetrainReport(last_retraining=last_retraining(NOON), model=model_version("9"))

    recovered = recover_report(
        finished_job(RETRAIN), [pod(message=last_words(report))], status(model=model_version("8")), LATER
    )

    assert recovered.status == report.to_wire()


@pytest.mark.parametrize(
    ("case", "pods", "failure", "sentence"),
    [
        ("its pods are gone", [], "", "ended without a report"),
        (
            "past its deadline: the pods are gone with it",
            [],
            "Job was active longer than specified deadline",
            "ended without a report: Job was active longer than specified deadline",
        ),
        (
            "out of memory",
            [pod(exit_code=137, reason="OOMKilled")],
            "BackoffLimitExceeded",
            "ran out of memory; raise spec.podTemplate.resources.limits.memory, or give it fewer rows",
        ),
        (
            "killed by a runtime that does not say why",
            [pod(exit_code=137, reason="Error")],
            "",
            "ended without a report (exit code 137, killed)",
        ),
        (
            "the image has no such program",
            [pod(exit_code=128, reason="StartError", message='exec: "python": not found')],
            "BackoffLimitExceeded",
            'could not start its container: exec: "python": not found',
        ),
        (
            "an own image that forgot",
            [pod(exit_code=0)],
            "",
            "ended without a report (exit code 0)",
        ),
        (
            "the newest pod speaks",
            [pod(exit_code=137, reason="OOMKilled"), pod(exit_code=2, reason="Error")],
            "",
            "ended without a report (exit code 2)",
        ),
    ],
)
def test_how_a_job_ended_is_said_in_a_sentence(case, pods, failure, sentence):
    """With the remedy, where there is one."""
    job = finished_job(failure=failure)

    assert how_it_ended(job, pods) == f"Job {job.name} {sentence}", case


@pytest.mark.parametrize("failure", ["x" * 40_000, "ü" * 5_000])
def test_an_endless_failure_message_is_cut(failure):
    """The status takes 4,096 characters; a report that it refuses would be tried for ever."""
    check = recovered_check(job=finished_job(failure=failure))

    assert len(check.message) <= 1024
    assert check.message.endswith("…")


def waiting_pod(
    reason: str | None, message: str | None = None, created: str = "2026-11-23T12:00:00Z", **state
):
    """Return a pod whose container has not started."""
    waiting = {name: value for name, value in (("reason", reason), ("message", message)) if value is not None}
    return {
        "metadata": {"creationTimestamp": created},
        "status": {"containerStatuses": [{"state": state or {"waiting": waiting}}]},
    }


def unscheduled_pod(status: str, **fields):
    """Return a pod that the scheduler has looked at."""
    return {
        "metadata": {"creationTimestamp": "2026-11-23T12:00:00Z"},
        "status": {"conditions": [{"type": "PodScheduled", "status": status, **fields}]},
    }


@pytest.mark.parametrize(
    ("case", "pods", "sentence"),
    [
        ("no pod", [], "it has no pod yet; kubectl describe job says why"),
        ("just made", [{"metadata": {"creationTimestamp": "2026-11-23T12:00:00Z"}}], ""),
        ("being made", [waiting_pod("ContainerCreating")], ""),
        ("waiting without a word", [waiting_pod(None)], ""),
        ("no such image", [waiting_pod("ErrImagePull", "not found")], "ErrImagePull: not found"),
        (
            "a reason and no message",
            [waiting_pod("CreateContainerConfigError")],
            "CreateContainerConfigError",
        ),
        ("running", [waiting_pod(None, running={})], ""),
        (
            "no node has room",
            [unscheduled_pod("False", reason="Unschedulable", message="0/3 nodes are available")],
            "Unschedulable: 0/3 nodes are available",
        ),
        ("a node has room", [unscheduled_pod("True")], ""),
        (
            "the newest pod counts",
            [
                waiting_pod("ErrImagePull", created="2026-11-23T12:00:05Z"),
                waiting_pod("CreateContainerError", created="2026-11-23T12:00:09Z"),
            ],
            "CreateContainerError",
        ),
    ],
)
def test_a_pod_says_what_it_waits_for(case, pods, sentence):
    """In the kubelet's or the scheduler's words; nothing while it just needs its time."""
    assert pod_trouble(pods).startswith(sentence), case
    assert bool(pod_trouble(pods)) == bool(sentence), case
