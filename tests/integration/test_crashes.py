"""An operator that dies before and after every one of its writes still does everything once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from selfheal_operator.controller.capacity import Capacity
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.resync import resync
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import SelfhealError
from selfheal_operator.core.observed import JobDefaults
from selfheal_operator.kube.client import JSON, ApiClient
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.metrics.api_calls import OTHER, ApiCall
from support.builders.monitors import monitor_manifest, promise_slot, write_table
from testbed.kubectl import Kubectl

PATIENCE = timedelta(seconds=300)


class Crash(BaseException):
    """The operator's end; nothing in it may catch this."""


class MortalClient:
    """A connection whose user dies at every write.

    The first attempt at a kind of write is never sent; the answer to the second never arrives, though the
    API server has carried it out; and so on in turn.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self.immortal = False
        self.deaths: Counter[str] = Counter()
        self.pages, self.instruments = client.pages, client.instruments

    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        call: ApiCall = OTHER,
    ) -> dict[str, Any]:
        """Send the request, or die."""
        write = f"{method} {path.rsplit('/', 1)[-1]}"
        dies = method != "GET" and not self.immortal
        if dies and self.deaths[f"before {write}"] == self.deaths[f"after {write}"]:
            self.deaths[f"before {write}"] += 1
            raise Crash
        answer = await self._client.request(
            method, path, body, query=query, content_type=content_type, accept=accept, call=call
        )
        if dies:
            self.deaths[f"after {write}"] += 1
            raise Crash
        return answer


async def one_life(client: MortalClient, key: Key, mlflow_uri: str) -> bool:
    """Live from a cold start until nothing is left to do now; return whether that was reached."""
    store = Store()
    cluster = Cluster(client)  # type: ignore[arg-type]  # a fault injector with the same two methods
    await resync(cluster, store)
    executor = Executor(cluster, store, lambda: datetime.now(UTC))
    defaults = JobDefaults(tracking_uri=mlflow_uri, data_paths=("/",))
    queue = WorkQueue[Key](lambda: datetime.now(UTC))
    try:
        capacity = Capacity(store, {}, queue.add)
        await Reconciler(queue, store, executor, capacity, defaults, lambda: datetime.now(UTC)).reconcile(key)
    except (Crash, SelfhealError):
        return False
    return True


@pytest.mark.timeout(400)
async def test_a_crash_at_any_write_neither_loses_nor_doubles(
    kubectl: Kubectl, installation: Path, mlflow_uri: str, tmp_path: Path
) -> None:
    """At each write it dies twice: before it is sent, and before its answer is read."""
    reference = write_table(tmp_path / "reference.parquet", rows=1500, shift=0, seed=1)
    moved = write_table(tmp_path / "moved.parquet", rows=800, shift=1.5, seed=2)
    kubectl.apply(monitor_manifest("mortal", reference=reference, current=moved))
    slot = promise_slot(kubectl, "mortal")
    key = Key(kubectl.namespace, "mortal")
    connection = await ApiClient.connect(str(installation))
    client = MortalClient(connection)
    deadline = datetime.now(UTC) + PATIENCE

    status: dict[str, Any] = {}
    while not status.get("model") or status.get("active"):
        assert datetime.now(UTC) < deadline, (status, client.deaths)
        while not await one_life(client, key, mlflow_uri):
            pass
        await asyncio.sleep(0.5)
        status = kubectl.get("modelmonitor", "mortal").get("status", {})
    client.immortal = True
    assert await one_life(client, key, mlflow_uri)
    await connection.close()

    status = kubectl.get("modelmonitor", "mortal")["status"]
    jobs = kubectl.get("jobs")["items"]
    minute = int(slot.timestamp()) // 60
    names = [f"mortal-check-{minute}", "mortal-promote-1", "mortal-retrain-1"]
    assert sorted(job["metadata"]["name"] for job in jobs) == names
    assert status["lastScheduleTime"] == f"{slot:%Y-%m-%dT%H:%M:%SZ}"
    assert status["missedChecks"] == 0
    assert status["retraining"]["count"] == 1
    assert (status["model"]["version"], status["model"]["alias"]) == ("1", "champion")
    assert client.deaths["before POST jobs"] == client.deaths["after POST jobs"] == 3
    assert client.deaths["before PATCH status"] == client.deaths["after PATCH status"] >= 3
    assert client.deaths["after POST rolebindings"] == client.deaths["after POST serviceaccounts"] == 1
