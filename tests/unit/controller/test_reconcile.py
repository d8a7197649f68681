import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import generate_latest

from selfheal_operator.api.names import PLURAL
from selfheal_operator.controller.capacity import Capacity
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.queue import WorkQueue
from selfheal_operator.controller.reconcile import Reconciler
from selfheal_operator.controller.resync import resync
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import UnavailableError
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.metrics.instruments import Instruments
from support.builders.objects import DEFAULTS, NOON, spec_document
from support.fakes.memory_api import MONITORS, Document, MemoryApi
from support.scrapes import Scrape

KEY = Key("team-a", "churn")


class Api(MemoryApi):
    """An API server in memory that may fail every request, or answer none."""

    fault: Exception | None = None
    answers: asyncio.Event | None = None

    async def request(self, *arguments: Any, **options: Any) -> Document:
        """Carry out the request, if nothing speaks against it."""
        if self.fault is not None:
            raise self.fault
        if self.answers is not None:
            await self.answers.wait()
        return await super().request(*arguments, **options)


class Operator:
    """One worker, which has one monitor to work on."""

    def __init__(self) -> None:
        self.api = Api(lambda: NOON)
        monitor = {"metadata": {"namespace": "team-a", "name": "churn"}, "spec": spec_document()}
        self.api.create(f"{MONITORS}/namespaces/team-a/{PLURAL}", monitor)
        self.queue, self.store, self.instruments = WorkQueue[Key](lambda: NOON), Store(), Instruments()
        self.cluster = Cluster(self.api)  # type: ignore[arg-type]  # stands in for the client
        self.reconciler = Reconciler(
            queue=self.queue,
            store=self.store,
            capacity=Capacity(self.store, {}, self.queue.add),
            executor=Executor(self.cluster, self.store, lambda: NOON, self.instruments),
            defaults=DEFAULTS,
            clock=lambda: NOON,
            instruments=self.instruments,
        )

    def read(self, name: str, **labels: str) -> float:
        """Return what a scrape reads; 0 for no series."""
        text = generate_latest(self.instruments.registry).decode()
        return Scrape(text).value(name, **labels) or 0

    async def until(self, name: str, **labels: str) -> None:
        """Wait for a series that is not 0."""
        async with asyncio.timeout(10):
            while not self.read(name, **labels):  # noqa: ASYNC110 - it has no event to wait for
                await asyncio.sleep(0.001)


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    """Return one whose worker waits for the monitor to be added."""
    operator = Operator()
    await resync(operator.cluster, operator.store)
    worker = asyncio.create_task(operator.reconciler.run_worker())
    yield operator
    worker.cancel()


async def test_work_that_ends_well_is_timed(operator):
    """And is no error."""
    operator.queue.add(KEY)
    await operator.until("selfheal_reconcile_duration_seconds_count")
    assert operator.read("selfheal_reconcile_errors_total", kind="Defect") == 0


@pytest.mark.parametrize(
    ("fault", "kind"), [(UnavailableError("away"), "Unavailable"), (ZeroDivisionError("ours"), "Defect")]
)
async def test_an_error_is_told_by_its_kind_and_the_work_is_timed_all_the_same(operator, fault, kind):
    """A defect of the operator's stands apart from an API server that is away."""
    operator.api.fault = fault
    operator.queue.add(KEY)
    await operator.until("selfheal_reconcile_errors_total", kind=kind)
    assert operator.read("selfheal_reconcile_duration_seconds_count") == 1


async def test_work_that_waits_for_an_answer_shows_as_long_as_it_does(operator):
    """By this a stuck worker is found."""
    operator.api.answers = asyncio.Event()
    operator.queue.add(KEY)
    await operator.until("selfheal_reconcile_longest_running_seconds")
    assert operator.instruments.works.longest_standstill() > 0
    operator.api.answers.set()
    await operator.until("selfheal_reconcile_duration_seconds_count")
    assert operator.read("selfheal_reconcile_longest_running_seconds") == 0
