"""Has a promoted version turned out worse? Compares a Performance signal with its value before the promotion.

Only a promotion is watched, never a rollback: so a version that was taken back is not promoted again, and the
alias never goes twice round a circle.
"""

import math
from datetime import datetime
from typing import Final

from selfheal_operator.api.reasons import PromotionDirection, PromotionResult, SignalResult
from selfheal_operator.api.v1alpha1.signals import ERROR_METRICS, Signal
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import (
    LARGEST_COUNT,
    LastCheck,
    ModelMonitorStatus,
    PromotionIntent,
    PromotionStatus,
    PromotionWatch,
)

APPROVED_BY: Final = "the rule spec.promotion.rollback"


def watch_from(
    intent: PromotionIntent, status: ModelMonitorStatus, spec: ModelMonitorSpec
) -> PromotionWatch | None:
    """Return what is watched once the intent is carried out; None if there is nothing to compare with.

    Args:
        intent: The newest intent; a rollback ends the watch.
        status: As it is when the intent is decided: its check is one of the version before.
        spec: Its first signal of type Performance is compared.
    """
    signal, check = _performance(spec), status.last_check
    if intent.direction is PromotionDirection.ROLLBACK or intent.expected_version is None:
        return None
    before = _value(check, signal) if signal is not None else None
    if signal is None or check is None or before is None:
        return None
    return PromotionWatch(
        version=intent.version,
        previous_version=intent.expected_version,
        signal=signal.name,
        before=before,
        last_check_time=check.scheduled_time,
    )


def counted(
    watch: PromotionWatch | None, status: ModelMonitorStatus, spec: ModelMonitorSpec
) -> PromotionWatch | None:
    """Return the watch with the newest check, which is counted once; None once another version is present.

    A check that cannot tell the value is left out: it neither counts nor breaks a row.
    """
    if watch is None or not _is_promoted(watch, status):
        return watch
    if status.model is not None and status.model.version != watch.version:  # somebody has moved the alias
        return None
    check, signal = status.last_check, _performance(spec)
    if check is None or signal is None or signal.name != watch.signal or not _is_later(check, watch, status):
        return watch
    worse = _is_worse(watch, _value(check, signal), signal, spec.promotion.margin)
    if worse is None:
        return watch.replaced(last_check_time=check.scheduled_time)
    checks = min(watch.worse_checks + 1, LARGEST_COUNT) if worse else 0
    return watch.replaced(worse_checks=checks, last_check_time=check.scheduled_time)


def rollback_intent(record: PromotionStatus, spec: ModelMonitorSpec, now: datetime) -> PromotionIntent | None:
    """Return the intent of an automatic rollback, if enough checks in a row were worse."""
    watch, rules = record.watch, spec.promotion.rollback
    if watch is None or rules.mode != "Auto" or watch.worse_checks < rules.after_checks:
        return None
    return PromotionIntent(
        version=watch.previous_version,
        expected_version=watch.version,
        direction=PromotionDirection.ROLLBACK,
        approved_by=f"{APPROVED_BY}: {watch.signal} was worse in {watch.worse_checks} checks in a row",
        decided_time=now,
    )


def _is_promoted(watch: PromotionWatch, status: ModelMonitorStatus) -> bool:
    last = status.last_promotion
    return last is not None and last.result is PromotionResult.PROMOTED and last.version == watch.version


def _is_later(check: LastCheck, watch: PromotionWatch, status: ModelMonitorStatus) -> bool:
    """Return whether the check was due after the promotion, and has not been counted."""
    last = status.last_promotion
    promoted = last.completion_time or last.scheduled_time if last is not None else watch.last_check_time
    return check.scheduled_time > max(watch.last_check_time, promoted)


def _performance(spec: ModelMonitorSpec) -> Signal | None:
    return next((signal for signal in spec.signals if signal.performance is not None), None)


def _value(check: LastCheck | None, signal: Signal | None) -> str | None:
    found = (
        next((each for each in check.signals if signal and each.name == signal.name), None) if check else None
    )
    if found is None or found.result is SignalResult.UNKNOWN or _number(found.value) is None:
        return None
    return found.value


def _is_worse(watch: PromotionWatch, value: str | None, signal: Signal, margin: float) -> bool | None:
    """Return whether the value is worse by more than the margin, of errors a share; None if nobody knows."""
    before, now = _number(watch.before), _number(value)
    if before is None or now is None or signal.performance is None:
        return None
    if signal.performance.metric in ERROR_METRICS:
        return now > before + margin * abs(before)
    return now < before - margin


def _number(text: str | None) -> float | None:
    """Read a value; None if it is none. The CRD admits any short text."""
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
