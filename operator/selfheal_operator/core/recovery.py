"""Recovers the outcome of a Job whose report is not in the status, from its pods.

A container also writes its report to its termination message. If that is missing too, the pods' statuses
show how it ended, and a report is written on its behalf: an Error, without a verdict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selfheal_operator.api.names import CHECK_MANAGER, PROMOTE_MANAGER, RETRAIN_MANAGER
from selfheal_operator.api.reasons import CheckResult, PromotionResult, Purpose, Reason, RetrainResult
from selfheal_operator.api.report import CheckReport, PromoteReport, RetrainReport
from selfheal_operator.api.v1alpha1.status import (
    LastCheck,
    LastPromotion,
    LastRetraining,
    ModelMonitorStatus,
    ModelVersion,
)
from selfheal_operator.core.messages import shortened
from selfheal_operator.core.observed import Job

Pod = Mapping[str, Any]

_OOM_KILLED = 137
"""Exit code after SIGKILL; the kubelet reports OOMKilled if it can, some runtimes only the code."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A container's whole part of the status, to be applied under its field manager."""

    manager: str
    status: dict[str, Any]


def recover_report(job: Job, pods: Sequence[Pod], stored: ModelMonitorStatus, now: datetime) -> Recovered:
    """Return what the Job's container would have written.

    Args:
        job: A finished Job.
        pods: Its pods, oldest first.
        stored: The stored status, because server-side apply drops fields that a manager no longer sends.
        now: The time, for a Job that left no report.
    """
    texts = [str(state.get("message", "")) for state in reversed(list(_terminations(pods)))]
    if job.purpose is Purpose.CHECK:
        reports = (CheckReport.from_termination_message(text) for text in texts)
        check = next((r for r in reports if r is not None and _is_of(job, r.last_check)), None)
        return _check(check or _failed_check(job, how_it_ended(job, pods), now), stored)
    if job.purpose is Purpose.PROMOTE:
        moves = (PromoteReport.from_termination_message(text) for text in texts)
        promote = next((r for r in moves if r is not None and _is_of(job, r.last_promotion)), None)
        return _promotion(promote or _failed_promotion(job, how_it_ended(job, pods), now), stored)
    attempts = (RetrainReport.from_termination_message(text) for text in texts)
    retrain = next((r for r in attempts if r is not None and _is_of(job, r.last_retraining)), None)
    return _retraining(retrain or _failed_retraining(job, how_it_ended(job, pods), now), stored)


def failed_report(job: Job, why: str, stored: ModelMonitorStatus, now: datetime) -> Recovered:
    """Return the report of a Job whose own one cannot be stored; the arguments are those of `recover_report`.

    Args:
        job: A finished Job.
        why: A sentence.
        stored: The stored status.
        now: The time.
    """
    if job.purpose is Purpose.CHECK:
        return _check(_failed_check(job, shortened(why), now), stored)
    if job.purpose is Purpose.PROMOTE:
        return _promotion(_failed_promotion(job, shortened(why), now), stored)
    return _retraining(_failed_retraining(job, shortened(why), now), stored)


def own_pods(job: Job, pods: Iterable[Pod]) -> list[Pod]:
    """Return the pods that the Job controls: anybody may write the label by which they were listed."""
    return [pod for pod in pods if _is_controlled_by(job, pod["metadata"])]


def _is_controlled_by(job: Job, metadata: Mapping[str, Any]) -> bool:
    return metadata.get("namespace") == job.namespace and any(
        (owner.get("kind"), owner.get("name"), owner.get("uid")) == ("Job", job.name, job.uid)
        and owner.get("controller") is True
        for owner in metadata.get("ownerReferences") or ()
    )


def _check(report: CheckReport, stored: ModelMonitorStatus) -> Recovered:
    if report.task is None:
        report = report.replaced(task=stored.task, target=stored.target)
    found = report.model and report.model.without_digest()  # the policy holds the pod to it, not the operator
    return Recovered(CHECK_MANAGER, report.replaced(model=stored.model or found).to_wire())


