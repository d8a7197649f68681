"""The operator's part of the status, made anew from where the monitor stands."""

from datetime import datetime
from typing import Final

from selfheal_operator.api.model import format_time
from selfheal_operator.api.reasons import (
    CheckResult,
    ConditionStatus,
    ConditionType,
    Purpose,
    Reason,
    RetrainResult,
)
from selfheal_operator.api.v1alpha1.status import ActiveJob, HistoryEntry, LastCheck, ModelMonitorStatus
from selfheal_operator.core.conditions import Finding, set_conditions
from selfheal_operator.core.history import has_reported
from selfheal_operator.core.jobs import retrain_job_name
from selfheal_operator.core.situation import Situation

MAX_HISTORY: Final = 10

_CONTAINERS_PART: Final = ("task", "last_check", "last_retraining", "model")

_RETRAIN_REASONS: Final = {
    RetrainResult.REGISTERED: Reason.MODEL_REGISTERED,
    RetrainResult.NOT_IMPROVED: Reason.NO_IMPROVEMENT,
}


def operators_part(status: ModelMonitorStatus) -> ModelMonitorStatus:
    """Return what of a stored status is the operator's.

    Conditions of other types are their writers'. The order of map lists means nothing: it is made the same.
    """
    by_type = {condition.type: condition for condition in status.conditions}
    return status.replaced(
        conditions=[by_type[kind] for kind in ConditionType if kind in by_type],
        active=sorted(status.active, key=lambda job: job.name),
        **dict.fromkeys(_CONTAINERS_PART),
    )


def operator_status(situation: Situation) -> ModelMonitorStatus:
    """Return the operator's part of the status as it ought to be.

    Server-side apply removes what an owner no longer sends, so this is always the whole part.
    """
    monitor, slots, old = situation.seen.monitor, situation.slots, situation.seen.monitor.status
    succeeded, failed = _check_times(old)
    return ModelMonitorStatus(
        observed_generation=monitor.generation,
        conditions=set_conditions(
            old.conditions,
            {
                ConditionType.READY: _ready(situation),
                ConditionType.DRIFT_DETECTED: _drift_detected(old.last_check),
                ConditionType.RETRAINING: _retraining(situation),
            },
            monitor.generation,
            situation.now,
        ),
        active=[
            ActiveJob(name=job.name, uid=job.uid, purpose=job.purpose)
            for job in situation.active
            # A check that has reported is about to end: not worth a write of its own.
            if job.purpose is not Purpose.CHECK or not has_reported(monitor, job)
        ],
        last_schedule_time=slots.last,
        next_check_time=slots.next,
        last_successful_check_time=succeeded,
        last_failed_check_time=failed,
        missed_checks=(old.missed_checks or 0) + slots.missed,
        last_handled_check_request=situation.requests.handled_check,
        last_handled_retrain_request=situation.requests.handled_retrain,
        history=_history(old),
        retraining=situation.retraining,
    )


def _check_times(old: ModelMonitorStatus) -> tuple[datetime | None, datetime | None]:
    check = old.last_check
    if check is None:
        return old.last_successful_check_time, old.last_failed_check_time
    time = check.completion_time or check.slot
    if check.result is CheckResult.ERROR:
        return old.last_successful_check_time, time
    return time, old.last_failed_check_time


def _history(old: ModelMonitorStatus) -> list[HistoryEntry]:
    """Return the newest verdicts. A late report takes the place of what was said in its name."""
    check = old.last_check
    if check is None or (old.history and old.history[0].time > check.slot):
        return old.history
    entry = HistoryEntry(time=check.slot, result=check.result, drift_share=check.drift_share)
    return [entry, *(earlier for earlier in old.history if earlier.time < check.slot)][:MAX_HISTORY]


def _ready(situation: Situation) -> Finding:
    """Say whether checks run as declared. Drift is no reason against it: a drifted model is well watched."""
    rejection, check = situation.rejection, situation.seen.monitor.status.last_check
    if situation.rules is None:
        return Finding(ConditionStatus.FALSE, Reason.INVALID_SPEC, situation.problem)
    if situation.rules.spec.suspend:
        return Finding(ConditionStatus.TRUE, Reason.SUSPENDED, "No new checks: spec.suspend is true")
    if rejection is not None:
        return Finding(ConditionStatus.FALSE, rejection.reason, rejection.message)
    if (trouble := _pod_trouble(situation)) is not None:
        return Finding(ConditionStatus.FALSE, Reason.POD_NOT_STARTING, trouble)
    if check is not None and check.result is CheckResult.ERROR:
        return Finding(ConditionStatus.FALSE, Reason.CHECKS_FAILING, f"{check.reason}: {check.message}")
    return Finding(ConditionStatus.TRUE, Reason.MONITOR_ACTIVE, "Checks run on schedule")


def _pod_trouble(situation: Situation) -> str | None:
    trouble = situation.seen.pod_trouble
    job = next((job for job in situation.active if trouble and job.uid == trouble.job_uid), None)
    if trouble is None or job is None or job.has_ready_pod or not trouble.message:
        return None
    return f"Job {job.name} does not start: {trouble.message}"


def _drift_detected(check: LastCheck | None) -> Finding:
    if check is None:
        return Finding(ConditionStatus.UNKNOWN, Reason.NOT_YET_CHECKED, "No check has reported yet")
    status = {
        CheckResult.DRIFT: ConditionStatus.TRUE,
        CheckResult.NO_DRIFT: ConditionStatus.FALSE,
        CheckResult.WARNING: ConditionStatus.FALSE,
    }.get(check.result, ConditionStatus.UNKNOWN)
    return Finding(status, check.reason, check.message)


def _retraining(situation: Situation) -> Finding:
    """Say what there is to say of retraining: running, wanted but held back, or how the last one ended."""
    job, objection = situation.active_for(Purpose.RETRAIN), situation.objection
    if job is not None and job.request:
        return Finding(
            ConditionStatus.TRUE,
            Reason.RETRAIN_REQUESTED,
            f"Job {job.name} answers the request {job.request}",
        )
    if job is not None:
        return Finding(
            ConditionStatus.TRUE,
            Reason.DRIFT_TRIGGERED,
            f"Job {job.name} answers the drift found at {format_time(job.slot)}",
        )
    if objection is not None and objection.holds_back:
        return Finding(ConditionStatus.FALSE, objection.reason, objection.message)
    if objection is None and Purpose.RETRAIN in situation.seen.held:
        message = "A retraining is due; as many run already as the operator may have at once"
        return Finding(ConditionStatus.FALSE, Reason.WAITING_FOR_CAPACITY, message)
    return retraining_outcome(situation)


def retraining_outcome(situation: Situation) -> Finding:
    """Say how the newest retraining that has ended did so."""
    memory, last = situation.retraining, situation.seen.monitor.status.last_retraining
    if memory.count == 0:
        return Finding(ConditionStatus.FALSE, Reason.NEVER_NEEDED, "No retraining has been needed")
    running = situation.active_for(Purpose.RETRAIN) is not None
    if last is None or (not running and memory.last_trigger_slot and last.slot < memory.last_trigger_slot):
        name = retrain_job_name(situation.seen.monitor.name, memory.count - running)
        return Finding(
            ConditionStatus.FALSE, Reason.RETRAIN_FAILED, f"Job {name} was removed before it reported"
        )
    return Finding(ConditionStatus.FALSE, _RETRAIN_REASONS.get(last.result, last.reason), last.message)
