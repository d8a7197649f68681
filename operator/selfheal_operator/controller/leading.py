"""The leader's duties, from acquiring the Lease to releasing it; a standby waits to acquire it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final

from selfheal_operator.api.names import PLURAL
from selfheal_operator.controller.context import Context
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.store import Key
from selfheal_operator.controller.sweeper import Sweeper
from selfheal_operator.kube.lease import Leadership
from selfheal_operator.kube.one_object import one_object

logger = logging.getLogger(__name__)

BREATH_SECONDS: Final = 0.005
STOP_SECONDS: Final = 10.0
"""A cancelled task ends almost at once or never."""
DRAIN_SECONDS: Final = 1.0
"""On shutdown, reconciliations in progress may take this long to finish."""


class Leading:
    """Reconciles while this replica is the leader.

    State that is valid for one term only (the queue, failure counts) is created anew for each term, because
    another leader may have acted between two terms.

    Args:
        leadership: Acquires, renews and releases the leadership.
        sweeper: Keeps the store in sync with the API server.
        context: Passes events on to the reconciler.
        new_reconciler: Creates a reconciler with an empty queue.
        workers: How many monitors are reconciled concurrently.
    """

    def __init__(
        self,
        leadership: Leadership,
        sweeper: Sweeper,
        context: Context,
        new_reconciler: Callable[[], Reconciler],
        workers: int,
    ) -> None:
        self._leadership = leadership
        self._sweeper = sweeper
        self._context = context
        self._new_reconciler = new_reconciler
        self._workers = workers

    async def run(self) -> None:
        """Compete for the leadership and lead, for ever; release it when cancelled."""
        await self._sweeper.listed.wait()  # a leader that has not listed yet would block a synced standby
        try:
            while True:
                await self._leadership.acquire()
                logger.info("Leading")
                await self._lead()
                logger.warning("No longer leading")
        finally:
            await self._leadership.give_back()

    async def drain(self) -> None:
        """Start no more reconciliations; wait for those in progress, for at most `DRAIN_SECONDS`."""
        if (reconciler := self._context.reconciler) is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await reconciler.queue.drain()

    async def _lead(self) -> None:
        """Reconcile until the leadership is lost, then stop at once."""
        duties = {asyncio.create_task(self._leadership.keep()), asyncio.create_task(self._work())}
        try:
            ended, _ = await asyncio.wait(duties, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for duty in duties:
                duty.cancel()
            _, stuck = await asyncio.wait(duties, timeout=STOP_SECONDS)
        if stuck:
            # Not seen since the bug in the queue's `run_clock` was fixed. A restart is better than a hang.
            raise RuntimeError("what the leader did goes on, though it leads no longer")
        for duty in ended:
            duty.result()

    async def _work(self) -> None:
        reconciler = self._context.reconciler = self._new_reconciler()
        reconciler.instruments.set_leader(leads=True)
        acquired = self._leadership.acquired
        # The watch may lag behind the previous leader's last writes; a Job it created and that is already
        # deleted would be created twice. Listing ten thousand monitors takes seconds; a due monitor does not
        # wait for that, but is read individually.
        reconciler.know = lambda key: self._sweeper.know(key, acquired)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(reconciler.queue.run_clock())
                group.create_task(self._take_over(reconciler.queue, acquired))
                for _ in range(self._workers):
                    group.create_task(reconciler.run_worker())
        finally:
            self._context.reconciler = None
            reconciler.instruments.set_leader(leads=False)

    async def _take_over(self, queue: WorkQueue[Key], acquired: float) -> None:
        """Queue monitors that are due or whose status is outdated; after a full sweep, queue all."""
        store = self._context.store
        for key, promised in store.oldest_promise_first():
            with one_object(self._context.instruments, PLURAL, key):
                queue.add_at(key, promised)
        for key in store.unanswered():
            queue.add(key)
        await self._sweeper.catch_up(acquired)
        await look_at_all(queue, [key for key, _ in store.oldest_promise_first()])


async def look_at_all(queue: WorkQueue[Key], keys: Iterable[Key]) -> None:
    """Queue all keys, one at a time, each when the queue is empty.

    Most reconciliations find nothing to do and never yield to the event loop: ten thousand in a row would
    keep the leader from renewing its Lease.
    """
    for key in keys:
        queue.add_last(key)
        await asyncio.sleep(0)
        while queue.depth:  # noqa: ASYNC110 - polling is enough here
            await asyncio.sleep(BREATH_SECONDS)
