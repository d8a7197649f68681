"""kopf as a watch engine: its settings, and a loop that begins it anew where it gives up."""

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
"""The API server ends a watch after this; a bookmark two seconds before tells where the next one goes on."""
SILENCE_SECONDS: Final = 13.0
"""A watch that is silent for longer is dead, whatever TCP believes: nothing is silent for more than ten."""
REQUEST_RETRY: Final = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=5))
"""Between kopf's attempts at a request."""
END_SECONDS: Final = 10.0
LOST_SECONDS: Final = 45.0
"""A kopf that has begun no watch of a kind for so long never will: discovery may have hidden the CRD."""
RESTART: Final = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=8))
"""Between two kopfs."""
STEADY_SECONDS: Final = 60.0
"""A watch that went on for so long was not part of the trouble before."""


_KOPF: Final = str(Path(kopf.__file__).parent)


@kopf.on.startup(registry=REGISTRY)
async def configure(settings: kopf.OperatorSettings, memo: Memo, **_: Any) -> None:
    """Set kopf up before it begins."""
    be_a_watch_engine(settings, memo.engine.collection)


def be_a_watch_engine(settings: kopf.OperatorSettings, runs: Collection) -> None:
    """Set kopf up as a watch engine and nothing more.

    Args:
        settings: Those of kopf.
        runs: What is watched beside the monitors, as far as it is ours.
    """
    settings.peering.standalone = True
    settings.scanning.disabled = True  # the CRD is there before kopf is started
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
    """Keeps kopf from copying each object to see what changed in it: a seventh of its work, for nobody."""

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
    """Pauses in seconds between kopf's attempts at a request. They never end: an outage is waited out."""

    def __iter__(self) -> Iterator[float]:
        return (REQUEST_RETRY.pause(failures).total_seconds() for failures in itertools.count(1))


async def keep_watching(
    context: Memo,
    namespaces: Sequence[str],
    until_served: Callable[[], Awaitable[None]],
    take_signals: Callable[[], None],
) -> None:
    """Run kopf for ever; where it gives up, begin it anew.

    kopf ends at errors that an operator has to survive: an error inside a watch stream, half a line of one.

    Args:
        context: What the handlers share.
        namespaces: Those that are watched; none: all.
        until_served: Returns when the CRD is there; without it, kopf watches nothing and never looks again.
        take_signals: Called whenever kopf has taken the signals for itself.
    """
    failures = 0
    while True:
        await until_served()
        begun = time.monotonic()
        try:
            await _watch(context, namespaces, take_signals)
        except Exception as error:  # noqa: BLE001 - whatever it was, the answer is to watch again
            logger.warning("Watch ended; will begin anew", extra={"error": repr(error)})
        failures = 1 if time.monotonic() - begun > STEADY_SECONDS else failures + 1
        jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        await asyncio.sleep(RESTART.pause(failures, jitter).total_seconds())


async def _watch(context: Memo, namespaces: Sequence[str], take_signals: Callable[[], None]) -> None:
    """Run kopf until it fails.

    Its tasks are begun and ended here, one by one: `kopf.operator` cancels, when it ends, every task of the
    process that was begun after its own, as a leader's are.
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
    # Discovery asks for several groups at a time, and leaves the others behind when one request fails.
    for task in asyncio.all_tasks():
        code = getattr(task.get_coro(), "cr_code", None)
        if code is not None and code.co_filename.startswith(_KOPF):
            task.cancel()


async def _notice_loss(session: WatchSession) -> None:
    """Raise when a kind has not been watched for long; one namespace that is refused does not count."""
    begun = time.monotonic()
    while True:
        await asyncio.sleep(1)
        for kind, last in session.watched.items():
            if time.monotonic() - max(begun, last) > LOST_SECONDS:
                raise TimeoutError(f"no watch of {kind} has begun for {LOST_SECONDS:.0f} s")
