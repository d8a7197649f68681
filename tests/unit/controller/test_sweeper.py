"""What a new leader has to know before it acts: all that the one before has written."""

import asyncio
import time

from selfheal_operator.api.names import PLURAL
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.controller.sweeper import Sweeper
from selfheal_operator.kube.cluster import Cluster
from support.builders.objects import NOON, spec_document
from support.fakes.memory_api import MONITORS, MemoryApi

CHURN = Key("a", "churn")


class Reads(MemoryApi):
    """Counts what is asked for."""

    def __init__(self) -> None:
        super().__init__(lambda: NOON)
        self.count = 0

    async def request(self, *arguments, **options):
        """Answer."""
        self.count += 1
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
