"""The composition root: wires the components together and runs them until SIGTERM or SIGINT."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, Final

from aiohttp.web import AppRunner

from selfheal_operator.api.names import PLURAL
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.config import SettingError, Settings, variable_of
from selfheal_operator.controller.capacity import Capacity
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.context import Context
from selfheal_operator.controller.leading import Leading
from selfheal_operator.controller.policy_watch import PolicyWatch
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.controller.sweeper import Sweeper
from selfheal_operator.core.leadership import lease_name
from selfheal_operator.kube.access_reviews import AccessReviews
from selfheal_operator.kube.admission_policies import AdmissionPolicies
from selfheal_operator.kube.batch_jobs import BatchJobs
from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.clock import ServerClock
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.kubernetes_events import KubernetesEvents
from selfheal_operator.kube.lease import AlwaysLeading, Elector, Leadership, own_identity
from selfheal_operator.kube.throttle import Throttle
from selfheal_operator.logs import configure_logging
from selfheal_operator.metrics.exposition import Exposition
from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.serve.endpoints import Endpoints, serve
from selfheal_operator.serve.metrics_access import MetricsAccess
from selfheal_operator.serve.pulse import Pulse
from selfheal_operator.watch.age import WatchAge
from selfheal_operator.watch.engine import keep_watching
from selfheal_operator.watch.handlers import watch_runs
from selfheal_operator.watch.memo import Memo
from selfheal_operator.watch.request_count import counting
from selfheal_operator.watch.session import WatchSession

Clock = Callable[[], datetime]

DEEPEST_WATCHED: Final = 12_000
REVIEWS_PER_SECOND: Final = 20
"""The rate limit of requests about the tokens of scrapers; each token needs two a minute."""


def main() -> None:
    """Run the operator."""
    # kopf reads each line of a watch with Python's own parser, and ends the watch of all tenants at an object
    # that nests deeper than this. The API server reads 10,000 levels. (From Python 3.12 on, the parser has a
    # limit of its own; that of 3.13 is near to 10,000.)
    sys.setrecursionlimit(DEEPEST_WATCHED)
    try:
        settings = Settings.from_environment(os.environ)
        configure_logging(settings.log_level)
        asyncio.run(run(settings))
    except SettingError as error:
        sys.exit(f"A setting cannot be used: {error}")


async def run(settings: Settings, clock: ServerClock | None = None) -> None:
    """Run until SIGTERM or SIGINT.

    Args:
        settings: The operator's settings.
        clock: Returns the current time; by default a `ServerClock` on this machine's clocks.
    """
    clock = clock or ServerClock()
    stop = asyncio.Event()

    def take_signals() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)

    take_signals()
    async with contextlib.AsyncExitStack() as ends:
        instruments = Instruments()
        leadership = await _leadership(settings, clock, instruments, ends)
        client = await ApiClient.connect(
            validity=leadership.seconds_left,
            throttle=Throttle(settings.api_requests_per_second, settings.api_burst),
            clock=clock,
            instruments=instruments,
        )
        ends.push_async_callback(client.close)
        engine = BatchJobs(client)
        cluster, store, asked = Cluster(client, settings.namespaces, engine), Store(), asyncio.Event()
        kinds = (PLURAL, engine.collection.plural)
        age = WatchAge(kinds)
        session = WatchSession(asked.set, kinds, [age.tracing(), counting(instruments, kinds)])
        context = Memo(store, session, engine, instruments)
        watch_runs(engine.collection)
        sweeper = Sweeper(cluster, store, context.wake, asked, settings.resync_seconds)

        def new_reconciler() -> Reconciler:
            queue = WorkQueue[Key](clock, tenant_of=lambda key: key.namespace)
            executor = Executor(cluster, store, clock, instruments, [KubernetesEvents(client)])
            capacity = Capacity(store, settings.limits, queue.add)
            return Reconciler(queue, store, executor, capacity, settings.job_defaults, clock, instruments)

        leading = Leading(leadership, sweeper, context, new_reconciler, settings.workers)
        pulse = Pulse(instruments, age.listen)
        policies = PolicyWatch(AdmissionPolicies(client), instruments, settings.resync_seconds)
        if settings.health_port:
            _show(instruments, context, age, clock)
            endpoints = Endpoints(
                trouble=pulse.trouble,
                # A standby is ready too: it has listed everything, and only the leader may reconcile.
                is_ready=sweeper.listed.is_set,
                metrics=Exposition(instruments, store.facts, clock).text,
                metrics_access=await _metrics_access(settings, instruments, ends),
            )
            server = await _served(settings.health_port, endpoints)
            ends.push_async_callback(server.cleanup)
        await _until(
            stop,
            sweeper.run(),
            keep_watching(context, settings.namespaces, sweeper.until_served, take_signals),
            leading.run(),
            pulse.run(),
            # An operator for selected namespaces has no rights, and asks for nothing, outside of them.
            *(() if settings.namespaces else (policies.run(),)),
            before_the_end=leading.drain,
        )


async def _served(port: int, endpoints: Endpoints) -> AppRunner:
    try:
        return await serve(port, endpoints)
    except OSError as error:
        name = variable_of("health_port")
        raise SettingError(f"{name}: port {port} is taken or forbidden ({error}); set another") from error


async def _metrics_access(
    settings: Settings, instruments: Instruments, ends: contextlib.AsyncExitStack
) -> MetricsAccess | None:
    if not settings.metrics_authorization:
        return None
    # By a connection of its own: tokens that somebody makes up hold back no check, and a standby asks too.
    throttle = Throttle(REVIEWS_PER_SECOND, burst=REVIEWS_PER_SECOND)
    client = await ApiClient.connect(throttle=throttle, instruments=instruments)
    ends.push_async_callback(client.close)
    return MetricsAccess(AccessReviews(client))


def _show(instruments: Instruments, context: Context, age: WatchAge, clock: Clock) -> None:
    """Register the gauges that are read at scrape time. On a standby, queue and waiting Jobs read 0."""

    def depth() -> int:
        return context.reconciler.queue.depth if context.reconciler else 0

    def oldest_wait() -> float:
        oldest = context.reconciler.queue.oldest if context.reconciler else None
        return (clock() - oldest).total_seconds() if oldest else 0.0

    def waiting(purpose: Purpose) -> int:
        return context.reconciler.capacity.waiting(purpose) if context.reconciler else 0

    instruments.read_queue(depth, oldest_wait)
    instruments.read_waiting(waiting)
    instruments.read_unreadable(context.store.unreadable)
    instruments.read_jobs(lambda purpose: context.store.active(purpose).by_namespace)
    instruments.read_watches(age.ages)


async def _leadership(
    settings: Settings,
    clock: ServerClock,
    instruments: Instruments,
    ends: contextlib.AsyncExitStack,
) -> Leadership:
    if settings.lease_namespace is None:
        return AlwaysLeading()
    client = await ApiClient.connect(clock=clock, instruments=instruments)
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
    """Run all duties until `stop` is set; re-raise the first error of a duty."""
    tasks = [asyncio.create_task(each) for each in (stop.wait(), *duties)]
    try:
        # A duty never returns. If one does, that is a bug: stop, because a restart beats a partial operator.
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await before_the_end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
