"""Decides the next step for one monitor; the entry point of all decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.backoff import retry_time
from selfheal_operator.core.credibility import believed
from selfheal_operator.core.events import events_of, replaced_event
from selfheal_operator.core.history import is_started_on_record, reported_slot, surplus_jobs
from selfheal_operator.core.jobs import (
    check_job,
    check_job_name,
    promote_job,
    promote_job_name,
    retrain_job,
    retrain_job_name,
)
from selfheal_operator.core.observed import Job, Observed, is_job_name
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
from selfheal_operator.core.requests import slot_before, slot_for_request
from selfheal_operator.core.situation import QUEUE_PATIENCE, Situation, assess
from selfheal_operator.core.slots import punctuality_of
from selfheal_operator.core.status import OPERATORS_PART, operator_status, operators_part
from selfheal_operator.core.validation import Rules

POD_PATIENCE: Final = timedelta(seconds=30)
"""If a pod has not started after this time, its status is read for the reason, and again at this interval.

Counted from the Job's startTime: a Job that waits in a queue has no pod and is not late.
"""

PATIENCE_OF_REQUESTS: Final = timedelta(seconds=5)
"""A scheduled check that is later than this has waited for another one: a request may go before it."""

STATUS_PATIENCE: Final = timedelta(seconds=5)
"""A status that would only report a check's start is written after this, or together with the verdict."""

_TOLD_BY_THE_JOB: Final = frozenset({"active", "lastScheduleTime", "nextCheckTime", "missedChecks"})


def plan_monitor(seen: Observed, now: datetime) -> Plan:
    """Decide the next step for one monitor.

    Level-triggered: the same `seen` gives the same plan, whatever the event was, and a lost step is decided
    again. The caller executes the step and calls this again after every step: if the plan has no step,
    nothing is left to do before `wake_at`.
    """
    if seen.monitor.deleting:
        return Plan()  # garbage collection deletes its Jobs
    if (monitor := believed(seen.monitor, seen.jobs, now)) is not seen.monitor:
        seen = replace(seen, monitor=monitor)
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
    """Return the read that is needed before anything else can be decided."""
    if (unreported := _finished_without_report(seen)) is not None:
        return RecoverReport(unreported)
    if (waiting := _pod_to_ask(seen, now)) is not None:
        return InspectPods(waiting)
    return None


def _finished_without_report(seen: Observed) -> Job | None:
    """Return the newest finished Job of any purpose whose report is not in the status."""
    for purpose in Purpose:
        slot = reported_slot(seen.monitor.status, purpose)
        finished = [job for job in seen.jobs if job.purpose is purpose and job.finished and not job.replaced]
        newest = max(finished, key=lambda job: job.slot, default=None)
        if newest is not None and (slot is None or slot < newest.slot):
            return newest
    return None


