"""Two namespaces whose monitors are due at the same time: does the one with many delay the one with few?

The operator serves namespaces in turn (round robin): while both have monitors that wait, each has every other
start. So the small namespace, of n monitors, is done after about 2 n starts and those that were in flight.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from localcluster import ControlPlaneOptions
from localcluster.processnode.apiserver import ApiServer, Document
from selfheal_bench import audit
from selfheal_bench.arena import NAMESPACES, Arena, administrator, arena, say
from selfheal_bench.audit import AuditLog, Call
from selfheal_bench.lags import Lags
from selfheal_bench.measured_operator import MLFLOW, USER
from selfheal_bench.monitors import create, monitor, monitors_path
from selfheal_bench.parallel import for_each
from selfheal_bench.schedule.crowd import Crowd, objects_per_second, whole_minute_after
from selfheal_bench.schedule.phase import AFTERWARDS_SECONDS, LAST_CALL, PHASES, wait_for_statuses
from selfheal_operator.config import Settings

LARGE: Final = NAMESPACES[0]
SMALL: Final = NAMESPACES[1]
IN_FLIGHT: Final = Settings(mlflow_tracking_uri=MLFLOW).workers
"""Starts that may be on their way when the first monitor of a namespace comes due: the operator's workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """The small namespace's lags alone, and beside the large one."""

    alone: Lags
    small: Lags
    large: Lags

    @property
    def first_come(self) -> float:
        """The small namespace's p99, in seconds, if namespaces took no turns: that of all Jobs."""
        return self._all.percentile(99)

    @property
    def starts(self) -> int:
        """How many Jobs existed, of both namespaces, when the small one had all of its own."""
        return sum(seconds <= self.small.percentile(100) for seconds in self._all.seconds)

    @property
    def most(self) -> int:
        """The target for these: every other start, and those in flight."""
        return 2 * self.small.due + IN_FLIGHT

    @property
    def met(self) -> bool:
        """Whether the small namespace waits no longer than its share, and no Job is missing or doubled.

        In starts, not in seconds: it holds on a busy machine, too, whatever a start costs.
        """
        complete = all(not lags.missed and not lags.doubled for lags in (self.alone, self.small, self.large))
        return complete and self.starts <= self.most

    @property
    def _all(self) -> Lags:
        return Lags(
            due=self.small.due + self.large.due,
            seconds=tuple(sorted((*self.small.seconds, *self.large.seconds))),
            limit_seconds=self.small.limit_seconds,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "smallAlone": self.alone.to_json(),
            "small": self.small.to_json(),
            "large": self.large.to_json(),
            "firstComeP99Seconds": round(self.first_come, 3),
            "startsUntilSmallIsDone": self.starts,
            "mostStarts": self.most,
            "timesAlone": round(self.small.percentile(99) / self.alone.percentile(99), 2),
            "met": self.met,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: how many monitors each namespace has, and the waits of `phase.Phase`."""

    large: int
    small: int
    limit_seconds: float
    patience: float


async def measure_fairness(plan: Plan, keep: Path | None) -> Fairness:
    """Run the small namespace alone, and then beside the large one, each on a new control plane.

    Raises:
        TooSlowError: if not all was in place before the minute.
    """
    alone = await _run({SMALL: plan.small}, plan, keep and keep / f"fairness-{plan.small}-alone")
    both = {LARGE: plan.large, SMALL: plan.small}
    beside = await _run(both, plan, keep and keep / f"fairness-{plan.small}-beside-{plan.large}")
    return Fairness(alone=alone[SMALL], small=beside[SMALL], large=beside[LARGE])


async def _run(due: Mapping[str, int], plan: Plan, keep: Path | None) -> dict[str, Lags]:
    options = ControlPlaneOptions(
        scheduler=False,
        controller_manager=PHASES["tuned"],
        audit_policy=audit.policy(audit.JOBS_CREATED),
    )
    say(f"due at once: {' and '.join(f'{count} in {name}' for name, count in due.items())}")
    with arena(options, keep) as ground:
        cluster = ground.cluster
        async with administrator(cluster.server, cluster.state.pki) as api:
            ground.operator.start()
            crowd = await _gather(api, due, plan.patience)
        await asyncio.sleep((crowd.slot - datetime.now(UTC)).total_seconds())
        return await _observe(ground, crowd, due, plan.limit_seconds)


async def _gather(api: ApiServer, due: Mapping[str, int], patience: float) -> Crowd:
    count = sum(due.values())
    seconds = (4 * count / await objects_per_second(api) + 15) * patience
    slot = whole_minute_after(datetime.now(UTC) + timedelta(seconds=seconds) + LAST_CALL)
    say(f"all are due at {slot:%H:%M} UTC")
    await for_each("creating ModelMonitors", _monitors(due, slot), lambda each: create(api, *each))
    await wait_for_statuses(api, slot)
    return Crowd(count, slot, with_cron_jobs=False)


def _monitors(due: Mapping[str, int], slot: datetime) -> Iterator[tuple[str, Document]]:
    """Yield them in this order: those of the large namespace stand first in a line without turns."""
    for namespace, count in due.items():
        for number in range(count):
            name, cron = f"due-m{number:05}", f"{slot.minute} {slot.hour} * * *"
            yield monitors_path(namespace), monitor(namespace, name, schedule=cron)


async def _observe(
    ground: Arena, crowd: Crowd, due: Mapping[str, int], limit_seconds: float
) -> dict[str, Lags]:
    log = AuditLog(ground.cluster.state.audit_log)
    arrivals: dict[str, dict[str, list[float]]] = {namespace: defaultdict(list) for namespace in due}
    over = crowd.slot + timedelta(seconds=limit_seconds)
    while datetime.now(UTC) < over and any(len(arrivals[name]) < count for name, count in due.items()):
        await asyncio.sleep(0.5)
        add(arrivals, log.new_calls(), crowd)
    await asyncio.sleep(AFTERWARDS_SECONDS)
    add(arrivals, log.new_calls(), crowd)
    return {
        name: Lags.of(arrivals[name], due=count, limit_seconds=limit_seconds) for name, count in due.items()
    }


def add(arrivals: Mapping[str, dict[str, list[float]]], calls: Iterable[Call], crowd: Crowd) -> None:
    """Add the lags of the Jobs that the operator created, by namespace and monitor."""
    for call in calls:
        source = crowd.source_of(call.name)
        if call.code == 201 and call.user == USER and source is not None and call.namespace in arrivals:
            arrivals[call.namespace][source].append((call.ended - crowd.slot).total_seconds())
