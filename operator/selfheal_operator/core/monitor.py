"""One monitor, one look, one step: the table of contents of all that the operator decides."""

from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.backoff import retry_time
from selfheal_operator.core.events import events_of
from selfheal_operator.core.jobs import check_job, retrain_job
from selfheal_operator.core.observed import Job, Observed
from selfheal_operator.core.plan import JobOrder, Plan
from selfheal_operator.core.situation import Situation, assess
from selfheal_operator.core.status import operator_status, stored_operator_status

POD_PATIENCE: Final = timedelta(seconds=30)
"""A pod that has not started by then is asked what it waits for, and again after as long."""


def plan_monitor(seen: Observed, now: datetime) -> Plan:
    """Decide the next step for one monitor.

    Level-triggered: the same `seen` gives the same plan, whatever woke us up, and a step that was lost
    is decided again. The caller carries the step out, and asks again after every step but the last:
    a plan with neither `recover` nor `inspect` nor `job` leaves nothing to do before `wake_at`.
    """
    if seen.monitor.deleting:
        return Plan()  # its Jobs go by garbage collection
    if (unreported := _finished_without_report(seen)) is not None:
        return Plan(recover=unreported)
    if (waiting := _pod_to_ask(seen, now)) is not None:
        return Plan(inspect=waiting)

    situation = assess(seen, now)
    order, retry_at = _order(situation)
    if order is not None and (retry_at is None or retry_at <= now):
        return Plan(job=order)

    status = operator_status(situation)
    changed = status != stored_operator_status(seen.monitor.status)
    return Plan(
        status=status if changed else None,
        events=events_of(situation, status) if changed else (),
        wake_at=_wake_time(situation, retry_at),
    )


def _finished_without_report(seen: Observed) -> Job | None:
    """Return the newest finished Job of either purpose whose report is not in the status."""
    status = seen.monitor.status
    reported = {
        Purpose.CHECK: status.last_check.slot if status.last_check else None,
        Purpose.RETRAIN: status.last_retraining.slot if status.last_retraining else None,
    }
    for purpose, slot in reported.items():
        finished = [job for job in seen.jobs if job.purpose is purpose and job.finished]
        newest = max(finished, key=lambda job: job.slot, default=None)
        if newest is not None and (slot is None or slot < newest.slot):
            return newest
    return None


def _pod_to_ask(seen: Observed, now: datetime) -> Job | None:
    """Return the oldest Job that has had its time to start, unless its pod has been asked just now.

    Always the same one, until it starts: with two that wait, as in a full cluster, each answer would else
    call for the other question, and the status would never be written.
    """
    late = (job for job in seen.jobs if _is_starting(job) and job.created + POD_PATIENCE <= now)
    oldest = min(late, key=lambda job: (job.created, job.name), default=None)
    trouble = seen.pod_trouble
    if oldest is None or trouble is None or trouble.job_uid != oldest.uid:
        return oldest
    return oldest if trouble.time + POD_PATIENCE <= now else None


def _is_starting(job: Job) -> bool:
    return not job.finished and not job.has_ready_pod


def _order(situation: Situation) -> tuple[JobOrder | None, datetime | None]:
    """Return the Job that has to be created, and when it may be asked for, if not at once.

    A retraining goes first: it answers the older slot. But a retraining that is refused, perhaps because
    it needs more than the quota gives, does not keep checks waiting.
    """
    retraining, check = _retraining_order(situation), _check_order(situation)
    rejection = situation.rejection
    if retraining and check and rejection and rejection.job_name == retraining.name:
        return check, None
    return retraining or check, retry_time(rejection) if rejection else None


def _retraining_order(situation: Situation) -> JobOrder | None:
    seen, rules, verdict = situation.seen, situation.rules, situation.seen.monitor.status.last_check
    if rules is None or verdict is None or situation.objection is not None:
        return None
    # Not the count in the status: an operator that died here left a Job that only the situation knows.
    number = situation.retraining.count + 1
    return JobOrder(
        Purpose.RETRAIN, retrain_job(seen.monitor, rules.spec, number, verdict.slot, seen.defaults)
    )


def _check_order(situation: Situation) -> JobOrder | None:
    seen, rules, due = situation.seen, situation.rules, situation.slots.due
    # Forbid: a slot that comes due while a check runs waits for it; by then only the newest one is started.
    if rules is None or due is None or situation.active_for(Purpose.CHECK) is not None:
        return None
    return JobOrder(Purpose.CHECK, check_job(seen.monitor, rules.spec, due, seen.defaults))


def _wake_time(situation: Situation, retry_at: datetime | None) -> datetime | None:
    starting = any(_is_starting(job) for job in situation.active)
    wishes = (
        situation.slots.wake,
        situation.objection.until if situation.objection else None,
        retry_at,
        situation.now + POD_PATIENCE if starting else None,
    )
    return min((time for time in wishes if time is not None), default=None)
