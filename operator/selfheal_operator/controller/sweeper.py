"""Keeps the store true to the cluster: by lists at the start, at a change of leader, and now and then."""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from selfheal_operator.controller.resync import probe, refresh, resync, sweep
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import SelfhealError
from selfheal_operator.kube.client import NotFoundError
from selfheal_operator.kube.cluster import Cluster

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
COMPLAINT_SECONDS: Final = 60.0
"""In an outage, one line in so many seconds."""
SETTLE_SECONDS: Final = 0.2
"""A watch of monitors and one of Jobs begin together: one look for both."""
WATCH_SECONDS: Final = 10.0
"""A watch that has not begun by then is not waited for."""


class Sweeper:
    """Lists everything, in full once and then by what has changed.

    Args:
        cluster: What is listed.
        store: What is kept true.
        wake: Called with the key of each monitor of which something had changed.
        asked: Set when everything has to be looked at soon: a watch does not tell what came before it.
        period_seconds: How often that is done when nobody asks.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        wake: Callable[[Key], None],
        asked: asyncio.Event,
        period_seconds: float,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._wake = wake
        self._period_seconds = period_seconds
        self._asked = asked
        self._one_at_a_time = asyncio.Lock()
        self._true_since = -math.inf
        self._known: dict[Key, float] = {}
        """Since when single monitors are known, where that is later than of all."""
        self._next_complaint = -math.inf
        self.listed = asyncio.Event()
        """Set once everything has been listed."""

    async def catch_up(self, since: float) -> None:
        """Return when the store knows all that had been written before `since`, by the monotonic clock."""
        while self._true_since < since:
            if not await self._tried(self._sweep):
                await asyncio.sleep(RETRY_SECONDS)

    async def know(self, key: Key, since: float) -> None:
        """Return when the store knows all of one monitor that had been written before `since`.

        Raises:
            SelfhealError: It could not be read.
        """
        if self._true_since >= since or self._known.get(key, -math.inf) >= since:
            return
        begun = time.monotonic()
        await refresh(self._cluster, self._store, key)
        self._known[key] = begun

    async def until_served(self) -> None:
        """Return when the API server knows ModelMonitors, and they may be listed."""
        await self._succeed(lambda: probe(self._cluster))

    async def run(self) -> None:
        """List everything, then look for ever."""
        await self.until_served()
        # Once the watch has begun: what is listed then has no gap towards what it tells.
        await self._wait(WATCH_SECONDS)
        await self._succeed(self._list_all)
        logger.info("Everything is listed", extra={"monitors": len(self._store.known_keys())})
        self.listed.set()
        while True:
            await self._wait(self._period_seconds * random.uniform(0.9, 1.1))  # noqa: S311 - no secret
            await self._succeed(self._sweep)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._asked.wait()
            await asyncio.sleep(SETTLE_SECONDS)
        self._asked.clear()

    async def _list_all(self) -> None:
        async with self._one_at_a_time:
            begun = time.monotonic()
            await resync(self._cluster, self._store)
            self._is_true(begun)

    async def _sweep(self) -> None:
        async with self._one_at_a_time:
            begun = time.monotonic()
            changed = await sweep(self._cluster, self._store)
            self._is_true(begun)
        if changed:
            logger.info("Found what the watch had not told yet", extra={"monitors": len(changed)})
        for key in changed:
            self._wake(key)

    def _is_true(self, since: float) -> None:
        self._true_since = since
        self._known.clear()

    async def _succeed(self, attempt: Callable[[], Awaitable[None]]) -> None:
        while not await self._tried(attempt):  # noqa: ASYNC110 - there is nothing to wait for but time
            await asyncio.sleep(RETRY_SECONDS)

    async def _tried(self, attempt: Callable[[], Awaitable[None]]) -> bool:
        try:
            await attempt()
        except SelfhealError as error:
            self._complain(error)
            return False
        self._next_complaint = -math.inf
        return True

    def _complain(self, error: SelfhealError) -> None:
        if (now := time.monotonic()) >= self._next_complaint:
            self._next_complaint = now + COMPLAINT_SECONDS
            hint = "is the CRD installed?" if isinstance(error, NotFoundError) else ""
            logger.warning("Cannot list; will try again", extra={"error": str(error), "hint": hint})
