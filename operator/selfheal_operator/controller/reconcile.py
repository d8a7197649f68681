"""The reconcile loop: observe, decide, act; level-triggered, whatever the event was."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.controller.capacity import Capacity
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.backoff import Backoff
from selfheal_operator.core.errors import SelfhealError, UnavailableError
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import JobDefaults
from selfheal_operator.metrics.instruments import Instruments

logger = logging.getLogger(__name__)

MOST_STEPS: Final = 10
"""A reconciliation takes at most three steps unless others write concurrently; beyond this it is requeued."""
RETRY: Final = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=12))
"""After an outage the API server is tried again within the longest pause plus a quarter (jitter)."""


@dataclass(slots=True)
class Reconciler:
    """Reconciles the keys of the queue; each worker handles one monitor at a time."""

    queue: WorkQueue[Key]
    store: Store
    executor: Executor
    capacity: Capacity
    defaults: JobDefaults
    clock: Callable[[], datetime]
    instruments: Instruments = field(default_factory=Instruments)
    know: Callable[[Key], Awaitable[None]] | None = None
    """Returns once the store contains all of the previous leader's writes to a monitor and its Jobs."""
    _failures: dict[Key, int] = field(default_factory=dict)

    async def run_worker(self) -> None:
        """Reconcile for ever. One monitor's failure does not affect others."""
        while True:
            key = await self.queue.get()
            try:
                with self.instruments.reconciling():
                    wake_at = await self.reconcile(key)
            except SelfhealError as error:
                self.instruments.reconcile_failed(error)
                self._retry_later(key, error)
            except Exception:
                # A bug of the operator, triggered by this monitor: retry it, and continue with the others.
                self.instruments.reconcile_failed(None)
                logger.exception("Monitor not reconciled", extra={"monitor": "/".join(key)})
                self._retry_later(key, None)
            else:
                self._failures.pop(key, None)
                self.queue.add_at(key, wake_at)
            finally:
                self.queue.done(key)
            # A reconciliation without a step never yields to the event loop, nor does `get` if keys wait.
            await asyncio.sleep(0)

    async def reconcile(self, key: Key) -> datetime | None:
        """Reconcile one monitor until no step is left.

        Returns:
            When to reconcile again if no event comes before.
        """
        if self.know is not None:
            await self.know(key)
        for _ in range(MOST_STEPS):
            seen = self.store.observe(key, self.defaults, self.capacity.held(key))
            if seen is None:
                self.capacity.settle(key)
                return None
            plan = plan_monitor(seen, self.clock())
            self.capacity.settle(key, plan)  # no await since `held`: the capacity is still free
            if not await self.executor.carry_out(key, seen, plan):
                return plan.wake_at
        return self.clock() + RETRY.first

    def _retry_later(self, key: Key, error: SelfhealError | None) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        asked = error.retry_after_seconds if isinstance(error, UnavailableError) else None
        # Jitter, so that a thousand monitors do not retry at the same instant.
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        pause = max(RETRY.pause(failures, jitter), timedelta(seconds=asked or 0) * jitter)
        if error is not None:
            logger.warning("Will try again", extra={"monitor": "/".join(key), "error": str(error)})
        self.queue.add_at(key, self.clock() + pause)
