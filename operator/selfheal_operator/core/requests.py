"""Requested runs: each token of an annotation leads to one Job.

A retraining's token may be followed by options, each after a semicolon. They are part of the token, and not
an annotation of their own: one that is forgotten there would apply to every later request.

The Job carries the token. As with slots, the Job is the record until the status contains the token, and two
operators that handle the same token use the same Job name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.observed import Job, Observed
from selfheal_operator.core.schedule import Schedule, is_slot

_SECOND = timedelta(seconds=1)

RETRAIN_OPTIONS: Final = ("force", "ignoreChampion", "acceptChampion")


def options_of(token: str) -> frozenset[str]:
    """Return the options of a request for a retraining, known or not.

    >>> sorted(options_of("2026-11-23T12:00:00Z; force;ignoreChampion"))
    ['force', 'ignoreChampion']
    """
    return frozenset(filter(None, (option.strip() for option in token.split(";")[1:])))


@dataclass(frozen=True, slots=True)
class Requests:
    """The open requests, and the handled ones."""

    check: str = ""
    """The token of a check that has no Job yet; empty if there is none."""
    retrain: str = ""
    """Likewise of a retraining."""
    unknown_option: str = ""
    """Why the newest request for a retraining is not answered: an option that does not exist."""
    handled_check: str | None = None
    """The newest token that has its check: status.lastHandledCheckRequest."""
    handled_retrain: str | None = None
    """Likewise for retrainings."""


def requests_of(seen: Observed) -> Requests:
    """Compare the annotations with the Jobs and the status."""
    monitor = seen.monitor
    handled_check = _handled(
        monitor.check_request, monitor.status.last_handled_check_request, seen.jobs, Purpose.CHECK
    )
    handled_retrain = _handled(
        monitor.retrain_request, monitor.status.last_handled_retrain_request, seen.jobs, Purpose.RETRAIN
    )
    retrain = "" if monitor.retrain_request == handled_retrain else monitor.retrain_request
    unknown = sorted(options_of(retrain).difference(RETRAIN_OPTIONS))
    return Requests(
        check="" if monitor.check_request == handled_check else monitor.check_request,
        retrain="" if unknown else retrain,
        unknown_option=unknown[0] if unknown else "",
        handled_check=handled_check,
        handled_retrain=handled_retrain,
    )


def _handled(token: str, stored: str | None, jobs: Iterable[Job], purpose: Purpose) -> str | None:
    answered = any(job.purpose is purpose and job.request == token for job in jobs)
    return token if token and answered else stored


def slot_for_request(now: datetime, jobs: Iterable[Job], schedule: Schedule) -> datetime:
    """Return the slot of a run that is requested now.

    Reports are ordered by slot, and the schedule's slots are reserved for scheduled runs. So the slot is
    later than that of every existing Job, and is not a slot of the schedule.
    """
    slot = max(now.replace(microsecond=0), _after_all(jobs))
    while is_slot(schedule, slot):  # once: two slots are a minute apart
        slot += _SECOND
    return slot


def slot_before(delayed: datetime, jobs: Iterable[Job]) -> datetime | None:
    """Return the slot of a check that is requested while the start of a scheduled one is delayed.

    With a later slot, the report of the delayed check would come too late and be discarded.

    Args:
        delayed: The slot of the scheduled check.
        jobs: All Jobs of the monitor.

    Returns:
        The second before; None if it is taken: the request must wait until the delayed check has started.
    """
    slot = delayed - _SECOND
    return slot if slot >= _after_all(jobs) else None


def _after_all(jobs: Iterable[Job]) -> datetime:
    return max((job.slot + _SECOND for job in jobs), default=datetime.min.replace(tzinfo=UTC))
