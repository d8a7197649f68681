"""The results at one size, and their targets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from selfheal_bench.lags import Lags

MIB: Final = 2**20
MEMORY_LIMIT_BYTES: Final = 512 * MIB
"""The limit of the operator's container in manifests/. Beyond it, all replicas end at each start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The operator's results with one number of monitors."""

    count: int
    first_start_seconds: float
    """From the process's start to ready, with monitors that have no status yet."""
    restart_seconds: float
    """The same with monitors that have been checked, their Jobs, and checks coming due meanwhile."""
    steady_bytes: int
    """Median of the resident memory over the measured round."""
    peak_bytes: int
    """The most that any of the operator's processes ever had resident, by the kernel's count."""
    idle_cpu_percent: float
    """Of one core."""
    idle_seconds: float
    round_cpu_percent: float
    lags: Lags
    writes: Mapping[str, int]
    """Requests of the operator that write, by verb and resource, during the measured round."""
    reads: Mapping[str, int]
    checks: int
    """Jobs that the operator created during the measured round."""
    reported: int
    """Monitors whose newest verdict is of the measured round or later: the simulated node kept up."""

    @property
    def writes_per_check(self) -> float:
        """How many requests that write the operator makes for one check.

        Without those that keep a lease: their number is a matter of time, not of checks.
        """
        writes = sum(number for what, number in self.writes.items() if not what.endswith(" leases"))
        return writes / max(1, self.checks)

    @property
    def cold_start_seconds(self) -> float:
        """The slower one of the two starts."""
        return max(self.first_start_seconds, self.restart_seconds)

    @property
    def cpu_milliseconds_per_check(self) -> float:
        """CPU time of the operator during the measured round, for each check."""
        return self.round_cpu_percent / 100 * ROUND_SECONDS * 1000 / max(1, self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "n": self.count,
            **{goal.key: goal.rounded(self) for goal in GOALS},
            "firstStartSeconds": round(self.first_start_seconds, 2),
            "restartSeconds": round(self.restart_seconds, 2),
            "idleSeconds": round(self.idle_seconds),
            "residentSteadyMiB": round(self.steady_bytes / MIB, 1),
            "roundCPUPercent": round(self.round_cpu_percent, 2),
            "cpuMillisecondsPerCheck": round(self.cpu_milliseconds_per_check, 2),
            "lag": self.lags.to_json(),
            "checks": self.checks,
            "reported": self.reported,
            "writes": dict(self.writes),
            "reads": dict(self.reads),
        }


ROUND_SECONDS: Final = 300
"""The interval of the monitors: in one round, each is due once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure that must not exceed a limit."""

    key: str
    title: str
    unit: str
    limit: float
    value: Callable[[Figures], float]

    def rounded(self, figures: Figures) -> float:
        """Return the figure, with the digits that mean something."""
        return round(self.value(figures), 3)

    def met(self, figures: Figures) -> bool:
        """Whether the figure is within the limit."""
        return self.value(figures) <= self.limit


GOALS: Final = (
    Goal(
        key="residentPeakMiB",
        title="resident memory, peak",
        unit="MiB",
        limit=200,
        value=lambda figures: figures.peak_bytes / MIB,
    ),
    Goal(
        key="coldStartSeconds",
        title="cold start to ready",
        unit="s",
        limit=15,
        value=lambda figures: figures.cold_start_seconds,
    ),
    Goal(
        key="idleCPUPercent",
        title="idle CPU, of one core",
        unit="%",
        limit=2,
        value=lambda figures: figures.idle_cpu_percent,
    ),
    Goal(
        key="slotLagP99Seconds",
        title="slot lag, p99",
        unit="s",
        limit=2,
        value=lambda figures: figures.lags.percentile(99),
    ),
    Goal(
        key="writesPerCheck",
        title="API writes per check",
        unit="",
        limit=3,
        value=lambda figures: figures.writes_per_check,
    ),
)
