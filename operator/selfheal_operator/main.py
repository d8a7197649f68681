"""The composition root: puts the parts together and runs them until a signal says stop."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from selfheal_operator.config import Settings
from selfheal_operator.core.leadership import lease_name
from selfheal_operator.handlers.health import serve_health
from selfheal_operator.handlers.leading import Leading
from selfheal_operator.handlers.queue import WorkQueue
from selfheal_operator.handlers.reconcile import Reconciler
from selfheal_operator.handlers.sweeper import Sweeper
from selfheal_operator.handlers.watch import Context, keep_watching
from selfheal_operator.handlers.watch_session import WatchSession
from selfheal_operator.kube.capacity import Capacity
from selfheal_operator.kube.carry_out import Executor
from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.clock import ServerClock
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.lease import AlwaysLeading, Elector, Leadership, own_identity
from selfheal_operator.kube.store import Key, Store
from selfheal_operator.kube.throttle import Throttle
from selfheal_operator.logs import configure_logging

Clock = Callable[[], datetime]


def main() -> None:
    """Run the operator."""
    try:
        settings = Settings.from_environment(os.environ)
    except ValidationError as error:
        sys.exit(f"A setting cannot be read: {error}")
    configure_logging(settings.log_level)
    asyncio.run(run(settings))


async def run(settings: Settings, clock: Clock | None = None) -> None:
    """Run until SIGTERM or SIGINT.

    Args:
        settings: What the platform team has set.
        clock: Tells the time; without one, the API server does.
    """
    server_clock = ServerClock()
    clock = clock or server_clock
    stop = asyncio.Event()

    def take_signals() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)

    take_signals()
    async with contextlib.AsyncExitStack() as ends:
        leadership = await _leadership(settings, clock, server_clock, ends)
        client = await ApiClient.connect(
            validity=leadership.seconds_left,
            throttle=Throttle(settings.api_requests_per_second, settings.api_burst),
            clock=server_clock,
        )
        ends.push_async_callback(client.close)
        cluster, store, asked = Cluster(client, settings.namespaces), Store(), asyncio.Event()
        context = Context(store, WatchSession(asked.set))
        sweeper = Sweeper(cluster, store, context.wake, asked, settings.resync_seconds)

        def new_reconciler() -> Reconciler:
            queue, executor = WorkQueue[Key](clock), Executor(cluster, store, clock)
            capacity = Capacity(store, settings.limits, queue.add)
            return Reconciler(queue, store, executor, capacity, settings.job_defaults, clock)

        leading = Leading(leadership, sweeper, context, new_reconciler, settings.workers)
        if settings.health_port:
            # A standby is as ready as a leader: both have listed, and only one may work.
            health = await serve_health(settings.health_port, sweeper.listed.is_set)
            ends.push_async_callback(health.cleanup)
        await _until(
            stop,
            sweeper.run(),
            keep_watching(context, settings.namespaces, sweeper.until_served, take_signals),
            leading.run(),
            before_the_end=leading.drain,
        )


async def _leadership(
    settings: Settings, clock: Clock, server_clock: ServerClock, ends: contextlib.AsyncExitStack
) -> Leadership:
    if settings.lease_namespace is None:
        return AlwaysLeading()
    client = await ApiClient.connect(clock=server_clock)
    ends.push_async_callback(client.close)
    return Elector(
        client=client,
        namespace=settings.lease_namespace,
        name=lease_name(settings.namespaces),
        identity=own_identity(settings.pod_name),
        durations=settings.lease_durations,
        clock=clock,
    )


async def _until(
    stop: asyncio.Event, *duties: Coroutine[Any, Any, None], before_the_end: Callable[[], Awaitable[None]]
) -> None:
    """Do all duties until `stop` is set; raise what one of them raises."""
    tasks = [asyncio.create_task(each) for each in (stop.wait(), *duties)]
    try:
        # Duties never end. One that does is a defect, and half an operator is worse than a restarted one.
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await before_the_end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
