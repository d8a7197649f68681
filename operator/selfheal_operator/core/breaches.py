"""What checks have breached, newest first: what spec.trigger counts."""

from collections.abc import Sequence
from typing import Final

from selfheal_operator.api.reasons import CheckResult, SignalResult
from selfheal_operator.api.v1alpha1.signals import Signal
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import HistoryEntry, LastCheck, ModelMonitorStatus, SignalStatus
from selfheal_operator.api.v1alpha1.trigger import DATA_DRIFT

MAX_HISTORY: Final = 10

_NO_VERDICT: Final = frozenset({CheckResult.ERROR, CheckResult.INCONCLUSIVE})


def history_of(status: ModelMonitorStatus) -> list[HistoryEntry]:
    """Return the newest checks. A late report replaces the one written on the container's behalf."""
    check = status.last_check
    if check is None or (status.history and status.history[0].scheduled_time > check.scheduled_time):
        return status.history
    earlier = (entry for entry in status.history if entry.scheduled_time < check.scheduled_time)
    return [_entry_of(check), *earlier][:MAX_HISTORY]


def _entry_of(check: LastCheck) -> HistoryEntry:
    return HistoryEntry(
        scheduled_time=check.scheduled_time,
        result=check.result,
        drift_share=check.drift_share,
        breached=[] if has_broken_columns(check) else breached_by(check),
    )


def has_broken_columns(check: LastCheck) -> bool:
    """Return whether columns drifted because they turned constant or lost their values."""
    return bool(check.broken_columns or check.columns_broken)


def breached_by(check: LastCheck) -> list[str]:
    """Return what the check breached, by the thresholds that it followed."""
    drift = [DATA_DRIFT] if check.result is CheckResult.DRIFT else []
    return drift + [signal.name for signal in check.signals if signal.result is SignalResult.BREACHED]


def still_breached_by(check: LastCheck, spec: ModelMonitorSpec) -> list[str]:
    """Return what the check breached and would breach by today's thresholds too."""
    within = {signal.name for signal in check.signals if _is_within(signal, spec.signals)}
    if not _may_exceed(check, spec.threshold):
        within.add(DATA_DRIFT)
    return [name for name in breached_by(check) if name not in within]


def _may_exceed(check: LastCheck, threshold: float) -> bool:
    """Return whether the share may be greater than the threshold.

    driftShare is rounded, so a share that rounds to the threshold may be greater. The counts are exact.
    """
    if check.columns_checked and check.columns_drifted is not None:
        return check.columns_drifted / check.columns_checked > threshold
    return check.drift_share is None or float(check.drift_share) >= threshold


def _is_within(found: SignalStatus, signals: Sequence[Signal]) -> bool:
    """Return whether the value lies inside today's limits; the value is rounded, so not on them."""
    signal = next((each for each in signals if each.name == found.name), None)
    limits = signal and (signal.performance or signal.data_quality)
    value = _number(found.value)
    if not limits or value is None:
        return False
    return (limits.min_value is None or value > limits.min_value) and (
        limits.max_value is None or value < limits.max_value
    )


def _number(text: str | None) -> float | None:
    """Read a value; None if it is none. The CRD admits any short text."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def is_breach(entry: HistoryEntry, spec: ModelMonitorSpec) -> bool | None:
    """Return whether an earlier check counts as a breach; None if it is no evidence of either.

    A check without a verdict is none, nor is drift that was found in broken columns: its `breached` is empty.
    """
    share = entry.drift_share
    within = {DATA_DRIFT} if share is not None and float(share) < spec.threshold else set()
    if spec.trigger.is_met_by({*entry.breached} - within):
        return True
    broken = entry.result is CheckResult.DRIFT and not entry.breached
    return None if entry.result in _NO_VERDICT or broken else False
