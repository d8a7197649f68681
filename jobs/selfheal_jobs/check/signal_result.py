"""The result of one signal: breached, within its limits, or unknown. Pure."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from selfheal_jobs.errors import DataError
from selfheal_operator.api.reasons import Reason, SignalResult
from selfheal_operator.api.v1alpha1.signals import Signal
from selfheal_operator.api.v1alpha1.status import SignalStatus

_MAX_SENTENCE: Final = 512


class SignalFinding(Struct, frozen=True, kw_only=True):
    """One signal's result."""

    signal: Signal
    result: SignalResult
    reason: Reason
    message: str
    value: float | None = None

    @property
    def status(self) -> SignalStatus:
        """Return the signal's entry in the status."""
        return SignalStatus(
            name=self.signal.name,
            type=self.signal.type,
            result=self.result,
            reason=self.reason,
            value=None if self.value is None else _shown(self.value),
            message=self.message[:_MAX_SENTENCE],
        )


def unknown(signal: Signal, problem: DataError) -> SignalFinding:
    """Return the result of a signal that could not be evaluated."""
    return SignalFinding(
        signal=signal, result=SignalResult.UNKNOWN, reason=problem.reason, message=str(problem)
    )


def held_against_limits(signal: Signal, value: float, where: str) -> SignalFinding:
    """Return the result for a value: within the signal's limits (inclusive), or breached."""
    limits = signal.limits
    said = f"{limits.metric} is {_shown(value)} {where}"
    if limits.min_value is not None and not value >= limits.min_value:
        outside = f"{said}; minValue is {limits.min_value:g}"
    elif limits.max_value is not None and not value <= limits.max_value:
        outside = f"{said}; maxValue is {limits.max_value:g}"
    else:
        return SignalFinding(
            signal=signal,
            result=SignalResult.WITHIN_LIMITS,
            reason=Reason.INSIDE_LIMITS,
            message=said,
            value=value,
        )
    return SignalFinding(
        signal=signal,
        result=SignalResult.BREACHED,
        reason=Reason.OUTSIDE_LIMITS,
        message=outside,
        value=value,
    )


def remark(found: Sequence[SignalFinding]) -> str:
    """Return the sentence of a check's message about breached signals; empty if none is breached.

    >>> remark([])
    ''
    """
    breached = [each for each in found if each.result is SignalResult.BREACHED]
    if not breached:
        return ""
    names = ", ".join(each.signal.name for each in breached)
    return f"{len(breached)} of {len(found)} signals breached ({names})"


def _shown(value: float) -> str:
    """Format a number with six significant digits, and integers without a fraction."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
