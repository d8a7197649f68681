"""The lags of Jobs after their due times, including Jobs that never came."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """The lags of one kind of Job.

    A Job that was due and did not come counts with `limit_seconds` in every percentile: otherwise missing
    Jobs would improve the result.
    """

    due: int
    seconds: tuple[float, ...]
    """Ascending; one for each that came."""
    doubled: int = 0
    """Jobs beyond the one that was due."""
    limit_seconds: float
    """How long they were waited for."""

    @classmethod
    def of(cls, arrivals: Mapping[str, Iterable[float]], *, due: int, limit_seconds: float) -> Self:
        """Collect lags in seconds by what was due: the first Job counts, the others are doubled."""
        each = [sorted(seconds) for seconds in arrivals.values()]
        return cls(
            due=due,
            seconds=tuple(sorted(seconds[0] for seconds in each)),
            doubled=sum(len(seconds) - 1 for seconds in each),
            limit_seconds=limit_seconds,
        )

    @property
    def missed(self) -> int:
        """How many did not come."""
        return self.due - len(self.seconds)

    def percentile(self, percent: float) -> float:
        """Return the smallest lag that `percent` of those due did not exceed (nearest rank)."""
        rank = max(1, math.ceil(self.due * percent / 100))
        return self.seconds[rank - 1] if rank <= len(self.seconds) else self.limit_seconds

    def to_json(self) -> dict[str, Any]:
        """Return the figures, seconds with three digits."""
        return {
            "due": self.due,
            "started": len(self.seconds),
            "missed": self.missed,
            "doubled": self.doubled,
            "p50Seconds": round(self.percentile(50), 3),
            "p99Seconds": round(self.percentile(99), 3),
            "maxSeconds": round(self.percentile(100), 3),
        }
