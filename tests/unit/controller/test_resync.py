"""What the watch never told is found by lists, and costs a read of what has changed only."""

from datetime import datetime
from typing import Any

import pytest

from selfheal_operator.api.names import PLURAL
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.controller import resync as module
from selfheal_operator.controller.resync import refresh, resync, sweep
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import RejectedError, UnavailableError
from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.observed import JobDefaults, monitor_from
from selfheal_operator.kube.cluster import Cluster
from support.builders.objects import HOUR, NOON, spec_document
from support.fakes.memory_api import JOBS, MONITORS, MemoryApi

DEFAULTS = JobDefaults(tracking_uri="http://mlflow")


class Api(MemoryApi):
    """Counts what is read one by one, and may refuse namespaces."""

    def __init__(self) -> None:
        super().__init__(lambda: NOON)
        self.reads: list[str] = []
        self.refused: set[str] = set()

    async def request(self, method: str, path: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Answer."""
        self.reads.append(path)
        return await super().request(method, path, *arguments, **options)

    async def pages(self, path: str, query: Any = None, *, accept: str = "", call: object = None) -> Any:
        """List one namespace, or all."""
        namespace = path.split("/")[-2] if "/namespaces/" in path else None
        if namespace in self.refused or (namespace is None and self.refused):
            raise RejectedError(f"{namespace} is forbidden")
        async for page in super().pages(path, query, accept=accept, call=call):
            items = [i for i in page["items"] if namespace in (None, i["metadata"]["namespace"])]
            yield {"items": items or None if accept.endswith("v=v1") else items}

    def apply(self, namespace: str, name: str = "churn") -> str:
        """Create a monitor and a Job of it; return the monitor's path."""
        body = {"metadata": {"namespace": namespace, "name": name}, "spec": spec_document()}
        created = self.create(f"{MONITORS}/namespaces/{namespace}/{PLURAL}", body)
        self.start(created, NOON)
        return f"{MONITORS}/namespaces/{namespace}/{PLURAL}/{name}"

    def start(self, body: dict[str, Any], slot: datetime) -> None:
        """Create a Job of a monitor."""
        monitor = monitor_from(body)
        manifest = check_job(monitor, monitor.read_spec(), slot, DEFAULTS)
        self.create(f"{JOBS}/namespaces/{monitor.namespace}/jobs", manifest)


@pytest.fixture
def api() -> Api:
    """Return an API server with two monitors, each in a namespace of its own."""
    api = Api()
    api.apply("a")
    api.apply("b")
    return api


async def listed(api: Api, *namespaces: str) -> tuple[Cluster, Store]:
    """Return a cluster, and a store that knows all of it."""
    cluster, store = Cluster(api, namespaces), Store()  # type: ignore[arg-type]  # as far as is needed
    await resync(cluster, store)
    api.reads.clear()
    return cluster, store


def threshold(store: Store, namespace: str) -> float:
    """Return what the store knows of a monitor's spec."""
    seen = store.observe(Key(namespace, "churn"), DEFAULTS)
    assert seen is not None
    value: float = seen.monitor.spec["threshold"]
    return value


def known(store: Store) -> set[tuple[str, ...]]:
    """Return what the store knows, by names."""
    return {*store.known_keys(), *((job.name,) for job in store.jobs())}


async def test_a_sweep_that_finds_nothing_reads_nothing(api):
    """It lists, and that is all."""
    cluster, store = await listed(api)

    assert await sweep(cluster, store) == (set(), set())
    assert api.reads == []


async def test_a_sweep_reads_what_is_in_another_state_and_says_whose_it_is(api):
    """A monitor that was edited, a Job that has ended, a monitor that is new."""
    cluster, store = await listed(api)
    edited = f"{MONITORS}/namespaces/a/{PLURAL}/churn"
    api.edit_spec(edited, spec_document(threshold=0.9))
    ended = next(path for path in api.objects if path.startswith(f"{JOBS}/namespaces/b"))
    api.set_job_status(ended, {"conditions": [{"type": "Complete", "status": "True"}]})
    new = api.apply("c")

    assert await sweep(cluster, store) == ({Key("a", "churn"), Key("b", "churn"), Key("c", "churn")}, set())
    assert {edited, ended, new} < set(api.reads)
    assert len(api.reads) == 4
    assert {job.finished for job in store.jobs()} == {True, False}


async def test_a_sweep_forgets_what_is_gone(api):
    """A monitor with its Job, and a Job alone: the watch would never tell."""
    cluster, store = await listed(api)
    for path in [path for path in api.objects if "/namespaces/a/" in path]:
        api.delete(path)
    api.delete(next(path for path in api.objects if path.startswith(f"{JOBS}/namespaces/b")))

    assert await sweep(cluster, store) == ({Key("a", "churn"), Key("b", "churn")}, set())
    assert known(store) == {("b", "churn")}
    assert api.reads == []


async def test_a_sweep_that_would_read_much_lists_all_instead(api, monkeypatch):
    """A page of five hundred costs less than five hundred reads."""
    cluster, store = await listed(api)
    monkeypatch.setattr(module, "FEW", 2)
    api.apply("c")
    api.apply("d")

    assert await sweep(cluster, store) == ({Key("c", "churn"), Key("d", "churn")}, set())
    assert api.reads == []
    assert len(store.known_keys()) == 4


async def test_what_comes_while_a_sweep_lists_is_left_alone(api):
    """An event may be newer than the list: what the list lacks then is not gone."""
    cluster, store = await listed(api)

    async def lists_from_before(path: str, *_: Any, **__: Any) -> Any:
        if path.endswith(PLURAL):
            store.put_monitor(api.objects[api.apply("z")])
        yield {"items": None}

    api.pages = lists_from_before
    await sweep(cluster, store)

    assert known(store) == {("z", "churn")}


async def test_only_the_namespaces_that_are_served_are_listed(api):
    """Those of another operator are not asked about."""
    _, store = await listed(api, "b")

    assert {name[0] for name in known(store) if len(name) == 2} == {"b"}


@pytest.mark.parametrize("look", [resync, sweep])
async def test_a_namespace_that_is_refused_keeps_no_other_from_being_served(api, look):
    """It was deleted, and the rights in it as well; what was known of it is left as it was."""
    cluster, store = await listed(api, "a", "b")
    api.refused = {"a"}
    api.apply("b", "price")

    await look(cluster, store)

    assert {name for name in known(store) if len(name) == 2} == {
        ("a", "churn"),
        ("b", "churn"),
        ("b", "price"),
    }
    assert sum(job.purpose is Purpose.CHECK for job in store.jobs()) == 3


@pytest.mark.parametrize("look", [resync, sweep])
@pytest.mark.parametrize("namespaces", [(), ("a", "b")])
async def test_where_everything_is_refused_nothing_is_believed_to_be_gone(api, look, namespaces):
    """The operator's own rights are missing, and somebody has to know."""
    cluster, store = await listed(api, *namespaces)
    before = known(store)
    api.refused = {"a", "b"}

    with pytest.raises(RejectedError):
        await look(cluster, store)
    assert known(store) == before


# --- one monitor --------------------------------------------------------------------------------------------


async def test_a_refresh_finds_what_has_become_of_one_monitor_and_its_jobs(api):
    """It was edited, one Job is new, one is gone; nothing else is looked at."""
    cluster, store = await listed(api)
    path = f"{MONITORS}/namespaces/a/{PLURAL}/churn"
    gone = next(each for each in api.objects if each.startswith(f"{JOBS}/namespaces/a"))
    api.delete(gone)
    api.start(api.objects[path], NOON + HOUR)
    api.edit_spec(path, spec_document(threshold=0.9))
    api.edit_spec(f"{MONITORS}/namespaces/b/{PLURAL}/churn", spec_document(threshold=0.9))

    await refresh(cluster, store, Key("a", "churn"))

    assert [threshold(store, namespace) for namespace in ("a", "b")] == [0.9, 0.3]
    seen = store.observe(Key("a", "churn"), DEFAULTS)
    assert seen is not None
    assert [job.slot for job in seen.jobs] == [NOON + HOUR]
    assert seen.removed_slot == NOON
    assert api.reads == [path]


async def test_a_refresh_forgets_a_monitor_that_is_gone(api):
    """And what was made anew under its name is another one, with Jobs of its own."""
    cluster, store = await listed(api)
    for path in [path for path in api.objects if "/namespaces/a/" in path]:
        api.delete(path)
    await refresh(cluster, store, Key("a", "churn"))
    assert ("a", "churn") not in known(store)

    api.apply("a")
    await refresh(cluster, store, Key("a", "churn"))
    seen = store.observe(Key("a", "churn"), DEFAULTS)
    assert seen is not None
    assert len(seen.jobs) == 1


# --- one bad object -----------------------------------------------------------------------------------------


class Poisoned(Api):
    """Holds objects that no operator can read; a request for one of them fails as the API server's would."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: set[str] = set()

    async def request(self, method: str, path: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Answer."""
        if path in self.unreadable:
            raise UnavailableError("500: cannot be decoded")
        return await super().request(method, path, *arguments, **options)


def bad(body: Any) -> Any:
    """Return an object as no API server writes it."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "resourceVersion"}
    return {**body, "metadata": metadata}


@pytest.mark.parametrize("plural", [PLURAL, "jobs"])
@pytest.mark.parametrize("look", [resync, sweep])
async def test_an_object_that_cannot_be_read_is_named_and_all_others_are_read(look, plural, caplog):
    """In the lists, whatever is wrong with it."""
    api = Poisoned()
    for namespace in ("a", "b", "c"):
        api.apply(namespace)
    path = next(path for path in api.objects if f"/{plural}/" in path and "/namespaces/b/" in path)
    api.objects[path] = bad(api.objects[path])
    cluster, store = Cluster(api), Store()  # type: ignore[arg-type]  # as far as is needed

    await look(cluster, store)

    assert {name[0] for name in known(store) if len(name) == 2} >= {"a", "c"}
    assert len(store.jobs()) >= 2
    assert "Object skipped" in caplog.messages
    assert {record.object for record in caplog.records} == {f"b/{path.rpartition('/')[2]}"}
    assert api.instruments.registry.get_sample_value("selfheal_objects_skipped_total", {"resource": plural})


async def test_what_cannot_be_read_one_by_one_costs_its_own_monitor_a_turn(caplog):
    """The others are up to date; the one is read again before it is acted upon."""
    api = Poisoned()
    for namespace in ("a", "b"):
        api.apply(namespace)
    cluster, store = await listed(api)
    for namespace in ("a", "b"):
        api.edit_spec(f"{MONITORS}/namespaces/{namespace}/{PLURAL}/churn", spec_document(threshold=0.9))
    api.unreadable = {f"{MONITORS}/namespaces/a/{PLURAL}/churn"}

    changed, unread = await sweep(cluster, store)

    assert (changed, unread) == ({Key("a", "churn"), Key("b", "churn")}, {Key("a", "churn")})
    assert [threshold(store, namespace) for namespace in ("a", "b")] == [0.3, 0.9]
    assert [record.object for record in caplog.records] == ["a/churn"]
