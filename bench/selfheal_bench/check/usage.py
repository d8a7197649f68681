"""What runs took, and how two programs' runs compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a program used, from its start to its end."""

    wall_seconds: float
    cpu_seconds: float
    """Of all its threads and of the programs that it started."""
    peak_mib: float
    """Resident memory; pages of files that it has mapped count."""

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what the stopwatch has printed."""
        return cls(
            wall_seconds=document["wallSeconds"],
            cpu_seconds=document["cpuSeconds"],
            peak_mib=document["peakKiB"] / 1024,
        )


def middle(runs: Sequence[Usage]) -> Usage:
    """Return the median of each figure by itself: they need not come from the same run."""
    return Usage(
        wall_seconds=median(run.wall_seconds for run in runs),
        cpu_seconds=median(run.cpu_seconds for run in runs),
        peak_mib=median(run.peak_mib for run in runs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Ours divided by another's: below 1, ours takes less."""

    wall: float
    cpu: float
    memory: float

    @classmethod
    def of(cls, ours: Sequence[Usage], others: Sequence[Usage]) -> Self:
        """Divide round by round, and return the medians: what slows a whole round down slows both.

        Raises:
            ValueError: The one has run more often than the other.
        """
        rounds = list(zip(ours, others, strict=True))
        return cls(
            wall=median(one.wall_seconds / other.wall_seconds for one, other in rounds),
            cpu=median(one.cpu_seconds / other.cpu_seconds for one, other in rounds),
            memory=median(one.peak_mib / other.peak_mib for one, other in rounds),
        )
