"""The composition root: puts the parts together and runs them until a signal says stop."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from typing import Final

import kopf
from pydantic import ValidationError

from selfheal_operator.config import Settings
from selfheal_operator.core.errors import SelfhealError
from selfheal_operator.handlers.endpoints import Endpoints, serve
from selfheal_operator.handlers.pulse import Pulse
from selfheal_operator.handlers.queue import WorkQueue
from selfheal_operator.handlers.reconcile import Reconciler
from selfheal_operator.handlers.request_count import counting
from selfheal_operator.handlers.watch import REGISTRY, WATCHED, Context
from selfheal_operator.handlers.watch_age import WatchAge
from selfheal_operator.handlers.watch_session import WatchSession
from selfheal_operator.kube.carry_out import Executor
from selfheal_operator.kube.client import ApiClient, NotFoundError
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.resync import resync
from selfheal_operator.kube.store import Key, Store
from selfheal_operator.logs import configure_logging
from selfheal_operator.metrics.exposition import Exposition
from selfheal_operator.metrics.instruments import Instruments

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0


def main() -> None:
    """Run the operator."""
    try:
        settings = Settings.from_environment(os.environ)
    except ValidationError as error:
        sys.exit(f"A setting cannot be read: {error}")
    configure_logging(settings.log_level)
    asyncio.run(run(settings))


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    instruments, age = Instruments(), WatchAge(WATCHED)
    cluster = Cluster(client := await ApiClient.connect())
    client.instruments = instruments
    store, queue = Store(), WorkQueue[Key](_now)
    executor = Executor(cluster, store, _now, instruments)
    reconciler = Reconciler(queue, store, executor, settings.job_defaults, _now, instruments)
    listed = asyncio.Event()
    pulse, session = Pulse(instruments, age.listen), WatchSession([age.tracing(), counting(instruments)])
    endpoints = Endpoints(
        trouble=pulse.trouble,
        is_ready=listed.is_set,
        metrics=_exposition(instruments, store, queue, age).text,
    )
    instruments.set_leader(leads=True)
    server = await serve(settings.health_port, endpoints) if settings.health_port else None
    # Made before kopf is started: kopf cancels, when it ends, every task that came after.
    duties = [
        asyncio.create_task(_keep_listing(cluster, store, queue, listed, settings.resync_seconds)),
        asyncio.create_task(pulse.run()),
        asyncio.create_task(queue.run_clock()),
        *(asyncio.create_task(_work(listed, reconciler)) for _ in range(settings.workers)),
    ]
    watch = asyncio.create_task(_watch(listed, Context(store, session, queue)))
    try:
        # Duties never end. One that does is a defect, and half an operator is worse than a restarted one.
        ended, _ = await asyncio.wait([watch, *duties], return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in (watch, *duties):
            task.cancel()
        await asyncio.gather(watch, *duties, return_exceptions=True)
        if server is not None:
            await server.cleanup()
        await session.close()
        await client.close()


def _exposition(instruments: Instruments, store: Store, queue: WorkQueue[Key], age: WatchAge) -> Exposition:
    """Say where to look for what is not told but asked for."""

    def oldest_wait() -> float:
        return (_now() - queue.oldest).total_seconds() if queue.oldest else 0.0

    instruments.read_queue(lambda: queue.depth, oldest_wait)
    instruments.read_jobs(store.active)
    instruments.read_watches(age.ages)
    return Exposition(instruments, store.facts, _now)


async def _keep_listing(
    cluster: Cluster, store: Store, queue: WorkQueue[Key], listed: asyncio.Event, seconds: int
) -> None:
    """List everything, then again every so often; nothing is written before the first list is complete."""
    while True:
        try:
            await resync(cluster, store)
        except SelfhealError as error:
            hint = "is the CRD installed?" if isinstance(error, NotFoundError) else ""
            logger.warning("Cannot list; will try again", extra={"error": str(error), "hint": hint})
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if not listed.is_set():
            logger.info("Everything is listed; work begins", extra={"monitors": len(store.known_keys())})
        for key in store.known_keys():
            queue.add(key)
        listed.set()
        await asyncio.sleep(seconds)


async def _work(listed: asyncio.Event, reconciler: Reconciler) -> None:
    await listed.wait()
    await reconciler.run_worker()


async def _watch(listed: asyncio.Event, context: Context) -> None:
    """Run kopf until a signal; where it gives up, begin it anew with what is known.

    kopf ends at errors that an operator has to survive: an error inside a watch stream, or an API server
    that refuses for minutes. Our own tasks and what they know live on.
    """
    await listed.wait()  # without the CRD, kopf would watch nothing and never look again
    stop = asyncio.Event()
    while not stop.is_set():
        try:
            await kopf.operator(registry=REGISTRY, clusterwide=True, standalone=True, memo=context)
        except Exception as error:  # noqa: BLE001 - whatever it was, the answer is to watch again
            logger.warning("Watch ended; will begin anew", extra={"error": repr(error)})
        else:
            return  # kopf had the signal
        # kopf's own handlers would now tell a future that nobody waits for.
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RETRY_SECONDS)


def _now() -> datetime:
    return datetime.now(UTC)
