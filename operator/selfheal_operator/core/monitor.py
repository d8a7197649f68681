"""One monitor, one look, one step: the table of contents of all that the operator decides."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.backoff import retry_time
from selfheal_operator.core.events import events_of, replaced_event
from selfheal_operator.core.history import is_started_on_record, surplus_jobs
from selfheal_operator.core.jobs import check_job, check_job_name, retrain_job, retrain_job_name
from selfheal_operator.core.observed import Job, Observed
from selfheal_operator.core.plan import (
    CreateJob,
    DeleteJob,
    InspectPods,
    Plan,
    RecoverReport,
    ReplaceJob,
    Step,
    WriteStatus,
)
from selfheal_operator.core.requests import slot_for_request
from selfheal_operator.core.situation import QUEUE_PATIENCE, Situation, assess
from selfheal_operator.core.slots import punctuality_of
from selfheal_operator.core.status import operator_status, operators_part

POD_PATIENCE: Final = timedelta(seconds=30)
"""A pod that has not started by then is asked what it waits for, and again after as long.

Counted from the Job's startTime: what waits in a queue has no pod, and is not late.
"""

STATUS_PATIENCE: Final = timedelta(seconds=5)
"""A status that would only tell that a check has started is written after this, or with its verdict."""

_TOLD_BY_THE_JOB: Final = frozenset({"active", "lastScheduleTime", "nextCheckTime", "missedChecks"})


def plan_monitor(seen: Observed, now: datetime) -> Plan:
    """Decide the next step for one monitor.

    Level-triggered: the same `seen` gives the same plan, whatever woke us up, and a step that was lost
    is decided again. The caller carries the step out, and asks again after every step: a plan without one
    leaves nothing to do before `wake_at`.
    """
    if seen.monitor.deleting:
        return Plan()  # its Jobs go by garbage collection
    if (question := _question(seen, now)) is not None:
        return Plan(step=question)

    situation = assess(seen, now)
    wanted = _wanted_jobs(situation)
    plan = _next_step(situation, [order for order in wanted if order.purpose not in seen.held])
    return replace(
        plan, waiting={order.purpose: order.slot for order in wanted if order.purpose in seen.held}
    )


def _next_step(situation: Situation, admitted: Sequence[CreateJob]) -> Plan:
    seen, now = situation.seen, situation.now
    order, retry_at = _order(situation, admitted)
    if order is not None and (retry_at is None or retry_at <= now):
        return Plan(step=order)
    overtaken = _overtaken_check(situation)
    if overtaken is not None and is_started_on_record(seen.monitor, overtaken):
        return Plan(step=ReplaceJob(overtaken, replaced_event(overtaken)))

    step, wake_at = _status_to_write(situation, may_wait=overtaken is None)
    return Plan(
        step=step or _surplus_job(situation), wake_at=_first(wake_at, _wake_time(situation, retry_at))
    )


def _question(seen: Observed, now: datetime) -> Step | None:
    """Return what has to be found out before anything can be decided."""
    if (unreported := _finished_without_report(seen)) is not None:
        return RecoverReport(unreported)
    if (waiting := _pod_to_ask(seen, now)) is not None:
        return InspectPods(waiting)
    return None


def _finished_without_report(seen: Observed) -> Job | None:
    """Return the newest finished Job of either purpose whose report is not in the status."""
    status = seen.monitor.status
    reported = {
        Purpose.CHECK: status.last_check.scheduled_time if status.last_check else None,
        Purpose.RETRAIN: status.last_retraining.scheduled_time if status.last_retraining else None,
    }
    for purpose, slot in reported.items():
        finished = [job for job in seen.jobs if job.purpose is purpose and job.finished and not job.replaced]
        newest = max(finished, key=lambda job: job.slot, default=None)
        if newest is not None and (slot is None or slot < newest.slot):
            return newest
    return None


def _pod_to_ask(seen: Observed, now: datetime) -> Job | None:
    """Return the oldest Job that has had its time to start, unless its pod has been asked just now.

    Always the same one, until it starts: with two that wait, as in a full cluster, each answer would else
    call for the other question, and the status would never be written.
    """
    late = (job for job in seen.jobs if job.awaits_pod and _may_start_since(job) + POD_PATIENCE <= now)
    oldest = min(late, key=lambda job: (job.created, job.name), default=None)
    trouble = seen.pod_trouble
    if oldest is None or trouble is None or trouble.job_uid != oldest.uid:
        return oldest
    return oldest if trouble.time + POD_PATIENCE <= now else None


def _may_start_since(job: Job) -> datetime:
    return job.started or job.created


def _wanted_jobs(situation: Situation) -> list[CreateJob]:
    """Return the Jobs that ought to be there and are not, the first to be created first.

    A retraining goes first: it answers the older slot.
    """
    orders = (_retraining_order(situation), _check_order(situation))
    return [order for order in orders if order is not None]


def _order(situation: Situation, admitted: Sequence[CreateJob]) -> tuple[CreateJob | None, datetime | None]:
    """Return the Job that has to be created, and when it may be asked for, if not at once.

    A retraining that is refused, perhaps because it needs more than the quota gives, does not keep checks
    waiting. The other way round both wait: two that are refused in turns would be asked for without a pause.
    """
    rejection = situation.rejection
    if rejection and len(admitted) > 1 and rejection.job_name == admitted[0].name:
        return admitted[1], None
    return next(iter(admitted), None), retry_time(rejection) if rejection else None


def _retraining_order(situation: Situation) -> CreateJob | None:
    seen, rules, verdict = situation.seen, situation.rules, situation.seen.monitor.status.last_check
    token = situation.requests.retrain
    if rules is None or situation.objection is not None or (verdict is None and not token):
        return None
    if token or verdict is None:
        slot = slot_for_request(situation.now, seen.jobs, rules.schedule)
    else:
        slot = verdict.scheduled_time
    # Not the count in the status: an operator that died here left a Job that only the situation knows.
    count = situation.retraining.count
    return CreateJob(
        Purpose.RETRAIN,
        retrain_job(seen.monitor, rules.spec, count + 1, slot, seen.defaults, token=token),
        slot,
        unseen=_unseen(
            situation, Purpose.RETRAIN, retrain_job_name(seen.monitor.name, count) if count else None
        ),
    )


def _check_order(situation: Situation) -> CreateJob | None:
    seen, rules, due = situation.seen, situation.rules, situation.slots.due
    # Forbid: a slot that comes due while a check runs waits for it; by then only the newest one is started.
    if rules is None or situation.active_for(Purpose.CHECK) is not None:
        return None
    token = "" if due is not None else situation.requests.check  # the older one first
    if due is None:
        if not token or rules.spec.suspend:
            return None
        due = slot_for_request(situation.now, seen.jobs, rules.schedule)
    last = seen.monitor.status.last_schedule_time
    return CreateJob(
        Purpose.CHECK,
        check_job(seen.monitor, rules.spec, due, seen.defaults, token=token),
        due,
        delay=timedelta() if token else punctuality_of(rules.spec, seen.monitor.uid).delay,
        unseen=_unseen(situation, Purpose.CHECK, check_job_name(seen.monitor.name, last) if last else None),
    )


def _unseen(situation: Situation, purpose: Purpose, newest: str | None) -> tuple[str, ...]:
    """Return the names of Jobs that may still run, and are known by name only.

    Monitors and Jobs come by two watches, and one may be behind: a Job that another operator started a moment
    ago may be in the status and not yet among the Jobs. And a request of our own may have been carried out
    though its answer was lost.
    """
    status, seen = situation.seen.monitor.status, {job.name for job in situation.seen.jobs}
    last = status.last_check if purpose is Purpose.CHECK else status.last_retraining
    named = {job.name for job in status.active if job.purpose is purpose} | {*situation.seen.unanswered}
    if newest is not None and (last is None or last.job_name != newest):
        named.add(newest)
    return tuple(sorted(named - seen))


def _overtaken_check(situation: Situation) -> Job | None:
    """Return the check that has to make room for the slot that is due: concurrencyPolicy Replace.

    One that somebody asked for is left to finish: nobody would ask again for them. Whether there is room for
    another Job is no matter: the one that is stopped leaves its place.
    """
    rules, due, running = situation.rules, situation.slots.due, situation.active_for(Purpose.CHECK)
    if rules is None or due is None or running is None or rules.spec.concurrency_policy != "Replace":
        return None
    return None if running.request or running.deleting else running


def _status_to_write(situation: Situation, *, may_wait: bool) -> tuple[WriteStatus | None, datetime | None]:
    """Return the status that has to be stored now; or, where it may be left unwritten, until when."""
    new = operator_status(situation)
    status, stored = new.to_wire(), operators_part(situation.seen.monitor.status).to_wire()
    if status == stored:
        return None, None
    until = _may_wait_until(situation, status, stored) if may_wait else None
    if until is not None:
        return None, until
    return WriteStatus(status, events_of(situation, new), situation.slots.missed_by_reason), None


def _may_wait_until(
    situation: Situation, status: Mapping[str, Any], stored: Mapping[str, Any]
) -> datetime | None:
    """Return how long a status that only tells of a check's start may be left unwritten; None: not at all.

    Most checks report within seconds, and one write then tells of both: of a thousand monitors that are due
    in the same second, all are started before any is written about. Until then the Job is the record.
    """
    news = {name for name in {**status, **stored} if status.get(name) != stored.get(name)}
    young = [job.created for job in situation.active if job.purpose is Purpose.CHECK]
    if not young or not news <= _TOLD_BY_THE_JOB:
        return None
    until = max(young) + STATUS_PATIENCE
    return until if situation.now < until else None


def _surplus_job(situation: Situation) -> DeleteJob | None:
    if situation.rules is None:
        return None
    surplus = surplus_jobs(situation.seen.monitor, situation.rules.spec, situation.seen.jobs, situation.now)
    return DeleteJob(surplus[0]) if surplus else None


def _wake_time(situation: Situation, retry_at: datetime | None) -> datetime | None:
    starting = any(job.awaits_pod for job in situation.active)
    return _first(
        situation.slots.wake,
        situation.objection.until if situation.objection else None,
        retry_at,
        situation.now + POD_PATIENCE if starting else None,
        *(
            end
            for job in situation.active
            if job.queued and (end := job.created + QUEUE_PATIENCE) > situation.now
        ),
    )


def _first(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)
