"""The half-open span of time of a window. Pure.

A row is in the window if `after < timestamp <= until`: consecutive windows share no row and miss none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from selfheal_operator.api.v1alpha1.dataset import Window

_UNITS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EPOCH_UNITS: Final = tuple(_UNITS)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Rows whose `column` is later than `after` and not later than `until`; both have whole seconds."""

    column: str
    after: datetime
    until: datetime

    @classmethod
    def of(cls, window: Window, slot: datetime, *, delay_seconds: int = 0) -> Self:
        """Return the window of a slot; it ends before the slot by the greater of offset and labels' delay."""
        until = slot - timedelta(seconds=max(window.offset_seconds, delay_seconds))
        return cls(window.timestamp_column, until - timedelta(seconds=window.lookback_seconds), until)

    def bounds(self, unit: str) -> tuple[int, int]:
        """Return both bounds in a unit (s, ms, us or ns) since the epoch."""
        factor = _UNITS[unit]
        return int(self.after.timestamp()) * factor, int(self.until.timestamp()) * factor
