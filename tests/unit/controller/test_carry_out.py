from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from selfheal_operator.api.names import PLURAL
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import UnavailableError
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Monitor
from selfheal_operator.core.plan import Event
from selfheal_operator.kube.cluster import Cluster
from support.builders.objects import DEFAULTS, HOUR, NOON, monitor_body, spec_document
from support.builders.steps import job_created
from support.fakes.memory_api import JOBS, MONITORS, MemoryApi

CHURN = Key("team-a", "churn")
ONE = NOON + HOUR


@dataclass
class Line:
    """The line to a server whose answers to the next creations are lost."""

    api: MemoryApi
    losses: int = 0
    asked: list[str] = field(default_factory=list)

    async def request(self, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        """Send a request."""
        self.asked.append(f"{method} {path.rpartition('/jobs')[2] or 'jobs'}")
        answer = await self.api.request(method, path, *arguments, **options)
        if method == "POST" and path.endswith("/jobs") and self.losses:
            self.losses -= 1
            raise UnavailableError("the answer was lost")
        return answer


@pytest.fixture
def line() -> Line:
    """Return a line to a server that holds the monitor."""
    api = MemoryApi(lambda: NOON)
    manual = spec_document(retraining={"mode": "Manual"})
    api.create(f"{MONITORS}/namespaces/team-a/{PLURAL}", monitor_body(spec=manual))
    return Line(api)


async def test_a_check_whose_creation_was_not_answered_keeps_the_next_one_waiting(line):
    """The watch has not told of it when the next slot is due; one check runs at a time all the same."""
    store, line.losses = Store(), 1
    executor = Executor(Cluster(line), store, lambda: NOON)
    store.put_monitor(line.api.get(f"{MONITORS}/namespaces/team-a/{PLURAL}/churn"))

    async def look(now) -> None:
        seen = store.observe(CHURN, DEFAULTS)
        assert seen is not None
        await executor.carry_out(CHURN, seen, plan_monitor(seen, now))

    with pytest.raises(UnavailableError):
        await look(ONE)
    line.asked.clear()
    await look(ONE + HOUR)
    assert line.asked == [f"GET /churn-check-{int(ONE.timestamp()) // 60}"]

    seen = store.observe(CHURN, DEFAULTS)
    assert seen is not None
    assert seen.unanswered == ()
    assert job_created(plan_monitor(seen, ONE + HOUR)) is None
    assert len([path for path in line.api.objects if path.startswith(JOBS)]) == 1


@dataclass
class Recorder:
    """A sink; one that fails has nothing that it could tell with."""

    fails: bool = False
    told: list[str] = field(default_factory=list)

    async def tell(self, monitor: Monitor, event: Event, now: datetime) -> None:
        """Take the event down, or fail."""
        assert (monitor.name, now) == ("churn", NOON)
        if self.fails:
            raise UnavailableError("away")
        self.told.append(str(event.reason))


async def test_a_sink_that_fails_keeps_nobody_from_being_told(line):
    """The status is stored by then, and says the same."""
    path = f"{MONITORS}/namespaces/team-a/{PLURAL}/churn"
    line.api.edit_spec(path, spec_document(timeZone="Mars"))
    store, sink = Store(), Recorder()
    store.put_monitor(line.api.get(path))
    seen = store.observe(CHURN, DEFAULTS)
    assert seen is not None

    executor = Executor(Cluster(line), store, lambda: NOON, sinks=[Recorder(fails=True), sink])
    await executor.carry_out(CHURN, seen, plan_monitor(seen, NOON))

    assert sink.told == ["InvalidSpec"]
    assert line.api.get(path)["status"]["observedGeneration"] == 2
