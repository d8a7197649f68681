"""What a new leader has to know before it acts: all that the one before has written."""

import asyncio
import time

import pytest

from selfheal_operator.api.names import PLURAL
from selfheal_operator.controller import sweeper as module
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.controller.sweeper import Sweeper
from selfheal_operator.core.errors import UnavailableError
from selfheal_operator.kube.cluster import Cluster
from support.builders.objects import NOON, spec_document
from support.fakes.memory_api import MONITORS, MemoryApi

CHURN = Key("a", "churn")


class Reads(MemoryApi):
    """Counts what is asked for."""

    def __init__(self) -> None:
        super().__init__(lambda: NOON)
        self.count = 0
        self.fault: Exception | None = None

    async def request(self, *arguments, **options):
        """Answer, or fail."""
        self.count += 1
        if self.fault is not None:
            raise self.fault
        return await super().request(*arguments, **options)


def stage() -> tuple[Reads, Store, Sweeper]:
    """Return an API server with one monitor, and a sweeper that has never listed."""
    api, store = Reads(), Store()
    body = {"metadata": {"namespace": "a", "name": "churn"}, "spec": spec_document()}
    api.create(f"{MONITORS}/namespaces/a/{PLURAL}", body)
    cluster = Cluster(api)  # type: ignore[arg-type]  # as far as is needed
    return api, store, Sweeper(cluster, store, lambda _: None, asyncio.Event(), 600)


async def test_a_monitor_is_read_once_by_itself_while_not_all_are_listed():
    """And once more by whoever leads after that."""
    api, store, sweeper = stage()
    acquired = time.monotonic()
    for _ in range(3):
        await sweeper.know(CHURN, acquired)
    assert (api.count, len(store.known_keys())) == (1, 1)

    await sweeper.know(CHURN, time.monotonic())
    assert api.count == 2


async def test_a_monitor_is_not_read_by_itself_once_all_are_listed():
    """What was listed since is known."""
    api, _, sweeper = stage()
    acquired = time.monotonic()
    await sweeper.catch_up(acquired)
    before = api.count

    await sweeper.know(CHURN, acquired)

    assert api.count == before


async def test_a_monitor_that_the_sweep_could_not_read_is_read_before_it_is_acted_upon():
    """All are listed, but of this one nobody knows what the leader before has written."""
    api, _, sweeper = stage()
    other = {"metadata": {"namespace": "a", "name": "price"}, "spec": spec_document()}
    acquired = time.monotonic()
    await sweeper.catch_up(acquired)
    api.create(f"{MONITORS}/namespaces/a/{PLURAL}", other)
    api.fault = UnavailableError("500")
    acquired = time.monotonic()
    await sweeper.catch_up(acquired)

    await sweeper.know(CHURN, acquired)
    with pytest.raises(UnavailableError):
        await sweeper.know(Key("a", "price"), acquired)
    api.fault = None
    await sweeper.know(Key("a", "price"), acquired)
    before = api.count
    await sweeper.know(Key("a", "price"), acquired)
    assert api.count == before


async def test_a_defect_ends_no_sweeper(monkeypatch, caplog):
    """It is told, and tried again: what the watch tells is reconciled all the same."""
    sweeper, calls = stage()[2], list[int]()

    async def broken(*_):
        calls.append(1)
        if len(calls) < 3:
            raise ZeroDivisionError("ours")
        return set(), set()

    monkeypatch.setattr(module, "sweep", broken)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)

    await sweeper.catch_up(time.monotonic())

    assert len(calls) == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]
