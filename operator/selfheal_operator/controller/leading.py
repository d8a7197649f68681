"""What a leader does, from its first look to its last write; a standby waits for its turn."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final

from selfheal_operator.controller.context import Context
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.store import Key
from selfheal_operator.controller.sweeper import Sweeper
from selfheal_operator.kube.lease import Leadership

logger = logging.getLogger(__name__)

BREATH_SECONDS: Final = 0.005
STOP_SECONDS: Final = 10.0
"""What is cancelled has ended within moments, or never will."""
DRAIN_SECONDS: Final = 1.0
"""What is being done when the operator is asked to end may be finished in this time."""


class Leading:
    """Works while it leads.

    All that is only true of one turn, as what is queued and what failed, is made anew for each: nobody knows
    what happened between two of them.

    Args:
        leadership: Tells when it leads.
        sweeper: Keeps the store true.
        context: Where events arrive.
        new_reconciler: Makes what works on the monitors, with an empty queue.
        workers: How many monitors are worked on at the same time.
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
        """Lead whenever that is possible, for ever; when cancelled, let somebody else lead."""
        await self._sweeper.listed.wait()  # a leader that has yet to list would keep a warm one from working
        try:
            while True:
                await self._leadership.acquire()
                logger.info("Leading")
                await self._lead()
                logger.warning("No longer leading")
        finally:
            await self._leadership.give_back()

    async def drain(self) -> None:
        """Begin nothing new, and finish what is being done if that does not take long."""
        if (reconciler := self._context.reconciler) is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await reconciler.queue.drain()

    async def _lead(self) -> None:
        """Work until the leadership is lost; then at once no more."""
        duties = {asyncio.create_task(self._leadership.keep()), asyncio.create_task(self._work())}
        try:
            ended, _ = await asyncio.wait(duties, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for duty in duties:
                duty.cancel()
            _, stuck = await asyncio.wait(duties, timeout=STOP_SECONDS)
        if stuck:
            # Never seen since the queue's clock was mended. Better to restart than to hang.
            raise RuntimeError("what the leader did goes on, though it leads no longer")
        for duty in ended:
            duty.result()

    async def _work(self) -> None:
        reconciler = self._context.reconciler = self._new_reconciler()
        reconciler.instruments.set_leader(leads=True)
        acquired = self._leadership.acquired
        # What the leader before has written last, the watch may tell later: a Job that it made, and that is
        # gone by now, would be made once more. To list ten thousand monitors takes seconds; what is due does
        # not wait for them, but is read by itself.
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
        """Have looked at what is due, then at everything."""
        store = self._context.store
        for key, promised in store.oldest_promise_first():
            queue.add_at(key, promised)
        for key in store.unanswered():
            queue.add(key)
        await self._sweeper.catch_up(acquired)
        await look_at_all(queue, [key for key, _ in store.oldest_promise_first()])


async def look_at_all(queue: WorkQueue[Key], keys: Iterable[Key]) -> None:
    """Have everything looked at, one after the other, whenever nothing else waits.

    Most looks find nothing to do and await nothing: all at once, ten thousand would keep the leader from
    renewing its Lease.
    """
    for key in keys:
        queue.add_last(key)
        await asyncio.sleep(0)
        while queue.depth:  # noqa: ASYNC110 - a look now and then is all there is to it
            await asyncio.sleep(BREATH_SECONDS)
