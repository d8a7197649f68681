"""The half-open span of time of a window. Pure.

A row is in the window if `after < timestamp <= until`: consecutive windows share no row and miss none.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, Self

from msgspec import Struct

from selfheal_operator.api.v1alpha1.dataset import Window

_UNITS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class TimeSpan(Struct, frozen=True):
    """Rows whose `column` is later than `after` and not later than `until`; both have whole seconds."""

    column: str
    after: datetime
    until: datetime
    pattern: str | None = None
    """How texts and whole numbers are written, as a pattern of strptime; None: ISO 8601, or epoch numbers."""
    unit: str | None = None
    """The unit of epoch numbers; None: told by their size."""

    @classmethod
    def of(cls, window: Window, slot: datetime, *, delay_seconds: int = 0) -> Self:
        """Return the window of a slot; it ends before the slot by the greater of offset and labels' delay."""
        until = slot - timedelta(seconds=max(window.offset_seconds, delay_seconds))
        after = until - timedelta(seconds=window.lookback_seconds)
        if window.format in _UNITS:
            return cls(window.timestamp_column, after, until, unit=window.format)
        return cls(window.timestamp_column, after, until, pattern=window.format)

    @property
    def units(self) -> tuple[str, ...]:
        """Return the units that an epoch number may have."""
        return (self.unit,) if self.unit else tuple(_UNITS)

    def holds(self, time: datetime) -> bool:
        """Return whether a time is in the span; without a zone it is UTC."""
        return self.after < (time if time.tzinfo else time.replace(tzinfo=UTC)) <= self.until

    def bounds(self, unit: str) -> tuple[int, int]:
        """Return both bounds in a unit (s, ms, us or ns) since the epoch."""
        factor = _UNITS[unit]
        return int(self.after.timestamp()) * factor, int(self.until.timestamp()) * factor
