"""Further invariants of a monitor's Jobs and status, as pure functions of the record.

Each yields a sentence per violation.

A forged status (`chaos.forgeries`) excuses the following, of its own monitor only:

- A status that still has a forged lastScheduleTime or nextCheckTime accounts for no slot. The next one
  without it accounts for all slots since the last one before the forgery, as if nothing had been forged.
- After a lastScheduleTime that operators may believe, the slots until then that were not started before the
  forgery may have neither a Job nor be counted. Nothing excuses other slots, nor a slot that has two Jobs.
- lastScheduleTime and the count of retrainings are not compared across a forgery of that field: what is
  mended comes from the Jobs, and a slot that was passed over has none. missedChecks goes on from the
  forged count.
- A forged report does not end a check that runs.

A forgery of any other field excuses nothing. None excuses a gap in the numbers of retrainings, two of them at
once, a request without an answer, or that the forged value is still there in the end.
Poison excuses nothing either: an object that cannot be read has no Job, and all others have theirs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from chaos.accounts import SECOND, is_steady, schedule_at
from chaos.findings import Odd, Oddity
from chaos.record import MadeJob, MonitorLife
from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import ANNOTATION_CHECK_REQUEST, ANNOTATION_RETRAIN_REQUEST
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.core.schedule import newest_slot

_REQUESTS: Final = {
    Purpose.CHECK: ANNOTATION_CHECK_REQUEST,
    Purpose.RETRAIN: ANNOTATION_RETRAIN_REQUEST,
}
_DAY: Final = timedelta(days=1)


def doubled(life: MonitorLife, jobs: Sequence[MadeJob]) -> Iterator[str]:
    """There is one Job for each slot, for each verdict that triggers a retraining, and for each request."""
    runs: dict[tuple[Purpose, str], list[MadeJob]] = {}
    for job in jobs:
        what = f"the request {job.request}" if job.request else f"the slot {format_time(job.slot)}"
        runs.setdefault((job.purpose, what), []).append(job)
    for (purpose, what), twins in runs.items():
        if len(twins) > 1:
            made = ", ".join(
                f"{job.name} at revision {job.version} by {job.by or 'somebody'}" for job in twins
            )
            yield f"{life.name}: {what} has {len(twins)} Jobs of purpose {purpose}: {made}"


def still_owed(life: MonitorLife, jobs: Sequence[MadeJob], created: datetime, end: datetime) -> Iterator[str]:
    """At the end, the status contains everything that was due.

    Args:
        life: A monitor that exists at the end.
        jobs: Its Jobs that were created before the end.
        created: When the monitor was created, by the operators' clock.
        end: The time until which due slots count, by the same clock.
    """
    last = life.last
    if any(each.stands_in(last.status) for each in life.forged):
        yield f"{life.name}: what was forged of its status is still there"
        return
    if not last.observed:
        yield f"{life.name}: no operator has acted upon its newest spec"
    number = sum(job.purpose is Purpose.RETRAIN for job in jobs)
    if number > last.status.retraining.count:
        yield (
            f"{life.name}: {number} retrainings were started; its status knows {last.status.retraining.count}"
        )
    if last.spec.suspend:
        return
    for purpose, annotation in _REQUESTS.items():
        token = last.annotations.get(annotation)
        # Of all its Jobs: a request may have waited until after the end for a check that ran.
        if token and not any(job.purpose is purpose and job.request == token for job in life.jobs):
            yield f"{life.name}: the request {token} was not answered ({purpose})"
    # Each start is delayed by a share of spreadSeconds.
    slot = newest_slot(schedule_at(life, last), end - _DAY, end - timedelta(seconds=last.spec.spread_seconds))
    owed_from = created + SECOND if is_steady(life) else last.status.next_check_time
    if slot is None or owed_from is None or slot < owed_from:
        return
    if last.status.last_schedule_time is None or last.status.last_schedule_time < slot:
        yield f"{life.name}: the slot {format_time(slot)} was due and nobody started it"


def retrainings_wrong(life: MonitorLife, jobs: Sequence[MadeJob]) -> Iterator[str]:
    """Retrainings are numbered without gaps and run one at a time."""
    retrainings = sorted((job for job in jobs if job.purpose is Purpose.RETRAIN), key=_number)
    numbers = [_number(job) for job in retrainings]
    if sorted(set(numbers)) != list(range(1, len(set(numbers)) + 1)):
        yield f"{life.name}: its retrainings are numbered {numbers}"
    for number, count in Counter(numbers).items():
        if count > 1:
            yield f"{life.name}: there were {count} retrainings with the number {number}"
    for earlier, later in pairwise(retrainings):
        if earlier.finished_version is None or earlier.finished_version > later.version:
            yield f"{life.name}: {later.name} was started while {earlier.name} ran"


def going_back(life: MonitorLife) -> Iterator[str]:
    """Neither the newest slot nor the counts ever decrease, whichever operator writes."""
    for before, after in pairwise(version.status for version in life.versions):
        if (after.missed_checks or 0) < (before.missed_checks or 0):
            yield f"{life.name}: missedChecks went back from {before.missed_checks} to {after.missed_checks}"
        if not _is_count_forged(life, before) and after.retraining.count < before.retraining.count:
            yield f"{life.name}: its count of retrainings went back"
        if after.promotion.count < before.promotion.count:
            yield f"{life.name}: its count of promotions went back"
        old, new = before.last_schedule_time, after.last_schedule_time
        forged = any(each.is_slot_in(before) or each.is_slot_in(after) for each in life.forged)
        if not forged and old is not None and (new is None or new < old):
            yield f"{life.name}: lastScheduleTime went back from {old} to {new}"


def _is_count_forged(life: MonitorLife, status: ModelMonitorStatus) -> bool:
    return any(each.is_count_in(status) for each in life.forged)


def overlapping(life: MonitorLife, checks: Sequence[MadeJob]) -> Iterator[Oddity]:
    """Checks run one at a time, as far as an operator can know; with Replace, the earlier one is stopped."""
    if life.last.spec.concurrency_policy == "Replace":
        return
    for earlier, later in pairwise(checks):
        if not _had_ended(life, earlier, later.version):
            sentence = f"{life.name}: {later.name} was started while {earlier.name} ran"
            yield Oddity(Odd.OVERLAPPING, later.version, sentence)


def _had_ended(life: MonitorLife, job: MadeJob, version: int) -> bool:
    """Return whether the Job had finished, or its check had reported, by that revision."""
    if job.finished_version is not None and job.finished_version < version:
        return True
    told = (each.status for each in life.versions if each.version < version)
    reports = (each.last_check for each in told if not any(f.is_report_in(each) for f in life.forged))
    return any(report is not None and report.scheduled_time >= job.slot for report in reports)


def _number(job: MadeJob) -> int:
    return int(job.name.rpartition("-")[2])
