"""N ModelMonitors that are due in the same minute, with or without as many CronJobs, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from localcluster.processnode.apiserver import ApiServer, Document
from selfheal_bench.measured_operator import USER
from selfheal_bench.monitors import create, monitor, monitors_path, places
from selfheal_bench.parallel import for_each

CRONJOB_USER: Final = "system:serviceaccount:kube-system:cronjob-controller"
"""The CronJob controller's user name at the API server."""
WARM_UP: Final = 100


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is due at `slot`: `count` of each kind."""

    count: int
    slot: datetime
    with_cron_jobs: bool = True

    async def create(self, api: ApiServer) -> None:
        """Create all of it."""
        if not self.with_cron_jobs:
            await self.create_monitors(api)
            return
        pairs = _pairs(self.count, "due", self._cron)
        await for_each("creating ModelMonitors and CronJobs", pairs, lambda pair: create(api, *pair))

    async def create_monitors(self, api: ApiServer) -> None:
        """Create the monitors alone."""
        monitors = _monitors(self.count, "due", self._cron)
        await for_each("creating ModelMonitors", monitors, lambda each: create(api, *each))

    @property
    def _cron(self) -> str:
        return f"{self.slot.minute} {self.slot.hour} * * *"

    @property
    def users(self) -> tuple[str, ...]:
        """Return the users that create the Jobs."""
        return (USER, CRONJOB_USER) if self.with_cron_jobs else (USER,)

    def source_of(self, job: str) -> str | None:
        """Return the monitor or CronJob of a Job, by the Job's name; None if it is not for this minute."""
        minute = f"-{int(self.slot.timestamp()) // 60}"
        return job.removesuffix(minute) if job.endswith(minute) else None


async def objects_per_second(api: ApiServer) -> float:
    """Create a few suspended objects of both kinds, and return how fast that went."""
    pairs = list(_pairs(WARM_UP, "warm-up", "0 0 1 1 *", suspend=True))
    return len(pairs) / await for_each("warming up", pairs, lambda pair: create(api, *pair))


def whole_minute_after(time: datetime) -> datetime:
    """Return the first whole minute that is not earlier than `time`."""
    floor = time.astimezone(UTC).replace(second=0, microsecond=0)
    return floor if floor == time else floor + timedelta(minutes=1)


def _pairs(count: int, prefix: str, cron: str, *, suspend: bool = False) -> Iterator[tuple[str, Document]]:
    monitors = _monitors(count, prefix, cron, suspend=suspend)
    for (namespace, name), ours in zip(places(count), monitors, strict=True):
        full = f"{prefix}-{name}"
        yield ours
        yield f"/apis/batch/v1/namespaces/{namespace}/cronjobs", _cron_job(namespace, full, cron, suspend)


def _monitors(count: int, prefix: str, cron: str, *, suspend: bool = False) -> Iterator[tuple[str, Document]]:
    for namespace, name in places(count):
        full = f"{prefix}-{name}"
        yield monitors_path(namespace), monitor(namespace, full, schedule=cron, suspend=suspend)


def _cron_job(namespace: str, name: str, cron: str, suspend: bool) -> Document:  # noqa: FBT001 - a field's value
    container = {"name": "main", "image": "none", "command": ["true"]}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "schedule": cron,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",  # as a monitor's
            "suspend": suspend,
            "jobTemplate": {"spec": {"template": pod}},
        },
    }
