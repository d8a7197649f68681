"""Measures one size: a new control plane, `count` monitors, and twenty minutes of typical operation."""

import asyncio
import statistics
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from localcluster import ControlPlaneOptions, LocalCluster
from localcluster.cluster import CLUSTER_MARK
from localcluster.options import QUICK_CLIENT
from localcluster.processnode.apiserver import ApiServer, Document, until_answered
from selfheal_bench import audit
from selfheal_bench.arena import Arena, administrator, arena, say
from selfheal_bench.audit import AuditLog
from selfheal_bench.errors import BenchError, TooSlowError
from selfheal_bench.measured_operator import USER, Usage
from selfheal_bench.monitors import all_monitors, create, monitor, monitors_path, places
from selfheal_bench.parallel import for_each
from selfheal_bench.scale.figures import MIB, ROUND_SECONDS, Figures
from selfheal_bench.scale.round import Round, schedules_of
from testbed.program import Program
from testbed.workspace import Workspace

OPTIONS: Final = ControlPlaneOptions(
    scheduler=False,
    # The simulated node takes the Job controller's place. Garbage collection and all others are there.
    controller_manager=("--controllers=*,-job-controller", *QUICK_CLIENT),
    audit_policy=audit.policy({"level": "Metadata", "users": [USER]}),
)
A_YEAR: Final = 31_536_000
STRAGGLERS_SECONDS: Final = 60.0
"""How long after the round a slot's Job is waited for."""
SETTLED_PERCENT: Final = 10.0
"""An operator that uses less of a core than this over `SETTLED_SECONDS` is idle."""
SETTLED_SECONDS: Final = 5.0
SETTLE_LIMIT_SECONDS: Final = 900.0
TELL_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Meter:
    """Samples the operator's resource usage once a second."""

    ground: Arena
    resident: list[int] = field(default_factory=list)

    async def until(self, time: datetime, what: str) -> Usage:
        """Read until `time`; return the last reading."""
        tell = datetime.now(UTC)
        usage = before = self.ground.operator.usage()
        while (now := datetime.now(UTC)) < time:
            await asyncio.sleep(min(1.0, (time - now).total_seconds()))
            usage = self.ground.operator.usage()
            self.resident.append(usage.resident_bytes)
            if now >= tell + timedelta(seconds=TELL_SECONDS):
                share = 100 * (usage.cpu_seconds - before.cpu_seconds) / (now - tell).total_seconds()
                say(f"{what}: operator at {share:.0f} % of a core, {usage.resident_bytes / MIB:.0f} MiB")
                tell, before = now, usage
        return usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a size is measured."""

    warm_up_rounds: int
    """Rounds before the measured one. One for each finished Job that is kept: then each check removes one."""
    idle_seconds: float
    """How long the operator is watched while nothing is due."""
    job_updates: int
    """How often the simulated node writes each Job's status."""

    def to_json(self) -> dict[str, float]:
        """Return what was chosen."""
        return {
            "warmUpRounds": self.warm_up_rounds,
            "idleSeconds": self.idle_seconds,
            "jobStatusUpdates": self.job_updates,
        }


async def measure_size(count: int, course: Course, keep: Path | None) -> Figures:
    """Measure the operator with `count` monitors.

    Args:
        count: How many.
        course: How it is measured.
        keep: A folder for the audit log and the programs' logs.
    """
    say(f"{count} monitors")
    with arena(OPTIONS, keep and keep / str(count)) as ground:
        cluster = ground.cluster
        async with administrator(cluster.server, cluster.state.pki) as api:
            await _create(api, count)
            with _simulated_node(cluster, course.job_updates) as node:
                return await _measure(ground, api, node, course)


