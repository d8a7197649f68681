"""Simulated users, who apply, edit and delete monitors."""

import asyncio
import random
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from chaos.admin import MERGE, Admin, Document
from chaos.faults import Fault, Kind
from selfheal_operator.api.names import (
    ANNOTATION_CHECK_REQUEST,
    ANNOTATION_DECISION,
    ANNOTATION_RETRAIN_REQUEST,
    API_VERSION,
    GROUP,
    KIND,
    PLURAL,
    VERSION,
)
from selfheal_operator.kube.client import NotFoundError

NAMESPACES: Final = ("team-a", "team-b")

_SCHEDULES: Final[tuple[dict[str, Any], ...]] = (
    {"intervalSeconds": 60},
    {"intervalSeconds": 90},
    {"intervalSeconds": 120},
    {"intervalSeconds": 300},
    {"schedule": "* * * * *"},
    {"schedule": "*/2 * * * *"},
    {"schedule": "1-59/3 * * * *", "timeZone": "Europe/Berlin"},
)
_PUNCTUALITIES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"concurrencyPolicy": "Replace"},
    {"startingDeadlineSeconds": 50},
    {"spreadSeconds": 30},
    {"concurrencyPolicy": "Replace", "startingDeadlineSeconds": 200, "spreadSeconds": 10},
)
_KEPT: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0},
    {"successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 2},
)
_NO_SCHEDULE: Final = {"intervalSeconds": None, "schedule": None, "timeZone": None}
_COOLDOWNS: Final = (0, 60, 300)
_PROMOTERS: Final = ("Auto", "Auto", "Auto", "Manual", "None")
_MANY_RETRAININGS: Final = {"maxRunsPerDay": 24, "maxConsecutiveFailures": 100}
"""By default four a day would be the end of it: minutes into a run."""


def smallest_spec() -> Document:
    """Return what each spec needs, without a schedule."""
    return {
        "dataset": {
            "reference": {"uri": "/data/reference.csv"},
            "current": {"uri": "/data/current.csv"},
        },
        "target": "churned",
        "threshold": 0.3,
    }


class Sort(Enum):
    """What users do to a monitor. The audit is stricter for one whose schedule is never edited."""

    STEADY = "steady"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class MonitorName:
    """One monitor of the testbed."""

    namespace: str
    name: str

    @property
    def collection(self) -> str:
        """The path of its namespace's monitors."""
        return f"/apis/{GROUP}/{VERSION}/namespaces/{self.namespace}/{PLURAL}"

    @property
    def model(self) -> str:
        """The name of its registered model."""
        return f"{self.namespace}.{self.name}"

    @property
    def path(self) -> str:
        """The path of the monitor."""
        return f"{self.collection}/{self.name}"


class Users:
    """All users who may write ModelMonitors."""

    def __init__(self, admin: Admin, seed: int, monitors: int) -> None:
        self._admin = admin
        self._dice = random.Random(seed)  # noqa: S311 - runs must be repeatable
        self._monitors = {
            sort: [
                MonitorName(NAMESPACES[number % 2], f"{sort.value}-{number:03}")
                for number in range(monitors)
                if (number % 3 == 2) == (sort is Sort.EDITED)
            ]
            for sort in Sort
        }

    @property
    def monitors(self) -> list[MonitorName]:
        """Return the names of all monitors."""
        return [name for names in self._monitors.values() for name in names]

    async def apply_all(self) -> None:
        """Create all monitors."""
        for names in self._monitors.values():
            for name in names:
                await self._create(name)

    async def act(self, fault: Fault) -> str:
        """Perform the user action of the fault; return a description of it."""
        edited = self._monitors[Sort.EDITED]
        steady = self._monitors[Sort.STEADY]
        one_of = edited if fault.kind in (Kind.SUSPEND, Kind.EDIT_SCHEDULE) else [*steady, *edited]
        name = one_of[fault.choice % len(one_of)]
        match fault.kind:
            case Kind.RECREATE:
                await self._delete(name)
                await asyncio.sleep(fault.down)
                await self._create(name)
            case Kind.SUSPEND:
                await self._edit(name, {"suspend": True})
                await asyncio.sleep(fault.seconds)
                await self._edit(name, {"suspend": False})
            case Kind.EDIT_SCHEDULE:
                await self._edit(name, _NO_SCHEDULE | self._dice.choice(_SCHEDULES))
            case Kind.REQUEST_CHECK:
                await self._ask(name, ANNOTATION_CHECK_REQUEST, fault)
            case Kind.REQUEST_RETRAINING:
                await self._ask(name, ANNOTATION_RETRAIN_REQUEST, fault)
            case Kind.DECISION:
                return f"{name.path}: {await self._decide(name, fault)}"
            case _:
                await self._edit(name, {"threshold": round(self._dice.uniform(0.05, 0.8), 3)})
        return name.path

    async def _create(self, name: MonitorName) -> None:
        await self._admin.create(name.collection, self._manifest(name))

    async def _delete(self, name: MonitorName) -> None:
        try:
            await self._admin.request("DELETE", name.path)
        except NotFoundError:
            return

    async def _edit(self, name: MonitorName, spec: dict[str, Any]) -> None:
        await self._admin.request("PATCH", name.path, {"spec": spec}, content_type=MERGE)

    async def _ask(self, name: MonitorName, annotation: str, fault: Fault) -> None:
        body = {"metadata": {"annotations": {annotation: f"fault-{fault.number}"}}}
        await self._admin.request("PATCH", name.path, body, content_type=MERGE)

    async def _decide(self, name: MonitorName, fault: Fault) -> str:
        """Decide on the version that waits; if none does, roll back to any version."""
        status = (await self._admin.request("GET", name.path)).get("status") or {}
        pending = (status.get("promotion") or {}).get("pending")
        verb = ("approve", "approve", "reject")[fault.choice % 3] if pending else "rollback"
        present = int((status.get("model") or {}).get("version", 1))
        version = pending["version"] if pending else 1 + fault.choice % present
        decision = f"{verb}:{version};fault-{fault.number}"
        body = {"metadata": {"annotations": {ANNOTATION_DECISION: decision}}}
        await self._admin.request("PATCH", name.path, body, content_type=MERGE)
        return decision

    def _manifest(self, name: MonitorName) -> Document:
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name.name, "namespace": name.namespace},
            "spec": {
                **smallest_spec(),
                "retraining": {"cooldownSeconds": self._dice.choice(_COOLDOWNS)} | _MANY_RETRAININGS,
                "promotion": {"mode": self._dice.choice(_PROMOTERS)},
                **self._dice.choice(_SCHEDULES),
                **self._dice.choice(_PUNCTUALITIES),
                **self._dice.choice(_KEPT),
            },
        }
