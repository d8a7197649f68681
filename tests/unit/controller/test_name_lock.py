"""A monitor is deleted and made anew under its name; its predecessor's Job still has the name it needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from selfheal_operator.api.names import ANNOTATION_RETRAIN_REQUEST, PLURAL
from selfheal_operator.api.reasons import Purpose, Reason
from selfheal_operator.controller.carry_out import Executor
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import RejectedError
from selfheal_operator.core.jobs import check_job_name, retrain_job_name
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.kube.cluster import Cluster
from support.builders.objects import DEFAULTS, HOUR, NOON, SECOND, monitor_body, spec_document
from support.fakes.memory_api import JOBS, MONITORS, Document, MemoryApi

CHURN = Key("team-a", "churn")
COLLECTION = f"{MONITORS}/namespaces/team-a/{PLURAL}"
MONITOR = f"{COLLECTION}/churn"
NAMES = {Purpose.CHECK: check_job_name("churn", NOON + HOUR), Purpose.RETRAIN: retrain_job_name("churn", 1)}


@dataclass
class Line:
    """The line to the server; something may happen just before a request of a kind arrives there."""

    api: MemoryApi
    before: dict[str, Callable[[], Any]] = field(default_factory=dict)

    async def request(self, method: str, path: str, *arguments: Any, **options: Any) -> Document:
        """Send a request."""
        if happen := self.before.get(method):
            happen()
        return await self.api.request(method, path, *arguments, **options)


class Operator:
    """An operator that believes what it has seen last."""

    def __init__(self, api: MemoryApi) -> None:
        self.line, self.store = Line(api), Store()
        self.executor = Executor(Cluster(self.line), self.store, api.clock)  # type: ignore[arg-type]  # as above
        self.clock = api.clock
        self.store.put_monitor(api.get(MONITOR))

    async def settle(self) -> None:
        """Do all that is to be done now."""
        for _ in range(20):
            seen = self.store.observe(CHURN, DEFAULTS)
            if seen is None:
                return
            if not await self.executor.carry_out(CHURN, seen, plan_monitor(seen, self.clock())):
                return
        raise AssertionError("the operator never comes to rest")


class World:
    """An API server on which a monitor wants a check, or a retraining that somebody asks for."""

    def __init__(self, purpose: Purpose) -> None:
        self.purpose, self.now = purpose, NOON
        self.api = MemoryApi(lambda: self.now)
        self.job = f"{JOBS}/namespaces/team-a/jobs/{NAMES[purpose]}"

    def apply_monitor(self) -> str:
        """Have a user make the monitor, and want a run of it; return its UID."""
        self.now = NOON
        asked = {ANNOTATION_RETRAIN_REQUEST: "now"} if self.purpose is Purpose.RETRAIN else {}
        spec = spec_document(retraining={"mode": "Manual"})
        body = monitor_body(spec=spec)
        body["metadata"] |= {"annotations": asked}
        uid: str = self.api.create(COLLECTION, body)["metadata"]["uid"]
        self.now = NOON + HOUR
        return uid

    def recreate_monitor(self) -> str:
        """Have a user delete the monitor and make it anew; nobody collects what it leaves."""
        self.api.delete(MONITOR)
        return self.apply_monitor()

    @property
    def owner(self) -> str:
        """The UID of the monitor that the Job belongs to."""
        uid: str = self.api.get(self.job)["metadata"]["ownerReferences"][0]["uid"]
        return uid

    @property
    def ready(self) -> Document:
        """The condition Ready."""
        conditions = self.api.get(MONITOR)["status"]["conditions"]
        return next(condition for condition in conditions if condition["type"] == "Ready")


@pytest.fixture(params=NAMES)
async def world(request: pytest.FixtureRequest) -> World:
    """Return a world in which the Job has been started."""
    world = World(request.param)
    uid = world.apply_monitor()
    await Operator(world.api).settle()
    assert world.owner == uid
    return world


async def test_a_predecessors_job_makes_room(world: World) -> None:
    """It is deleted, and the Job of the monitor that is there now starts in the same look."""
    uid = world.recreate_monitor()

    await Operator(world.api).settle()

    assert world.owner == uid
    assert world.ready["reason"] == Reason.MONITOR_ACTIVE


async def test_who_believes_in_the_monitor_before_deletes_nothing_of_the_one_after(world: World) -> None:
    """It meets the name, looks who lives, and learns that it is its own view that is out of date."""
    late = Operator(world.api)
    uid = world.recreate_monitor()
    await Operator(world.api).settle()
    job = world.api.get(world.job)

    await late.settle()

    assert world.api.get(world.job) == job
    assert late.store.uid_of(CHURN) == uid


async def test_who_believes_in_a_monitor_that_is_gone_deletes_nothing(world: World) -> None:
    """Its Jobs are garbage collection's."""
    world.recreate_monitor()
    late = Operator(world.api)
    world.api.delete(MONITOR)
    job = world.api.get(world.job)

    await late.settle()

    assert world.api.get(world.job) == job
    assert late.store.uid_of(CHURN) is None