def _retraining(report: RetrainReport, stored: ModelMonitorStatus) -> Recovered:
    report = report.replaced(
        model=report.model or stored.model, challenger=report.challenger or stored.challenger
    )
    return Recovered(RETRAIN_MANAGER, report.to_wire())


def _promotion(report: PromoteReport, stored: ModelMonitorStatus) -> Recovered:
    found = report.model and _as_recorded(report.model, stored)  # as the policy holds the pod to it
    return Recovered(PROMOTE_MANAGER, report.replaced(model=found or stored.model).to_wire())


def _as_recorded(model: ModelVersion, stored: ModelMonitorStatus) -> ModelVersion:
    """Return the version, without its digest and origin unless the status has recorded them before."""
    recorded = (stored.challenger, stored.promotion.previous, stored.model)
    is_recorded = any(each is not None and model.has_files_of(each) for each in recorded)
    return model if is_recorded else model.without_digest()


def _is_of(job: Job, outcome: LastCheck | LastRetraining | LastPromotion) -> bool:
    """Return whether the outcome is the Job's. One of another slot would leave the Job without a report."""
    return (outcome.job_name, outcome.scheduled_time) == (job.name, job.slot)


def how_it_ended(job: Job, pods: Sequence[Pod]) -> str:
    """Return a sentence on why a Job ended without a report."""
    terminations = list(_terminations(pods))
    last = terminations[-1] if terminations else {}
    if last.get("reason") == "OOMKilled":
        return (
            f"Job {job.name} ran out of memory; "
            "raise spec.podTemplate.resources.limits.memory, or give it fewer rows"
        )
    if last.get("reason") in ("StartError", "ContainerCannotRun"):  # then the message is the runtime's
        return shortened(f"Job {job.name} could not start its container: {last.get('message', '')}")
    sentence = f"Job {job.name} ended without a report"
    if (code := last.get("exitCode")) is not None:
        sentence += f" (exit code {code}{', killed' if code == _OOM_KILLED else ''})"
    return shortened(f"{sentence}: {job.failure}" if job.failure else sentence)


def pod_trouble(pods: Iterable[Pod]) -> str:
    """Return what the newest pod waits for; empty if it is just starting."""
    newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)
    if newest is None:
        return (
            "it has no pod yet; kubectl describe job says why (quota, admission, a missing service account)"
        )
    status = newest.get("status") or {}
    for container in status.get("containerStatuses") or ():
        waiting = container["state"].get("waiting") or {}
        if waiting and waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', 'Unschedulable')}: {condition.get('message', '')}".rstrip(": ")
    return ""


def _terminations(pods: Iterable[Pod]) -> Iterable[Mapping[str, Any]]:
    for pod in pods:
        for container in (pod.get("status") or {}).get("containerStatuses") or ():
            if terminated := container["state"].get("terminated"):
                yield terminated


def _failed_check(job: Job, message: str, now: datetime) -> CheckReport:
    return CheckReport(
        last_check=LastCheck(
            scheduled_time=job.slot,
            job_name=job.name,
            completion_time=now,
            result=CheckResult.ERROR,
            reason=Reason.CHECK_FAILED,
            message=message,
            observed_generation=job.generation,
        )
    )


def _failed_retraining(job: Job, message: str, now: datetime) -> RetrainReport:
    return RetrainReport(
        last_retraining=LastRetraining(
            scheduled_time=job.slot,
            job_name=job.name,
            completion_time=now,
            result=RetrainResult.FAILED,
            reason=Reason.RETRAINING_FAILED,
            message=message,
            observed_generation=job.generation,
        )
    )


def _failed_promotion(job: Job, message: str, now: datetime) -> PromoteReport:
    return PromoteReport(
        last_promotion=LastPromotion(
            scheduled_time=job.slot,
            job_name=job.name,
            completion_time=now,
            result=PromotionResult.FAILED,
            reason=Reason.PROMOTION_FAILED,
            message=message,
            observed_generation=job.generation,
        )
    )
