"""Which finished Jobs to delete."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.core.observed import Job, Monitor

if TYPE_CHECKING:
    from selfheal_operator.api.report import Outcome

LOCK_KEPT: Final = timedelta(minutes=5)
"""As long as a Job exists, its name prevents a second start of its slot. Five minutes are longer than a
request can be in flight (10 s until the sender's timeout, and two minutes in which its kernel may still
deliver it), than a dead watch can go unnoticed, and than most pauses of a whole machine."""


def surplus_jobs(monitor: Monitor, spec: ModelMonitorSpec, jobs: Collection[Job], now: datetime) -> list[Job]:
    """Return the Jobs beyond the history limits, oldest first.

    A Job is the record of its slot, number or request until the stored status contains all of it. It is not
    deleted before that; otherwise the next leader would run it again. The newest Job of each kind is kept
    until there is a newer one, and every Job for five minutes: another operator may not have seen that status
    yet, and is stopped by the name.

    A check that was replaced while a queue held it has no pod that could end, and would start one when it is
    admitted: it is deleted as soon as its name is no longer needed as a lock.
    """
    finished = [job for job in jobs if job.finished and not job.deleting]
    newest = {_kind(job): job for job in sorted(jobs, key=_age)}
    surplus = [
        job
        for purpose in Purpose
        for failed, limit in (
            (False, spec.successful_jobs_history_limit),
            (True, spec.failed_jobs_history_limit),
        )
        for job in _beyond(limit, (j for j in finished if j.purpose is purpose and bool(j.failure) is failed))
    ]
    past = [job for job in surplus if is_on_record(monitor, job) and newest[_kind(job)] is not job]
    past += [job for job in jobs if _is_withdrawn(job) and is_started_on_record(monitor, job)]
    return sorted((job for job in past if job.created + LOCK_KEPT <= now), key=_age)


def is_on_record(monitor: Monitor, job: Job) -> bool:
    """Return whether the stored status contains the Job's start and its report."""
    return is_started_on_record(monitor, job) and has_reported(monitor, job)


def is_started_on_record(monitor: Monitor, job: Job) -> bool:
    """Return whether the stored status contains the Job's start."""
    status = monitor.status
    check = job.purpose is Purpose.CHECK
    if job.request:
        asked = monitor.check_request if check else monitor.retrain_request
        handled = status.last_handled_check_request if check else status.last_handled_retrain_request
        if job.request == asked and job.request != handled:
            return False
    if (count := started_counts(status).get(job.purpose)) is not None:
        return number_in(job.name) <= count
    return bool(job.request) or (
        status.last_schedule_time is not None and job.slot <= status.last_schedule_time
    )


def is_end_on_record(monitor: Monitor, job: Job) -> bool:
    """Return whether the stored status contains the retraining's end, even if the Job looks unfinished.

    Monitors and Jobs have separate watches. If the Jobs' watch lags, another operator or the previous leader
    may already have reported the end: listing the Job as active again would report start and end twice.
    """
    return (
        job.purpose is Purpose.RETRAIN
        and is_on_record(monitor, job)
        and job.name not in {active.name for active in monitor.status.active}
    )


def has_reported(monitor: Monitor, job: Job) -> bool:
    """Return whether the stored status contains the report of the Job, or of a later one."""
    reported = reported_slot(monitor.status, job.purpose)
    return reported is not None and reported >= job.slot


def reported_slot(status: ModelMonitorStatus, purpose: Purpose) -> datetime | None:
    """Return the slot of the newest report of one purpose."""
    match purpose:
        case Purpose.CHECK:
            report: Outcome | None = status.last_check
        case Purpose.RETRAIN:
            report = status.last_retraining
        case Purpose.PROMOTE:
            report = status.last_promotion
    return report.scheduled_time if report is not None else None


def started_counts(status: ModelMonitorStatus) -> Mapping[Purpose, int]:
    """Return how many Jobs have been started, of the purposes whose Jobs are numbered."""
    return {Purpose.RETRAIN: status.retraining.count, Purpose.PROMOTE: status.promotion.count}


def retrain_number(job: Job) -> int:
    """Return the number in a retraining Job's name."""
    return number_in(job.name)


def number_in(name: str) -> int:
    """Return the number at the end of a Job's name; 0 if there is none."""
    tail = name.rpartition("-")[2]
    return int(tail) if tail.isascii() and tail.isdigit() else 0


def _is_withdrawn(job: Job) -> bool:
    return job.queued and job.replaced and not job.deleting


def _beyond(limit: int, jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=_age, reverse=True)[limit:]


def _kind(job: Job) -> tuple[Purpose, bool]:
    return job.purpose, bool(job.request)


def _age(job: Job) -> tuple[object, str]:
    return job.slot, job.name
