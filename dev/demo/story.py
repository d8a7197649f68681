"""Tells what happened between two looks at a monitor's status."""

from collections.abc import Iterator
from datetime import datetime

from selfheal_operator.api.reasons import ConditionStatus, ConditionType, Purpose, RetrainResult
from selfheal_operator.api.v1alpha1.status import (
    Condition,
    DriftedColumn,
    LastCheck,
    LastPromotion,
    LastRetraining,
    ModelMonitorStatus,
)

TOLD_COLUMNS = 3


def told(before: ModelMonitorStatus, after: ModelMonitorStatus, *, now: datetime) -> Iterator[str]:
    """Yield a sentence per event, in the order in which the loop goes round."""
    yield from _readiness(_ready(before), _ready(after))
    yield from _started(before, after, Purpose.CHECK)
    if after.last_check and _job(after.last_check) != _job(before.last_check):
        yield _verdict(after.last_check)
    yield from _started(before, after, Purpose.RETRAIN)
    if after.last_retraining and _job(after.last_retraining) != _job(before.last_retraining):
        yield _outcome(after.last_retraining)
    if after.last_promotion and _job(after.last_promotion) != _job(before.last_promotion):
        yield after.last_promotion.message
    if after.next_check_time and before.next_check_time is None:
        seconds = (after.next_check_time - now).total_seconds()
        yield f"first check due at {after.next_check_time:%H:%M:%S} UTC, in {seconds:.0f} s"


def _ready(status: ModelMonitorStatus) -> Condition | None:
    return next((each for each in status.conditions if each.type == ConditionType.READY), None)


def _readiness(before: Condition | None, after: Condition | None) -> Iterator[str]:
    if after is None or (before and (before.status, before.message) == (after.status, after.message)):
        return
    if after.status is not ConditionStatus.TRUE:
        yield f"not ready ({after.reason}): {after.message}"
    elif before is not None:
        yield "ready again"


def _started(before: ModelMonitorStatus, after: ModelMonitorStatus, purpose: Purpose) -> Iterator[str]:
    known = {job.name for job in before.active}
    word = "check" if purpose is Purpose.CHECK else "retraining"
    for job in after.active:
        if job.purpose is purpose and job.name not in known:
            yield f"{word} started: Job {job.name}"


def _job(run: LastCheck | LastRetraining | LastPromotion | None) -> str | None:
    return run.job_name if run else None


def _verdict(check: LastCheck) -> str:
    sentence = f"verdict {check.result}: {check.message}"
    if not check.top_drifted_columns:
        return sentence
    return f"{sentence}; furthest {', '.join(map(_column, check.top_drifted_columns[:TOLD_COLUMNS]))}"


def _column(column: DriftedColumn) -> str:
    return f"{column.name} ({column.score}, limit {column.threshold})"


def _outcome(retraining: LastRetraining) -> str:
    if retraining.result is RetrainResult.REGISTERED:
        return retraining.message
    return f"retraining ended as {retraining.result}: {retraining.message}"