def _pod_to_ask(seen: Observed, now: datetime) -> Job | None:
    """Return the oldest Job whose pod should have started, unless its pods were inspected just now.

    Always the same Job until it starts: otherwise, with two that wait (as in a full cluster), each inspection
    would lead to the other, and the status would never be written.
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
    """Return the missing Jobs in the order in which to create them.

    A retraining goes before a check: it belongs to the older slot.
    """
    orders = (_promotion_order(situation), _retraining_order(situation), _check_order(situation))
    return [order for order in orders if order is not None]


def _order(situation: Situation, admitted: Sequence[CreateJob]) -> tuple[CreateJob | None, datetime | None]:
    """Return the Job to create, and when it may be retried, if not at once.

    A refused retraining, for example one that exceeds the quota, does not block checks. A refused check
    blocks both: if the API server refused both in turn, they would be retried without a pause.
    """
    rejection = situation.rejection
    if rejection and len(admitted) > 1 and rejection.job_name == admitted[0].name:
        return admitted[1], None
    return next(iter(admitted), None), retry_time(rejection) if rejection else None


def _promotion_order(situation: Situation) -> CreateJob | None:
    """Return the Job of the promotion whose intent is stored. Before that there is none: see the record."""
    seen, rules, record = situation.seen, situation.rules, situation.promotion
    intent = record.intent
    if rules is None or intent is None or not situation.promotes or record != seen.monitor.status.promotion:
        return None
    if promote_job_name(seen.monitor.name, record.count) in {job.name for job in seen.jobs}:
        return None
    job = promote_job(seen.monitor, rules.spec, record.count, intent, seen.defaults)
    return CreateJob(Purpose.PROMOTE, job, intent.decided_time)


def _retraining_order(situation: Situation) -> CreateJob | None:
    seen, rules, verdict = situation.seen, situation.rules, situation.seen.monitor.status.last_check
    token = situation.requests.retrain
    if rules is None or situation.objection is not None or (verdict is None and not token):
        return None
    if token or verdict is None:
        slot = slot_for_request(situation.now, seen.jobs, rules.schedule)
    else:
        slot = verdict.scheduled_time
    # Not the count in the status: after a crash here, a Job exists that only the situation includes.
    count = situation.retraining.count
    return CreateJob(
        Purpose.RETRAIN,
        retrain_job(
            seen.monitor,
            rules.spec,
            count + 1,
            slot,
            seen.defaults,
            token=token,
            triggers=() if token else situation.triggers,
        ),
        slot,
        unseen=_unseen(
            situation, Purpose.RETRAIN, retrain_job_name(seen.monitor.name, count) if count else None
        ),
    )


def _check_order(situation: Situation) -> CreateJob | None:
    seen, rules, due = situation.seen, situation.rules, situation.slots.due
    # Forbid: a slot that comes due while a check runs waits for its end; then only the newest is started.
    if rules is None or situation.active_for(Purpose.CHECK) is not None:
        return None
    token = situation.requests.check if due is None or _is_turn_of_request(situation, rules, due) else ""
    requested = _requested_slot(situation, rules) if token and not rules.spec.suspend else None
    # Where no slot is free for the request, the scheduled check goes first: neither may wait for the other.
    token, due = (token, requested) if requested is not None else ("", due)
    if due is None:
        return None
    last = seen.monitor.status.last_schedule_time
    return CreateJob(
        Purpose.CHECK,
        check_job(seen.monitor, rules.spec, due, seen.defaults, token=token),
        due,
        delay=timedelta() if token else punctuality_of(rules.spec, seen.monitor.uid).delay,
        unseen=_unseen(situation, Purpose.CHECK, check_job_name(seen.monitor.name, last) if last else None),
    )


def _is_turn_of_request(situation: Situation, rules: Rules, due: datetime) -> bool:
    """Return whether a requested check goes before the scheduled one that is due.

    Normally the scheduled one goes first: its slot is older. But where checks take longer than their
    interval, one is always due, and requests would wait for ever. So after a scheduled check that has kept
    the next one waiting, it is the request's turn, and then the schedule's again.
    """
    checks = [job for job in situation.seen.jobs if job.purpose is Purpose.CHECK]
    newest = max(checks, key=lambda job: job.slot, default=None)
    late = due + punctuality_of(rules.spec, situation.seen.monitor.uid).delay + PATIENCE_OF_REQUESTS
    return newest is not None and newest.is_scheduled_check and situation.now >= late


def _requested_slot(situation: Situation, rules: Rules) -> datetime | None:
    oldest, now, jobs = situation.slots.next, situation.now, situation.seen.jobs
    if oldest is not None and oldest <= now:  # it has come, and its start is delayed by spec.spreadSeconds
        return slot_before(oldest, jobs)
    return slot_for_request(now, jobs, rules.schedule)


def _unseen(situation: Situation, purpose: Purpose, newest: str | None) -> tuple[str, ...]:
    """Return the names of Jobs that may still run but are known by name only.

    Monitors and Jobs have separate watches, and one may lag: a Job that another operator has just started may
    be in the status but not among the Jobs. And a create request of our own may have succeeded although its
    response was lost.
    """
    status, seen = situation.seen.monitor.status, {job.name for job in situation.seen.jobs}
    last = status.last_check if purpose is Purpose.CHECK else status.last_retraining
    active = {job.name for job in status.active if job.purpose is purpose}
    monitor = situation.seen.monitor.name
    named = {name for name in active if is_job_name(name, monitor, purpose)} | {*situation.seen.unanswered}
    if newest is not None and (last is None or last.job_name != newest):
        named.add(newest)
    return tuple(sorted(named - seen))


def _overtaken_check(situation: Situation) -> Job | None:
    """Return the check to stop for the slot that is due, under concurrencyPolicy Replace.

    A requested check may finish, because its request would not be repeated. The limits do not matter: the
    stopped Job frees its place.
    """
    rules, due, running = situation.rules, situation.slots.due, situation.active_for(Purpose.CHECK)
    if rules is None or due is None or running is None or rules.spec.concurrency_policy != "Replace":
        return None
    return None if running.request or running.deleting else running


def _status_to_write(situation: Situation, *, may_wait: bool) -> tuple[WriteStatus | None, datetime | None]:
    """Return the status to store now; or, if the write may be deferred, until when."""
    new = operator_status(situation)
    status, stored = new.to_wire(), operators_part(situation.seen.monitor.status).to_wire()
    forged = OPERATORS_PART & situation.seen.monitor.disbelieved
    if status == stored and not forged:
        return None, None
    until = _may_wait_until(situation, status, stored) if may_wait and not forged else None
    if until is not None:
        return None, until
    return WriteStatus(status, events_of(situation, new), situation.slots.missed_by_reason), None


def _may_wait_until(
    situation: Situation, status: Mapping[str, Any], stored: Mapping[str, Any]
) -> datetime | None:
    """Return until when to defer a status that only reports a check's start; None: do not defer it.

    Most checks report within seconds, and then one write covers both. If a thousand monitors are due in the
    same second, all Jobs are created before any status is written. Until then the Job is the record.
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
        _later(situation.capacity_patience_end, situation.now),
        _later(situation.promotion_retry_time, situation.now),
        _later(situation.approval_end, situation.now),
        situation.now + POD_PATIENCE if starting else None,
        *(
            end
            for job in situation.active
            if job.queued and (end := job.created + QUEUE_PATIENCE) > situation.now
        ),
    )


def _later(time: datetime | None, now: datetime) -> datetime | None:
    return time if time is not None and time > now else None


def _first(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)
