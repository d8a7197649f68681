"""How many processors a container may use.

A retraining asks `joblib.cpu_count`, which knows more limits; its import takes 0.07 s, too much for a check.
"""

import math
import os
from pathlib import Path
from typing import Final

_LIMIT: Final = Path("/sys/fs/cgroup/cpu.max")
"""File of cgroup v2 inside a container: the quota in microseconds of CPU, or max, and the period."""


def usable_cpus(limit: Path = _LIMIT) -> int:
    """Return the smaller of the CPU affinity and the container's CPU limit; at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = limit.read_text().split()
        return max(1, min(allowed, math.floor(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or no limit
        return max(1, allowed)
