"""kopf as a watch engine: its settings, and a loop that restarts it when it ends."""

import asyncio
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import kopf

from selfheal_operator.api.names import LABEL_MANAGED_BY, MANAGED_BY
from selfheal_operator.core.backoff import Backoff
from selfheal_operator.kube.collection import Collection
from selfheal_operator.watch.handlers import REGISTRY
from selfheal_operator.watch.memo import Memo
from selfheal_operator.watch.session import WatchSession

logger = logging.getLogger(__name__)

SERVER_SECONDS: Final = 10
"""The API server ends a watch after this; two seconds before, a bookmark gives the next resourceVersion."""
SILENCE_SECONDS: Final = 13.0
"""A watch without data for longer is dead, even if TCP is connected: a live one ends after ten seconds."""
REQUEST_RETRY: Final = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=5))
"""The backoff of kopf's requests."""
END_SECONDS: Final = 10.0
LOST_SECONDS: Final = 45.0
"""If kopf starts no watch of a resource for this long, it never will: discovery may have missed the CRD."""
RESTART: Final = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=8))
"""The backoff of kopf's restarts."""
STEADY_SECONDS: Final = 60.0
"""After kopf has run for this long, the restart backoff is reset."""


_KOPF: Final = str(Path(kopf.__file__).parent)


@kopf.on.startup(registry=REGISTRY)
async def configure(settings: kopf.OperatorSettings, memo: Memo, **_: Any) -> None:
    """Configure kopf before it starts."""
    be_a_watch_engine(settings, memo.engine.collection)


def be_a_watch_engine(settings: kopf.OperatorSettings, runs: Collection) -> None:
    """Configure kopf to watch and to do nothing else.

    Args:
        settings: kopf's settings.
        runs: The collection to watch besides the monitors, restricted by our label.
    """
    settings.peering.standalone = True
    settings.scanning.disabled = True  # the CRD exists before kopf starts
    settings.posting.enabled = False
    # Otherwise a kopf that has ended kills the process ten minutes later, while its successor works.
    settings.process.ultimate_exiting_timeout = None
    settings.persistence.diffbase_storage = _NoDifferences()
    settings.queueing.idle_timeout = (
        0.5  # idle workers hold 14 KiB each; at 10,000 monitors half of all memory
    )
    settings.queueing.exit_timeout = 0.5
    settings.watching.server_timeout = SERVER_SECONDS
    settings.watching.inactivity_timeout = SILENCE_SECONDS
    settings.watching.connect_timeout = 3
    settings.watching.reconnect_backoff = 0.5
    group, version = runs.group.split("/")
    settings.watching.label_selectors[group, version, runs.plural] = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
    settings.networking.connect_timeout = 3
    settings.networking.request_timeout = 10
    settings.networking.error_backoffs = Backoffs()
    settings.execution.max_workers = 4


class _NoDifferences(kopf.DiffBaseStorage):
    """Keeps kopf from copying each object to compute its diff, which is unused and a seventh of its work."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> kopf.BodyEssence:
        """Return nothing of the object."""
        del body, extra_fields
        return cast("kopf.BodyEssence", {})

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return nothing: nothing was stored."""
        del body
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Store nothing."""


class Backoffs:
    """Pauses in seconds between kopf's attempts at a request; infinite, so that kopf survives any outage."""

    def __iter__(self) -> Iterator[float]:
        return (REQUEST_RETRY.pause(failures).total_seconds() for failures in itertools.count(1))


async def keep_watching(
    context: Memo,
    namespaces: Sequence[str],
    until_served: Callable[[], Awaitable[None]],
    take_signals: Callable[[], None],
) -> None:
    """Run kopf for ever; restart it whenever it ends.

    kopf ends on errors that an operator must survive: an ERROR event in a watch stream, or a truncated line.

    Args:
        context: The handlers' shared state.
        namespaces: The namespaces to watch; empty for all.
        until_served: Returns once the CRD exists; without it, kopf watches nothing and never retries.
        take_signals: Called whenever kopf has installed its own signal handlers.
    """
    failures = 0
    while True:
        await until_served()
        begun = time.monotonic()
        try:
            await _watch(context, namespaces, take_signals)
        except Exception as error:  # noqa: BLE001 - after any error, watch again
            logger.warning("Watch ended; will begin anew", extra={"error": repr(error)})
        failures = 1 if time.monotonic() - begun > STEADY_SECONDS else failures + 1
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        await asyncio.sleep(RESTART.pause(failures, jitter).total_seconds())


async def _watch(context: Memo, namespaces: Sequence[str], take_signals: Callable[[], None]) -> None:
    """Run kopf until it fails.

    Its tasks are started and cancelled here, one by one: when `kopf.operator` ends, it cancels every task of
    the process that started after its own, including a leader's.
    """
    tasks = await kopf.spawn_tasks(
        registry=REGISTRY,
        clusterwide=not namespaces,
        namespaces=namespaces,
        standalone=True,
        memo=context,
    )
    take_signals()
    running = {*tasks, asyncio.create_task(_notice_loss(context.session))}
    try:
        ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(running)
    for task in ended:
        if not task.cancelled():
            task.result()


async def _end(running: set[asyncio.Task[None]]) -> None:
    for task in running:
        task.cancel()
    await asyncio.wait(running, timeout=END_SECONDS)
    # kopf's discovery requests several groups concurrently; when one fails, it leaves the others running.
    for task in asyncio.all_tasks():
        code = getattr(task.get_coro(), "cr_code", None)
        if code is not None and code.co_filename.startswith(_KOPF):
            task.cancel()


async def _notice_loss(session: WatchSession) -> None:
    """Raise if no watch of a resource has started for long; a single forbidden namespace does not count."""
    begun = time.monotonic()
    while True:
        await asyncio.sleep(1)
        for kind, last in session.watched.items():
            if time.monotonic() - max(begun, last) > LOST_SECONDS:
                raise TimeoutError(f"no watch of {kind} has begun for {LOST_SECONDS:.0f} s")