async def test_a_job_that_takes_the_name_meanwhile_is_not_deleted(world: World) -> None:
    """The monitor is made anew once more between the last look and the deletion, and its Job has the name."""
    world.recreate_monitor()
    late = Operator(world.api)

    def overtake() -> None:
        uid = world.recreate_monitor()
        world.api.delete(world.job)
        manifest = {"name": NAMES[world.purpose], "ownerReferences": [{"uid": uid, "controller": True}]}
        world.api.create(f"{JOBS}/namespaces/team-a/jobs", {"metadata": manifest})

    late.line.before["DELETE"] = overtake
    seen = late.store.observe(CHURN, DEFAULTS)
    assert seen is not None
    await late.executor.carry_out(CHURN, seen, plan_monitor(seen, world.now))

    assert world.owner == late.store.uid_of(CHURN) == world.api.get(MONITOR)["metadata"]["uid"]


async def test_a_job_that_is_being_deleted_is_waited_for(world: World) -> None:
    """Nobody has to act: Ready says what is waited for, and the name is asked for every five seconds."""
    uid = world.recreate_monitor()
    world.api.terminate(world.job)
    operator = Operator(world.api)

    for _ in range(10):
        await operator.settle()
        assert world.ready["reason"] == Reason.JOB_TERMINATING
        world.now += 5 * SECOND
    world.api.delete(world.job)
    await operator.settle()

    assert world.owner == uid
    assert world.ready["reason"] == Reason.MONITOR_ACTIVE


async def test_a_job_of_this_monitor_that_is_being_deleted_has_run(world: World) -> None:
    """To wait for its end and start it anew would run it twice."""
    job = world.api.get(world.job)
    world.api.objects[MONITOR] = {**world.api.get(MONITOR), "status": {}}  # the status was never written
    world.api.terminate(world.job)
    operator = Operator(world.api)

    await operator.settle()
    assert world.ready["reason"] == Reason.MONITOR_ACTIVE
    world.api.delete(world.job)
    operator.store.drop_job(next(iter(operator.store.jobs())))
    await operator.settle()

    assert world.job not in world.api.objects, f"{job['metadata']['name']} was started twice"


async def test_a_job_that_somebody_else_owns_is_left_alone(world: World) -> None:
    """The user has to choose: Ready says so."""
    world.recreate_monitor()
    job = world.api.get(world.job)
    orphan = {**job, "metadata": {**job["metadata"], "ownerReferences": []}}
    world.api.objects[world.job] = orphan

    await Operator(world.api).settle()

    assert world.api.get(world.job) == orphan
    assert world.ready["reason"] == Reason.NAME_CONFLICT


async def test_a_deletion_that_the_api_server_refuses_is_said(world: World) -> None:
    """An admission rule that protects Jobs is the platform team's; checks go on."""
    world.recreate_monitor()
    operator = Operator(world.api)

    def refuse() -> None:
        raise RejectedError("denied by policy")

    operator.line.before["DELETE"] = refuse
    await operator.settle()

    assert (world.ready["reason"], world.ready["message"]) == (Reason.JOB_REJECTED, "denied by policy")
