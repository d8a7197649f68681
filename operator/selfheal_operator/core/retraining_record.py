"""What is remembered of retrainings: their number, their starts, and how many failed in a row.

Computed anew from the stored record, the Jobs and the newest report: the same inputs give the same record, so
a write that was lost is made up for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.api.reasons import Purpose, Reason, RetrainResult
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import (
    LARGEST_COUNT,
    MOST_RUNS_PER_DAY,
    LastRetraining,
    RetrainingStatus,
)
from selfheal_operator.core.history import retrain_number
from selfheal_operator.core.observed import Job, Monitor

BUDGET_PERIOD: Final = timedelta(days=1)
"""Of spec.retraining.maxRunsPerDay: any 24 hours, not a calendar day."""


def retraining_record(
    monitor: Monitor, jobs: Sequence[Job], spec: ModelMonitorSpec | None
) -> RetrainingStatus:
    """Return the record, with the Jobs and the report that the stored one may not contain yet.

    After a crash between creating the Job and writing the status, the Job is the record: its name contains
    the count, and its annotation the slot of the check that triggered it.
    """
    stored = monitor.status.retraining
    new = sorted(
        (job for job in jobs if job.purpose is Purpose.RETRAIN and retrain_number(job) > stored.count),
        key=retrain_number,
    )
    record = stored
    for job in new:
        record = _with_start(record, job)
    record = _with_outcome(_at_least(record, jobs), monitor, new[-1] if new else None)
    if record.last_start_time is None or spec is None:
        return record
    return record.replaced(cooldown_until_time=spec.retraining.cooldown_end(record.last_start_time))


def _with_start(record: RetrainingStatus, job: Job) -> RetrainingStatus:
    return record.replaced(
        count=retrain_number(job),
        last_start_time=job.created,
        last_trigger_time=max(job.slot, record.last_trigger_time or job.slot),
        start_times=_in_budget_period([job.created, *record.start_times]),
        consecutive_failures=0 if job.request else record.consecutive_failures,
    )


def _at_least(record: RetrainingStatus, jobs: Sequence[Job]) -> RetrainingStatus:
    """Return the record with what the Jobs prove, whatever is stored: a forged one removes no cooldown."""
    retrainings = [job for job in jobs if job.purpose is Purpose.RETRAIN]
    if not retrainings:
        return record
    newest = max(job.created for job in retrainings)
    forgotten = [job.created for job in retrainings if job.created not in record.start_times]
    starts = sorted([*record.start_times, *forgotten], reverse=True)
    return record.replaced(
        last_start_time=max(newest, record.last_start_time or newest),
        last_trigger_time=max(
            *(job.slot for job in retrainings), record.last_trigger_time or retrainings[0].slot
        ),
        start_times=_in_budget_period(starts) if forgotten else record.start_times,
    )


def _in_budget_period(starts: list[datetime]) -> list[datetime]:
    """Leave out starts that no longer count. Not by the clock: the status would change as time passes."""
    return [start for start in starts if start > starts[0] - BUDGET_PERIOD][:MOST_RUNS_PER_DAY]


def _with_outcome(record: RetrainingStatus, monitor: Monitor, newest: Job | None) -> RetrainingStatus:
    """Count the newest report, once; an edit of the spec and a new request set the count to zero."""
    outcome, counted = monitor.status.last_retraining, record.last_outcome_time
    failures = record.consecutive_failures
    if (monitor.status.observed_generation or monitor.generation) < monitor.generation:
        failures = 0
    if outcome is None or (counted is not None and outcome.scheduled_time < counted):
        return record.replaced(consecutive_failures=failures)
    is_new = counted is None or outcome.scheduled_time > counted
    if outcome.result is not RetrainResult.FAILED:
        failures = 0
    elif is_new and _counts(outcome) and not _is_forgiven(outcome, monitor, newest):
        failures = min(failures + 1, LARGEST_COUNT)
    return record.replaced(consecutive_failures=failures, last_outcome_time=outcome.scheduled_time)


def _counts(outcome: LastRetraining) -> bool:
    """Return whether a failure says something of the retraining itself: broken data is repaired elsewhere."""
    return outcome.reason != Reason.DATA_NOT_USABLE


def _is_forgiven(outcome: LastRetraining, monitor: Monitor, newest: Job | None) -> bool:
    """Return whether the failure is from before the newest edit of the spec, or before the newest request."""
    edited = outcome.observed_generation < monitor.generation
    requested = newest is not None and bool(newest.request) and outcome.scheduled_time < newest.slot
    return edited or requested
