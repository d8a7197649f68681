"""One round of checks in the audit log: the slot of each Job, and the operator's other requests."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from localcluster.processnode.apiserver import Document
from selfheal_bench.audit import Call
from selfheal_bench.lags import Lags
from selfheal_bench.measured_operator import USER
from selfheal_bench.scale.figures import ROUND_SECONDS
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.core.schedule import Schedule, schedule_of

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
WHOLE_ROUND: Final = timedelta(seconds=ROUND_SECONDS)


@dataclass(slots=True)
class Round:
    """What happened from `begin` on, for one interval of the monitors."""

    begin: datetime
    schedules: Mapping[str, Schedule]
    """By the monitor's namespace and name."""
    arrivals: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    writes: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    checks: int = 0

    @property
    def end(self) -> datetime:
        """When the last slot of the round has passed."""
        return self.begin + WHOLE_ROUND

    def add(self, calls: Iterable[Call]) -> None:
        """Add calls from the audit log."""
        for call in calls:
            if call.user != USER:
                continue
            created = call.verb == "create" and call.resource == "jobs" and call.code == 201
            if created:
                self._add_job(call)
            if self.begin <= call.ended < self.end:
                self.checks += created
                kind = self.writes if call.verb in WRITES else self.reads
                kind[f"{call.verb} {call.resource}"] += 1

    def lags(self, limit_seconds: float) -> Lags:
        """Return how late the round's Jobs were: each monitor owes one."""
        return Lags.of(self.arrivals, due=len(self.schedules), limit_seconds=limit_seconds)

    def _add_job(self, call: Call) -> None:
        monitor, _, minute = call.name.rpartition("-check-")
        schedule = self.schedules.get(f"{call.namespace}/{monitor}")
        if schedule is None or (slot := slot_in_minute(schedule, int(minute))) is None:
            return
        if self.begin <= slot < self.end:
            self.arrivals[f"{call.namespace}/{monitor}"].append((call.ended - slot).total_seconds())


def schedules_of(monitors: Iterable[Document]) -> dict[str, Schedule]:
    """Return the schedules of monitors by namespace and name."""
    found = {}
    for each in monitors:
        metadata = each["metadata"]
        spec = ModelMonitorSpec.from_wire(each["spec"])
        found[f"{metadata['namespace']}/{metadata['name']}"] = schedule_of(spec, metadata["uid"])
    return found


def slot_in_minute(schedule: Schedule, minute: int) -> datetime | None:
    """Return the slot that a Job's name stands for: the one within that minute since the epoch."""
    start = datetime.fromtimestamp(minute * 60, UTC)
    slot = schedule.next_after(start - timedelta(seconds=1))
    return slot if slot is not None and slot < start + timedelta(minutes=1) else None
