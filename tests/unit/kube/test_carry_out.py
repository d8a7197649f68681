from datetime import datetime
from typing import Any

import pytest
from prometheus_client import generate_latest

from builders import DEFAULTS, HOUR, NOON, SECOND, spec_document
from memory_api import MONITORS, Document, MemoryApi
from scrapes import Scrape
from selfheal_operator.api.names import PLURAL
from selfheal_operator.core.errors import UnavailableError
from selfheal_operator.core.monitor import STATUS_PATIENCE, plan_monitor
from selfheal_operator.kube.carry_out import Executor
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.resync import resync
from selfheal_operator.kube.store import Key, Store
from selfheal_operator.metrics.instruments import Instruments

KEY = Key("team-a", "churn")


class Api(MemoryApi):
    """An API server in memory that may lose an answer."""

    loses: bool = False

    async def request(self, method: str, path: str, *arguments: Any, **options: Any) -> Document:
        """Carry out the request."""
        answer = await super().request(method, path, *arguments, **options)
        if method == "POST" and path.endswith("/jobs") and self.loses:
            self.loses = False
            raise UnavailableError("lost")
        return answer


class Operator:
    """One that works on one monitor, made at 11:30, at a time that the test sets."""

    def __init__(self) -> None:
        self.now = NOON - HOUR / 2
        self.api = Api(self.clock)
        spec = {"metadata": {"namespace": "team-a", "name": "churn"}, "spec": spec_document()}
        self.api.create(f"{MONITORS}/namespaces/team-a/{PLURAL}", spec)
        self.restart()

    def clock(self) -> datetime:
        """Return the time."""
        return self.now

    def restart(self) -> None:
        """Forget everything."""
        self.store, self.instruments = Store(), Instruments()
        self.cluster = Cluster(self.api)  # type: ignore[arg-type]  # stands in for the client
        self.executor = Executor(self.cluster, self.store, self.clock, self.instruments)

    async def work(self, *, hears: bool = True) -> None:
        """Do all that there is to do now; by what was known before if it hears nothing."""
        if hears:
            await resync(self.cluster, self.store)
        for _ in range(10):
            seen = self.store.observe(KEY, DEFAULTS)
            assert seen is not None
            if not await self.executor.carry_out(KEY, seen, plan_monitor(seen, self.now)):
                return

    def read(self, name: str, **labels: str) -> float | None:
        """Return what a scrape reads."""
        return Scrape(generate_latest(self.instruments.registry).decode()).value(name, **labels)


@pytest.fixture
async def operator() -> Operator:
    """Return one that has seen the monitor before its first slot, which is noon."""
    operator = Operator()
    await operator.work()
    return operator


async def test_a_check_is_told_when_its_job_is_there(operator):
    """Once, however often it is looked at afterwards; nothing is missed."""
    operator.now = NOON + SECOND / 2
    await operator.work()
    await operator.work()
    assert operator.read("selfheal_jobs_started_total", purpose="Check") == 1
    assert operator.read("selfheal_check_start_delay_seconds_sum") == 0.5
    assert operator.read("selfheal_slots_missed_total", reason="Superseded") == 0


@pytest.mark.parametrize(("hears", "told"), [(False, 1), (True, 0)])
async def test_a_check_whose_answer_was_lost_is_told_at_most_once(operator, hears, told):
    """When the next attempt finds the Job, with its own delay; not if the watch has told of it first."""
    operator.now, operator.api.loses = NOON, True
    with pytest.raises(UnavailableError):
        await operator.work()
    operator.now = NOON + 20 * SECOND
    await operator.work(hears=hears)
    assert operator.read("selfheal_jobs_started_total", purpose="Check") == told
    assert operator.read("selfheal_check_start_delay_seconds_sum") == told  # a second at most each


async def test_slots_that_are_given_up_are_told_once_they_are_in_the_status(operator):
    """An operator that was away for three slots starts the newest one; two are missed."""
    operator.restart()
    operator.now = NOON + 2 * HOUR
    await operator.work()
    assert operator.read("selfheal_slots_missed_total", reason="Superseded") == 0
    operator.now += STATUS_PATIENCE
    await operator.work()
    await operator.work()
    assert operator.read("selfheal_jobs_started_total", purpose="Check") == 1
    assert operator.read("selfheal_slots_missed_total", reason="Superseded") == 2


async def test_the_store_tells_the_metrics_what_the_status_says(operator):
    """And nothing any more when the monitor is gone."""
    operator.now = NOON + 2 * HOUR
    await operator.work()
    operator.now += STATUS_PATIENCE
    await operator.work()
    ((key, facts),) = operator.store.facts()
    assert (key, facts.missed) == (KEY, 2)
    operator.api.delete(f"{MONITORS}/namespaces/team-a/{PLURAL}/churn")
    await resync(operator.cluster, operator.store)
    assert operator.store.facts() == []
