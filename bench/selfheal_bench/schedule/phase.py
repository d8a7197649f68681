"""One phase: a new control plane, all due in the same minute, measured by the audit log."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from localcluster import ControlPlaneOptions
from localcluster.processnode.apiserver import ApiServer
from selfheal_bench import audit
from selfheal_bench.arena import Arena, administrator, arena, say
from selfheal_bench.audit import AuditLog, Call
from selfheal_bench.errors import TooSlowError
from selfheal_bench.lags import Lags
from selfheal_bench.measured_operator import USER, Usage
from selfheal_bench.monitors import all_monitors
from selfheal_bench.schedule.crowd import CRONJOB_USER, Crowd, objects_per_second, whole_minute_after

PHASES: Final = {
    "defaults": (),
    "tuned": ("--kube-api-qps=10000", "--kube-api-burst=10000", "--concurrent-cron-job-syncs=50"),
}
"""Flags of the controller manager. A rate this high limits nothing."""

LAST_CALL: Final = timedelta(seconds=5)
"""All objects must exist this long before the minute; otherwise the phase is invalid."""
AFTERWARDS_SECONDS: Final = 5.0
"""How long to wait for duplicate Jobs of the same minute once all Jobs exist."""
TELL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one phase has shown."""

    phase: str
    count: int
    slot: datetime
    monitors: Lags
    alone: Lags
    """The monitors' lags in a run without CronJobs."""
    cron_jobs: Lags
    operator_cpu_seconds: float
    """From the slot to the end of the phase."""
    operator_peak_bytes: int

    def ratio(self, percent: float) -> float:
        """Return the monitors' percentile divided by the CronJobs'."""
        return self.monitors.percentile(percent) / self.cron_jobs.percentile(percent)

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "n": self.count,
            "phase": self.phase,
            "controllerManagerFlags": list(PHASES[self.phase]),
            "limitSeconds": self.monitors.limit_seconds,
            "modelMonitors": self.monitors.to_json(),
            "modelMonitorsAlone": self.alone.to_json(),
            "cronJobs": self.cron_jobs.to_json(),
            "ratios": {"p50": round(self.ratio(50), 4), "p99": round(self.ratio(99), 4)},
            "operatorCPUSeconds": round(self.operator_cpu_seconds, 2),
            "operatorPeakMiB": round(self.operator_peak_bytes / 2**20, 1),
        }


