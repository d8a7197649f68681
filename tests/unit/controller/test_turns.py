"""Thousands of looks that find nothing to do leave everybody else their turns: a leader has to renew."""

import asyncio
from datetime import datetime

import pytest

from selfheal_operator.controller.leading import look_at_all
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.store import Key
from support.builders.objects import NOON

KEYS = [Key("team-a", f"m{number}") for number in range(500)]


class Idle(Reconciler):
    """Finds nothing to do, and so awaits nothing."""

    async def reconcile(self, key: Key) -> datetime | None:
        """Look, and find that all is well."""
        assert key in KEYS
        return None


@pytest.fixture
async def queue():
    """Return a queue with a worker; of several, each may find the next key there already."""
    queue = WorkQueue[Key](lambda: NOON)
    nothing = None
    idle = Idle(queue, nothing, nothing, nothing, nothing, lambda: NOON)  # type: ignore[arg-type]  # of no use
    worker = asyncio.create_task(idle.run_worker())
    await asyncio.sleep(0)
    yield queue
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def turns_until_empty(queue) -> int:
    """Return how often somebody else had a turn until all was looked at."""
    turns = 0
    while queue.depth:
        turns += 1
        await asyncio.sleep(0)
    return turns


async def test_a_worker_that_awaits_nothing_gives_way_after_each_look(queue):
    """Many changed at once, as is found after an outage."""
    for key in KEYS:
        queue.add(key)

    assert await turns_until_empty(queue) >= len(KEYS)


async def test_a_look_at_all_gives_way_to_everybody_after_each_one(queue):
    """Not after as many as there are workers: 32 looks are 50 ms, and a request takes ten turns."""
    looking = asyncio.create_task(look_at_all(queue, KEYS))
    turns = 0
    while not looking.done():
        turns += 1
        assert queue.depth <= 1
        await asyncio.sleep(0)

    assert turns >= len(KEYS)
