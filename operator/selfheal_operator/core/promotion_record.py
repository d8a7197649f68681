"""What is remembered of promotions, and which one is next.

A promotion is decided once: its intent, with a number and the version that the alias is expected on, is in
the status before its Job exists. Two operators cannot both store one, since the write fails if the status has
changed. Computed anew from the stored record and the newest reports: the same inputs give the same record, so
a write that was lost is made up for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.api.reasons import PromotionResult, Purpose, RetrainResult
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import (
    LARGEST_COUNT,
    LastRetraining,
    ModelMonitorStatus,
    ModelVersion,
    PromotionIntent,
    PromotionStatus,
)
from selfheal_operator.core.backoff import Backoff
from selfheal_operator.core.history import number_in
from selfheal_operator.core.observed import Job, Monitor
from selfheal_operator.core.promotion_decisions import (
    approval_end,
    asks_a_person,
    decide,
    pending_promotion,
    timed_out,
)
from selfheal_operator.core.promotion_watch import counted, rollback_intent, watch_from

FAILED_PROMOTION: Final = Backoff(timedelta(seconds=30), timedelta(hours=1))
"""Each attempt has waited for MLflow for minutes already."""

_SECOND: Final = timedelta(seconds=1)


def promotion_record(
    monitor: Monitor, jobs: Sequence[Job], spec: ModelMonitorSpec | None, now: datetime
) -> PromotionStatus:
    """Return the record, with the intent of the promotion that is to start now.

    A person's decision is carried out also while the monitor is suspended; one that is due by itself waits.
    """
    status, numbers = monitor.status, (number_in(job.name) for job in jobs if job.purpose is Purpose.PROMOTE)
    record = status.promotion.replaced(count=max([status.promotion.count, *numbers]))
    if spec is None or is_promoting(record, status):
        return record
    record = record.replaced(watch=counted(record.watch, status, spec))
    is_new = bool(monitor.decision) and monitor.decision != record.last_handled_decision
    if is_new:
        return _with_decision(record, monitor, spec, now)
    if record.pending is not None and approval_end(record.pending, spec) <= now:
        return record.replaced(pending=None, last_decision=timed_out(record.pending))
    return record if spec.suspend or spec.mode == "Observe" else _next(record, status, spec, now)


def _next(
    record: PromotionStatus, status: ModelMonitorStatus, spec: ModelMonitorSpec, now: datetime
) -> PromotionStatus:
    """Return the record with what is due by itself: a version that was registered, or another attempt."""
    if (outcome := _undecided(record, status)) is not None:
        return _decided(record, status, spec, outcome, now)
    if spec.promotion.moves_the_alias and (back := rollback_intent(record, spec, now)) is not None:
        return _started(record.replaced(watch=None), status, back, now)
    if (until := retry_time(record, status)) is not None and until <= now and record.intent is not None:
        return _started(record, status, record.intent.replaced(attempts=record.intent.attempts + 1), now)
    return record


def _with_decision(
    record: PromotionStatus, monitor: Monitor, spec: ModelMonitorSpec, now: datetime
) -> PromotionStatus:
    """Return the record with the decision that the annotation asks for; every value of it is handled once."""
    found = decide(record, monitor, spec)
    record = record.replaced(last_handled_decision=monitor.decision, last_decision=found.decision)
    if found.settles:
        record = record.replaced(pending=None)
    if found.cancels:
        record = record.replaced(intent=None)
    if found.intent is None:
        return record
    watch = watch_from(found.intent, monitor.status, spec)
    return _started(record.replaced(watch=watch), monitor.status, found.intent, now)


def is_promoting(record: PromotionStatus, status: ModelMonitorStatus) -> bool:
    """Return whether the newest promotion has been decided and has not reported."""
    intent, last = record.intent, status.last_promotion
    return intent is not None and (last is None or last.scheduled_time < intent.decided_time)


def retry_time(record: PromotionStatus, status: ModelMonitorStatus) -> datetime | None:
    """Return when the newest promotion is tried again; None if it runs or has been settled."""
    intent, last = record.intent, status.last_promotion
    if intent is None or last is None or last.result is not PromotionResult.FAILED:
        return None
    if is_promoting(record, status):
        return None
    return (last.completion_time or last.scheduled_time) + FAILED_PROMOTION.pause(intent.attempts)


def _undecided(record: PromotionStatus, status: ModelMonitorStatus) -> LastRetraining | None:
    """Return the newest retraining if it has registered a version that nobody has decided upon."""
    outcome, challenger, decided = status.last_retraining, status.challenger, record.last_retraining_time
    if outcome is None or outcome.result is not RetrainResult.REGISTERED:
        return None
    # An image that knows of no promotion, or mode None: the version is the champion by being registered.
    if challenger is None or challenger.version != outcome.version:
        return None
    return None if decided is not None and outcome.scheduled_time <= decided else outcome


def _decided(
    record: PromotionStatus,
    status: ModelMonitorStatus,
    spec: ModelMonitorSpec,
    outcome: LastRetraining,
    now: datetime,
) -> PromotionStatus:
    record = record.replaced(last_retraining_time=outcome.scheduled_time)
    challenger = status.challenger
    if challenger is None or challenger.target not in (None, spec.target):  # spec.target was edited since
        return record
    if not spec.promotion.moves_the_alias:
        return record
    if (why := asks_a_person(spec, outcome)) is not None:
        return record.replaced(pending=pending_promotion(challenger, outcome, why, now), last_decision=None)
    intent = PromotionIntent(
        version=challenger.version,
        expected_version=outcome.alias_version,
        approved_by=f"the gates of {outcome.job_name}",
        decided_time=now,
    )
    watch = watch_from(intent, status, spec)
    return _started(record.replaced(pending=None, watch=watch), status, intent, now)


def _started(
    record: PromotionStatus, status: ModelMonitorStatus, intent: PromotionIntent, now: datetime
) -> PromotionStatus:
    """Return the record with an intent that is later than all others: reports are ordered by its time."""
    last = status.last_promotion
    earlier = [record.intent.decided_time] if record.intent else []
    earlier += [last.scheduled_time] if last else []
    decided = max([now.replace(microsecond=0), *(time + _SECOND for time in earlier)])
    return record.replaced(
        count=min(record.count + 1, LARGEST_COUNT),
        intent=intent.replaced(decided_time=decided),
        previous=_previous(record, status, intent),
    )


def _previous(
    record: PromotionStatus, status: ModelMonitorStatus, intent: PromotionIntent
) -> ModelVersion | None:
    """Return what is recorded of the version that the alias is moved from: a way back needs its digest.

    It is kept here, and not in the report of the run, for which the operator would not vouch.
    """
    known = (status.model, record.previous)
    return next((each for each in known if each and each.version == intent.expected_version), None)