@dataclass(slots=True)
class _Arrivals:
    """The lags of the Jobs seen so far, by whose they are."""

    crowd: Crowd
    by_user: dict[str, dict[str, list[float]]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_user = {user: defaultdict(list) for user in self.crowd.users}

    def add(self, calls: Iterable[Call]) -> None:
        for call in calls:
            source = self.crowd.source_of(call.name)
            if call.code == 201 and call.user in self.by_user and source is not None:
                lag = (call.ended - self.crowd.slot).total_seconds()
                self.by_user[call.user][f"{call.namespace}/{source}"].append(lag)

    def lags(self, user: str, limit_seconds: float) -> Lags:
        return Lags.of(self.by_user[user], due=self.crowd.count, limit_seconds=limit_seconds)

    @property
    def complete(self) -> bool:
        return all(len(sources) >= self.crowd.count for sources in self.by_user.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What to run.

    Args:
        name: One of `PHASES`.
        count: How many of each kind.
        limit_seconds: How long after the slot Jobs are waited for.
        patience: How much longer than estimated the preparation may take; 1.0 is as estimated.
    """

    name: str
    count: int
    limit_seconds: float
    patience: float


async def run_phase(phase: Phase, keep: Path | None) -> Outcome:
    """Run the monitors alone, and then with as many CronJobs, each on a new control plane.

    Args:
        phase: What to run.
        keep: A folder for the audit logs and the programs' logs.

    Raises:
        TooSlowError: if not all was in place before the minute.
    """
    folder = keep and keep / f"{phase.name}-{phase.count}"
    alone, _ = await _run(phase, folder and folder.with_name(f"{folder.name}-alone"), with_cron_jobs=False)
    arrivals, usage = await _run(phase, folder, with_cron_jobs=True)
    return Outcome(
        phase=phase.name,
        count=phase.count,
        slot=arrivals.crowd.slot,
        alone=alone.lags(USER, phase.limit_seconds),
        monitors=arrivals.lags(USER, phase.limit_seconds),
        cron_jobs=arrivals.lags(CRONJOB_USER, phase.limit_seconds),
        operator_cpu_seconds=usage.cpu_seconds,
        operator_peak_bytes=usage.peak_resident_bytes,
    )


async def _run(phase: Phase, keep: Path | None, *, with_cron_jobs: bool) -> tuple[_Arrivals, Usage]:
    options = ControlPlaneOptions(
        scheduler=False,
        controller_manager=PHASES[phase.name],
        audit_policy=audit.policy(audit.JOBS_CREATED),
    )
    say(f"N = {phase.count}, {phase.name}, {'with' if with_cron_jobs else 'without'} CronJobs")
    with arena(options, keep) as ground:
        cluster = ground.cluster
        async with administrator(cluster.server, cluster.state.pki) as api:
            ground.operator.start()
            crowd = await _gather_crowd(api, phase, with_cron_jobs=with_cron_jobs)
            await asyncio.sleep((crowd.slot - datetime.now(UTC)).total_seconds())
            return await _observe(ground, crowd, phase.limit_seconds)


async def _gather_crowd(api: ApiServer, phase: Phase, *, with_cron_jobs: bool) -> Crowd:
    rate = await objects_per_second(api)
    # Twice the time of the creation alone, because the operator writes each monitor's status meanwhile.
    seconds = (2 * 2 * phase.count / rate + 15) * phase.patience
    slot = whole_minute_after(datetime.now(UTC) + timedelta(seconds=seconds) + LAST_CALL)
    crowd = Crowd(phase.count, slot, with_cron_jobs)
    say(f"all are due at {slot:%H:%M} UTC")
    await crowd.create(api)
    await wait_for_statuses(api, slot)
    return crowd


async def wait_for_statuses(api: ApiServer, slot: datetime) -> None:
    """Wait until the operator has noticed all monitors; raise TooSlowError if the minute is too near then."""
    while waiting := [each for each in await all_monitors(api) if not each.get("status")]:
        say(f"waiting for the operator to take notice of {len(waiting)} monitors")
        await asyncio.sleep(2)
        _check_time(slot)
    _check_time(slot)


def _check_time(slot: datetime) -> None:
    if datetime.now(UTC) > slot - LAST_CALL:
        raise TooSlowError(f"not all was in place at {slot:%H:%M}: try again with a larger --patience")


async def _observe(ground: Arena, crowd: Crowd, limit_seconds: float) -> tuple[_Arrivals, Usage]:
    """Return which Jobs came, and the operator's CPU time since the slot with its peak memory."""
    before = ground.operator.usage()
    log, arrivals = AuditLog(ground.cluster.state.audit_log), _Arrivals(crowd)
    over = crowd.slot + timedelta(seconds=limit_seconds)
    tell = crowd.slot + timedelta(seconds=TELL_SECONDS)
    while (now := datetime.now(UTC)) < over and not arrivals.complete:
        await asyncio.sleep(0.5)
        arrivals.add(log.new_calls())
        if now >= tell:
            tell = now + timedelta(seconds=TELL_SECONDS)
            came = ", ".join(f"{len(arrivals.by_user[user])} of {user}" for user in crowd.users)
            say(f"after {(now - crowd.slot).seconds} s: Jobs: {came}")
    await asyncio.sleep(AFTERWARDS_SECONDS)
    arrivals.add(log.new_calls())
    after = ground.operator.usage()
    return arrivals, replace(after, cpu_seconds=after.cpu_seconds - before.cpu_seconds)
