"""Recovers the outcome of a Job whose report is not in the status, from its pods.

A container also writes its report to its termination message. If that is missing too, the pods' statuses
show how it ended, and a report is written on its behalf: an Error, without a verdict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from selfheal_operator.api.reasons import CheckResult, PromotionResult, Purpose, Reason, RetrainResult
from selfheal_operator.api.report import AnyReport, CheckReport, Outcome, PromoteReport, RetrainReport
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

_REPORTS: Final[Mapping[Purpose, type[AnyReport]]] = {
    Purpose.CHECK: CheckReport,
    Purpose.RETRAIN: RetrainReport,
    Purpose.PROMOTE: PromoteReport,
}

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
    reports = (_REPORTS[job.purpose].from_termination_message(text) for text in texts)
    found = next((report for report in reports if report is not None and _is_of(job, report.outcome)), None)
    return _recovered(found or _failed(job, how_it_ended(job, pods), now), stored)


def failed_report(job: Job, why: str, stored: ModelMonitorStatus, now: datetime) -> Recovered:
    """Return the report of a Job whose own one cannot be stored; the arguments are those of `recover_report`.

    Args:
        job: A finished Job.
        why: A sentence.
        stored: The stored status.
        now: The time.
    """
    return _recovered(_failed(job, shortened(why), now), stored)


def own_pods(job: Job, pods: Iterable[Pod]) -> list[Pod]:
    """Return the pods that the Job controls: anybody may write the label by which they were listed."""
    return [pod for pod in pods if _is_controlled_by(job, pod["metadata"])]


def _is_controlled_by(job: Job, metadata: Mapping[str, Any]) -> bool:
    return metadata.get("namespace") == job.namespace and any(
        (owner.get("kind"), owner.get("name"), owner.get("uid")) == ("Job", job.name, job.uid)
        and owner.get("controller") is True
        for owner in metadata.get("ownerReferences") or ()
    )


def _recovered(report: AnyReport, stored: ModelMonitorStatus) -> Recovered:
    return Recovered(report.manager, _carried_over(report, stored).to_wire())


def _carried_over(report: AnyReport, stored: ModelMonitorStatus) -> AnyReport:
    """Return the report with what the status has already, where the report says nothing of it."""
    match report:
        case CheckReport():
            if report.task is None:
                report = report.replaced(task=stored.task, target=stored.target)
            # The policy holds the pod to it, not the operator.
            found = report.model and report.model.without_digest()
            return report.replaced(model=stored.model or found)
        case RetrainReport():
            return report.replaced(
                model=report.model or stored.model, challenger=report.challenger or stored.challenger
            )
        case PromoteReport():
            found = report.model and _as_recorded(report.model, stored)  # as the policy holds the pod to it
            return report.replaced(model=found or stored.model)


def _as_recorded(model: ModelVersion, stored: ModelMonitorStatus) -> ModelVersion:
    """Return the version, without its digest and origin unless the status has recorded them before."""
    is_recorded = any(model.has_files_of(each) for each in stored.recorded_versions)
    return model if is_recorded else model.without_digest()


def _is_of(job: Job, outcome: Outcome) -> bool:
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


def _failed(job: Job, message: str, now: datetime) -> AnyReport:
    told: dict[str, Any] = {
        "scheduled_time": job.slot,
        "job_name": job.name,
        "completion_time": now,
        "message": message,
        "observed_generation": job.generation,
    }
    match job.purpose:
        case Purpose.CHECK:
            check = LastCheck(**told, result=CheckResult.ERROR, reason=Reason.CHECK_FAILED)
            return CheckReport(last_check=check)
        case Purpose.RETRAIN:
            retraining = LastRetraining(**told, result=RetrainResult.FAILED, reason=Reason.RETRAINING_FAILED)
            return RetrainReport(last_retraining=retraining)
        case Purpose.PROMOTE:
            promotion = LastPromotion(**told, result=PromotionResult.FAILED, reason=Reason.PROMOTION_FAILED)
            return PromoteReport(last_promotion=promotion)
