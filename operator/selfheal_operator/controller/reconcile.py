"""See, decide, act: the same three steps whatever woke us up."""

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
"""A look takes three steps at most unless others write at the same time; then the queue goes on first."""
RETRY: Final = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=12))
"""An API server that comes back is noticed within this and a quarter."""


@dataclass(slots=True)
class Reconciler:
    """Works on the keys of the queue, one monitor at a time each."""

    queue: WorkQueue[Key]
    store: Store
    executor: Executor
    capacity: Capacity
    defaults: JobDefaults
    clock: Callable[[], datetime]
    instruments: Instruments = field(default_factory=Instruments)
    know: Callable[[Key], Awaitable[None]] | None = None
    """Returns when all is known that the leader before has written of a monitor."""
    _failures: dict[Key, int] = field(default_factory=dict)

    async def run_worker(self) -> None:
        """Work for ever. A monitor that fails harms no other."""
        while True:
            key = await self.queue.get()
            try:
                with self.instruments.reconciling():
                    wake_at = await self.reconcile(key)
            except SelfhealError as error:
                self.instruments.reconcile_failed(error)
                self._retry_later(key, error)
            except Exception:
                # A defect of ours, met by this monitor: the others go on, and it is tried again.
                self.instruments.reconcile_failed(None)
                logger.exception("Monitor not reconciled", extra={"monitor": "/".join(key)})
                self._retry_later(key, None)
            else:
                self._failures.pop(key, None)
                self.queue.add_at(key, wake_at)
            finally:
                self.queue.done(key)
            # A look that finds nothing to do has awaited nothing, and the next key may be there already.
            await asyncio.sleep(0)

    async def reconcile(self, key: Key) -> datetime | None:
        """Bring one monitor to where nothing is left to do now.

        Returns:
            When to look again if nothing happens before.
        """
        if self.know is not None:
            await self.know(key)
        for _ in range(MOST_STEPS):
            seen = self.store.observe(key, self.defaults, self.capacity.held(key))
            if seen is None:
                self.capacity.settle(key)
                return None
            plan = plan_monitor(seen, self.clock())
            self.capacity.settle(key, plan)  # nothing is awaited since `held`: the room is still there
            if not await self.executor.carry_out(key, seen, plan):
                return plan.wake_at
        return self.clock() + RETRY.first

    def _retry_later(self, key: Key, error: SelfhealError | None) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        asked = error.retry_after_seconds if isinstance(error, UnavailableError) else None
        # Jitter, so that a thousand monitors do not come back in the same instant.
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        pause = max(RETRY.pause(failures, jitter), timedelta(seconds=asked or 0) * jitter)
        if error is not None:
            logger.warning("Will try again", extra={"monitor": "/".join(key), "error": str(error)})
        self.queue.add_at(key, self.clock() + pause)
