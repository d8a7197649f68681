"""Keeps the store in sync with the cluster: lists at the start, at a change of leader, and periodically."""

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from selfheal_operator.controller.resync import probe, refresh, resync, sweep
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import SelfhealError
from selfheal_operator.kube.client import NotFoundError
from selfheal_operator.kube.cluster import Cluster

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
COMPLAINT_SECONDS: Final = 60.0
"""During an outage, log one line per this many seconds."""
SETTLE_SECONDS: Final = 0.2
"""The watches of monitors and of Jobs start together: one sweep serves both."""
WATCH_SECONDS: Final = 10.0
"""How long to wait for the watch to start before the first list."""


class Sweeper:
    """Lists everything: once in full, then by metadata, reading only what has changed.

    Args:
        cluster: The cluster to list.
        store: The store to keep in sync.
        wake: Called with the key of each monitor that has changed, or whose Jobs have.
        asked: Set to request a sweep: a new watch does not report earlier changes.
        period_seconds: The time between sweeps if none is requested.
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
        """When single monitors were last read, if that is later than the last full sweep."""
        self._unread: set[Key] = set()
        """Monitors that the last sweep could not read."""
        self._next_complaint = -math.inf
        self.listed = asyncio.Event()
        """Set once everything has been listed."""

    async def catch_up(self, since: float) -> None:
        """Return once the store contains every write made before `since` (monotonic clock)."""
        while self._true_since < since:
            if not await self._tried(self._sweep):
                await asyncio.sleep(RETRY_SECONDS)

    async def know(self, key: Key, since: float) -> None:
        """Return once the store contains every write to one monitor and its Jobs made before `since`.

        Raises:
            SelfhealError: The monitor or its Jobs could not be read.
        """
        is_swept = self._true_since >= since and key not in self._unread
        if is_swept or self._known.get(key, -math.inf) >= since:
            return
        begun = time.monotonic()
        await refresh(self._cluster, self._store, key)
        self._known[key] = begun
        self._unread.discard(key)

    async def until_served(self) -> None:
        """Return once the API server serves ModelMonitors and allows listing them."""
        await self._succeed(lambda: probe(self._cluster))

    async def run(self) -> None:
        """List everything, then sweep for ever."""
        await self.until_served()
        # List after the watch has started, so that no change falls between the list and the watch.
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
            changed, unread = await sweep(self._cluster, self._store)
            self._is_true(begun, unread)
        if changed:
            logger.info("Found what the watch had not told yet", extra={"monitors": len(changed)})
        for key in changed:
            self._wake(key)

    def _is_true(self, since: float, unread: Iterable[Key] = ()) -> None:
        self._true_since = since
        self._known.clear()
        self._unread = set(unread)

    async def _succeed(self, attempt: Callable[[], Awaitable[None]]) -> None:
        while not await self._tried(attempt):  # noqa: ASYNC110 - there is nothing to wait for but time
            await asyncio.sleep(RETRY_SECONDS)

    async def _tried(self, attempt: Callable[[], Awaitable[None]]) -> bool:
        try:
            await attempt()
        except SelfhealError as error:
            self._complain(error)
            return False
        except Exception:
            # A bug of the operator. Without a sweep it still reconciles what the watch tells.
            self._cluster.instruments.reconcile_failed(None)
            if self._may_complain():
                logger.exception("Cannot list because of a defect; will try again")
            return False
        self._next_complaint = -math.inf
        return True

    def _complain(self, error: SelfhealError) -> None:
        if self._may_complain():
            hint = "is the CRD installed?" if isinstance(error, NotFoundError) else ""
            logger.warning("Cannot list; will try again", extra={"error": str(error), "hint": hint})

    def _may_complain(self) -> bool:
        """Return whether the last log line is long enough ago; if so, this one counts."""
        if (now := time.monotonic()) < self._next_complaint:
            return False
        self._next_complaint = now + COMPLAINT_SECONDS
        return True
