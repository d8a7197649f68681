"""Which rows a window holds, told by their timestamps. Pure.

A row counts if `after < timestamp <= until`: windows that follow each other share no row and lose none.
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
        """Return the window of a slot; where labels are needed it ends their delay before, or earlier."""
        until = slot - timedelta(seconds=max(window.offset_seconds, delay_seconds))
        return cls(window.timestamp_column, until - timedelta(seconds=window.lookback_seconds), until)

    def bounds(self, unit: str) -> tuple[int, int]:
        """Return both bounds in a unit (s, ms, us or ns) since the epoch."""
        factor = _UNITS[unit]
        return int(self.after.timestamp()) * factor, int(self.until.timestamp()) * factor
