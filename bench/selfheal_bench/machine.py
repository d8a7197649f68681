"""The machine that the results depend on, and its other load."""

import os
import sys
from dataclasses import dataclass
from typing import Any, Final, Self

import psutil

from selfheal_bench.arena import say

LOOK_SECONDS: Final = 3.0
IDLE_PERCENT: Final = 10.0
"""If the machine is busier than this before the start, other programs affect the benchmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine, as it was before the run."""

    cpus: int
    memory_bytes: int
    busy_percent: float
    """Share of all CPUs' time that others used."""

    @classmethod
    def look(cls) -> Self:
        """Measure the load for a few seconds, and warn if the machine is busy."""
        machine = cls(
            cpus=len(os.sched_getaffinity(0)),
            memory_bytes=psutil.virtual_memory().total,
            busy_percent=psutil.cpu_percent(interval=LOOK_SECONDS),
        )
        if machine.busy_percent > IDLE_PERCENT:
            say(f"WARNING: others use {machine.busy_percent:.0f} % of the CPUs, and the figures will show it")
        return machine

    def to_json(self) -> dict[str, Any]:
        """Return what there is to know."""
        return {
            "cpus": self.cpus,
            "memoryGiB": round(self.memory_bytes / 2**30, 1),
            "python": sys.version.split()[0],
            "busyPercentBefore": self.busy_percent,
        }
