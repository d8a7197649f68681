"""A lower bound for schedulers: the Jobs of N monitors, created by a program that does nothing else.

It has its own new control plane with the same flags, where nothing else is due. It is compared with the
operator's run without CronJobs: there too only the Jobs of N monitors are created, and the Job controller
follows each of them. Our operator also writes the status of each monitor.
"""

import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from localcluster import ControlPlaneOptions
from localcluster.processnode.apiserver import ApiServer, Document
from selfheal_bench import audit
from selfheal_bench.arena import Arena, administrator, arena, say
from selfheal_bench.audit import AuditLog, Call
from selfheal_bench.errors import BenchError
from selfheal_bench.lags import Lags
from selfheal_bench.measured_operator import MLFLOW, USER
from selfheal_bench.monitors import all_monitors
from selfheal_bench.schedule.crowd import Crowd, whole_minute_after
from selfheal_bench.schedule.phase import PHASES
from selfheal_operator.config import Settings
from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.observed import monitor_from

MOST_OF_FLOOR: Final = 1.5
"""The target: our p99, divided by the floor's time to its last Job."""
WIDTHS: Final = (32, 64)
"""Requests at a time: the quickest counts. 8 and 16 were slower at N = 300 on two processors."""
RECORD_SECONDS: Final = 10.0
"""How long the audit log may lag behind the responses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The bare creator's result."""

    width: int
    seconds: float
    """From its first request to the last Job, by the audit log."""

    def ratio(self, ours: Lags) -> float:
        """Return our 99th percentile divided by it."""
        return ours.percentile(99) / self.seconds

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {"width": self.width, "secondsToLast": round(self.seconds, 3)}


async def lowest_floor(phase: str, count: int, widths: Iterable[int], *, keep: Path | None) -> Floor | None:
    """Try each width on a control plane of its own, and return the quickest; None without any."""
    floors = [await _run(phase, count, width, keep) for width in widths]
    return min(floors, key=lambda floor: floor.seconds, default=None)


async def _run(phase: str, count: int, width: int, keep: Path | None) -> Floor:
    options = ControlPlaneOptions(
        scheduler=False, controller_manager=PHASES[phase], audit_policy=audit.policy(audit.JOBS_CREATED)
    )
    say(f"N = {count}, {phase}: the floor, {width} requests at a time")
    with arena(options, keep and keep / f"floor-{phase}-{count}-{width}") as ground:
        cluster = ground.cluster
        async with administrator(cluster.server, cluster.state.pki) as api:
            manifests = await _manifests(api, count)
        began = await _create(ground, manifests, width)
        floor = Floor(width=width, seconds=(await _last_job(ground, count) - began).total_seconds())
        say(f"the floor: the last of {count} Jobs after {floor.seconds:.2f} s")
        return floor


async def _manifests(api: ApiServer, count: int) -> list[Document]:
    """Create the monitors as owners, and return the Jobs that the operator would create."""
    slot = whole_minute_after(datetime.now(UTC))
    await Crowd(count, slot).create_monitors(api)
    defaults = Settings(mlflow_tracking_uri=MLFLOW).job_defaults
    monitors = [monitor_from(each) for each in await all_monitors(api)]
    return [check_job(each, each.read_spec(), slot, defaults) for each in monitors]


async def _create(ground: Arena, manifests: Iterable[Document], width: int) -> datetime:
    """Run the creator to its end, and return when it began."""
    kubeconfig = ground.operator.kubeconfig
    file = kubeconfig.with_name("manifests.jsonl")
    file.write_text("".join(f"{json.dumps(each, separators=(',', ':'))}\n" for each in manifests))
    program = "selfheal_bench.schedule.bare_creator"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program, str(kubeconfig), str(file), str(width)),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise BenchError(f"the bare creator ended with exit code {process.returncode}")
    return datetime.fromisoformat(printed.decode().strip())


async def _last_job(ground: Arena, count: int) -> datetime:
    log = AuditLog(ground.cluster.state.audit_log)
    created: list[Call] = []
    async with asyncio.timeout(RECORD_SECONDS):
        while len(created) < count:
            created += [each for each in log.new_calls() if each.user == USER and each.code == 201]
            await asyncio.sleep(0.1)
    return max(each.ended for each in created)