async def _measure(ground: Arena, api: ApiServer, node: Program, course: Course) -> Figures:
    schedules = schedules_of(await all_monitors(api))
    first_start = ground.operator.start()
    say(f"ready {first_start:.1f} s after its start; rounds that are not measured: {course.warm_up_rounds}")
    warm = datetime.now(UTC) + timedelta(seconds=ROUND_SECONDS * course.warm_up_rounds)
    await _Meter(ground).until(warm, "warming up")

    meter = _Meter(ground)
    seen = Round(begin=warm.replace(microsecond=0) + timedelta(seconds=1), schedules=schedules)
    before = await meter.until(seen.begin, "before the round")
    after = await meter.until(seen.end, "measured round")
    late = seen.end + timedelta(seconds=STRAGGLERS_SECONDS)
    last = await _Meter(ground).until(late, "stragglers")
    seen.add(AuditLog(ground.cluster.state.audit_log).new_calls())
    reported = sum(_reported_since(each, seen.begin) for each in await all_monitors(api))

    ground.operator.stop()
    restart = ground.operator.start()
    listed = ground.operator.usage().peak_resident_bytes / MIB
    say(f"ready {restart:.1f} s after its restart, peak {listed:.0f} MiB; nothing is due from now on")
    await _edit_interval(api, schedules)
    await settle(ground)
    if not node.running:  # what was measured then is not what was meant
        raise BenchError(str(node.failed("has ended")))
    idle, end = await _idle(ground, course.idle_seconds)
    return Figures(
        count=len(schedules),
        first_start_seconds=first_start,
        restart_seconds=restart,
        steady_bytes=int(statistics.median(meter.resident)),
        peak_bytes=max(last.peak_resident_bytes, end.peak_resident_bytes),
        idle_cpu_percent=100 * idle / course.idle_seconds,
        idle_seconds=course.idle_seconds,
        round_cpu_percent=100 * (after.cpu_seconds - before.cpu_seconds) / ROUND_SECONDS,
        lags=seen.lags(STRAGGLERS_SECONDS),
        writes=dict(seen.writes.most_common()),
        reads=dict(seen.reads.most_common()),
        checks=seen.checks,
        reported=reported,
    )


async def _create(api: ApiServer, count: int) -> None:
    async def create_at(place: tuple[str, str]) -> None:
        namespace, name = place
        document = monitor(namespace, name, intervalSeconds=ROUND_SECONDS)
        await create(api, monitors_path(namespace), document)

    await for_each("creating monitors", places(count), create_at)


async def _edit_interval(api: ApiServer, monitors: Iterable[str]) -> None:
    async def edit(monitor: str) -> None:
        namespace, name = monitor.split("/")
        longer = {"spec": {"intervalSeconds": A_YEAR}}
        await until_answered(lambda: api.patch(f"{monitors_path(namespace)}/{name}", longer))

    await for_each("giving all monitors an interval of a year", monitors, edit)


def _reported_since(document: Document, time: datetime) -> bool:
    check = document.get("status", {}).get("lastCheck")
    return check is not None and datetime.fromisoformat(check["scheduledTime"]) >= time


async def settle(ground: Arena) -> None:
    """Wait until the operator is idle; raise TooSlowError if it does not come to rest."""
    deadline = datetime.now(UTC) + timedelta(seconds=SETTLE_LIMIT_SECONDS)
    share = 100.0
    while share > SETTLED_PERCENT:
        if datetime.now(UTC) > deadline:
            raise TooSlowError(f"the operator does not come to rest: it uses {share:.0f} % of a core")
        before = ground.operator.usage()
        await asyncio.sleep(SETTLED_SECONDS)
        share = 100 * (ground.operator.usage().cpu_seconds - before.cpu_seconds) / SETTLED_SECONDS


async def _idle(ground: Arena, seconds: float) -> tuple[float, Usage]:
    """Return the CPU seconds used while nothing was due, and the last reading."""
    before = ground.operator.usage()
    end = await _Meter(ground).until(datetime.now(UTC) + timedelta(seconds=seconds), "nothing is due")
    return end.cpu_seconds - before.cpu_seconds, end


@contextmanager
def _simulated_node(cluster: LocalCluster, job_updates: int) -> Iterator[Program]:
    root = cluster.state.root
    folder = Workspace(root.parent / "node")
    folder.root.mkdir()
    folder.create()
    program = Program("simulated node", folder)
    command = [
        *(sys.executable, "-m", "selfheal_bench.scale.simulated_node"),
        f"--server={cluster.server}",
        f"--pki={cluster.state.pki}",
        f"--job-updates={job_updates}",
    ]
    try:
        program.start(command, {CLUSTER_MARK: str(root)})
        yield program
    finally:
        program.stop()
