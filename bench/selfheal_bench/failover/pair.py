"""Two replicas of the operator with leader election, and edits that make the leader write continuously."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from localcluster import LocalCluster
from localcluster.processnode.apiserver import ApiServer
from selfheal_bench.audit import AuditLog, Call
from selfheal_bench.errors import BenchError
from selfheal_bench.measured_operator import USER, MeasuredOperator
from selfheal_bench.monitors import monitors_path, places
from testbed.install import OPERATOR_NAMESPACE
from testbed.workspace import Workspace

WRITES: Final = {"level": "Metadata", "users": [USER], "verbs": ["create", "update", "patch", "delete"]}
"""An audit policy rule that records the operators' writes."""
EDIT_SECONDS: Final = 0.1
LEASE: Final = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/selfheal-operator"


@dataclass(slots=True)
class Replica:
    """One of the two."""

    name: str
    process: MeasuredOperator
    credential: str
    """Its credential id in the audit log, which distinguishes the replicas."""

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send(number)


@dataclass(slots=True)
class Pair:
    """Both of them, and what the API server has recorded of their writes so far."""

    api: ApiServer
    replicas: Sequence[Replica]
    count: int
    audit: AuditLog
    calls: list[Call] = field(default_factory=list)
    edited: int = 0

    async def roles(self) -> tuple[Replica, Replica]:
        """Return the leader and the standby."""
        holder = (await self.api.get(LEASE))["spec"]["holderIdentity"]
        first, second = self.replicas
        return (first, second) if holder.startswith(f"{first.name}_") else (second, first)

    def writes(self, replica: Replica, since: datetime) -> list[Call]:
        """Return its writes since then, without those to the Lease."""
        self.calls += self.audit.new_calls()
        return [
            call
            for call in self.calls
            if call.credential == replica.credential and call.ended > since and call.resource != "leases"
        ]

    def led_again(self, replica: Replica, since: datetime) -> datetime:
        """Return when it acquired the Lease again since then; datetime.max if it did not."""
        taken = (
            call.ended
            for call in self.calls
            if call.credential == replica.credential
            and call.resource == "leases"
            and call.ended > since
            and call.code == HTTPStatus.OK
        )
        return min(taken, default=datetime.max.replace(tzinfo=UTC))

    async def first_write(self, replica: Replica, since: datetime, limit_seconds: float) -> float:
        """Return the seconds until its first write.

        Raises:
            BenchError: if it does not in that time.
        """
        deadline = asyncio.get_running_loop().time() + limit_seconds
        while not (writes := self.writes(replica, since)):
            if asyncio.get_running_loop().time() > deadline:
                raise BenchError(f"{replica.name} has not written anything for {limit_seconds:.0f} s")
            await asyncio.sleep(0.05)
        return (writes[0].ended - since).total_seconds()

    @contextlib.asynccontextmanager
    async def edits(self) -> AsyncIterator[None]:
        """Edit one monitor after the other, for each of which the leader has to write a status."""
        editor = asyncio.create_task(self._edit())
        try:
            yield
        finally:
            editor.cancel()
            await asyncio.gather(editor, return_exceptions=True)

    async def _edit(self) -> None:
        monitors = list(places(self.count))
        while True:
            namespace, name = monitors[self.edited % self.count]
            self.edited += 1  # never reset: an edit without a change causes no reconciliation
            threshold = self.edited % 9000 / 10000
            await self.api.patch(f"{monitors_path(namespace)}/{name}", {"spec": {"threshold": threshold}})
            await asyncio.sleep(EDIT_SECONDS)


def replicas_of(
    cluster: LocalCluster, folder: Path, stop_later: Callable[[Callable[[], object]], object]
) -> list[Replica]:
    """Return two operators that are not started yet."""
    found = []
    for name in ("first", "second"):
        own = Workspace(folder / name)
        own.root.mkdir()
        own.create()
        process = MeasuredOperator(cluster, own, pod=name)
        stop_later(process.stop)
        found.append(Replica(name, process, process.take_token()))
    return found


def now() -> datetime:
    """Return the time, by the clock that the API server on this machine writes into its record."""
    return datetime.now(UTC)
