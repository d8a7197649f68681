"""kopf's way to the API server: its lists are empty, and what it repeats is paced."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import kopf
import pytest
from aiohttp import web

from selfheal_operator.kube.batch_jobs import BatchJobs
from selfheal_operator.watch import engine as watch
from selfheal_operator.watch import session as watch_session
from selfheal_operator.watch.session import WatchSession

MONITORS = "/apis/selfheal.dev/v1alpha1/modelmonitors"
KINDS = ("modelmonitors", "jobs")


class Stage:
    """A server, and a session to it as kopf has one."""

    url: str
    client: aiohttp.ClientSession

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[dict[str, str]] = []
        self.lists = 0
        self.session = WatchSession(self.listed, KINDS)

    def listed(self) -> None:
        """Count a list."""
        self.lists += 1

    async def answer(self, request: web.Request) -> web.Response:
        """Remember what was asked."""
        self.asked.append(dict(request.query))
        return web.json_response({}, status=self.status)

    async def get(self, path: str) -> None:
        """Ask as kopf does."""
        response = await self.client.request(method="get", url=self.url + path)
        response.release()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Return a stage that has logged in."""
    stage = Stage()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stage.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stage.url = "http://{}:{}".format(*runner.addresses[0][:2])
    info = await stage.session.login(kopf.ConnectionInfo(server=stage.url, token="t"))
    assert info is not None
    stage.client = info.aiohttp_session
    yield stage
    await stage.client.close()
    await runner.cleanup()


async def test_a_list_is_asked_for_without_its_objects(stage):
    """It only has to tell from where on to watch; somebody is told to look at what came before."""
    await stage.get(f"{MONITORS}?labelSelector=a")

    assert stage.asked == [{"labelSelector": "a", "fieldSelector": "metadata.name=-"}]
    assert stage.lists == 1


async def test_a_list_that_failed_is_not_taken_for_one(stage):
    """It will be repeated."""
    stage.status = 503
    await stage.get(MONITORS)

    assert stage.lists == 0


@pytest.mark.parametrize("path", ["/apis", "/apis/batch/v1", "/api/v1"])
async def test_what_the_api_consists_of_is_asked_for_as_it_is(stage, path):
    """It has no objects."""
    await stage.get(path)

    assert stage.asked == [{}]
    assert stage.lists == 0


async def test_a_watch_is_left_as_it_is_and_its_time_is_kept(stage):
    """Of each kind, for those who ask how old what they know may be."""
    begun = time.monotonic()
    await stage.get(f"{MONITORS}?watch=true&resourceVersion=5")

    assert stage.asked == [{"watch": "true", "resourceVersion": "5"}]
    assert stage.lists == 0
    assert begun <= stage.session.watched["modelmonitors"] <= time.monotonic()
    assert stage.session.watched["jobs"] < begun


async def test_watches_that_end_at_once_are_not_begun_at_once(stage, monkeypatch):
    """The one that repeats them makes no pause; each path has its own."""
    monkeypatch.setattr(watch_session, "WATCH_PAUSE", 0.1)
    begun = time.monotonic()
    for _ in range(4):
        await stage.get(f"{MONITORS}?watch=true")
        await stage.get("/apis/batch/v1/jobs?watch=true")

    assert time.monotonic() - begun >= 0.3


def test_kopf_does_not_kill_the_process():
    """By default it does so ten minutes after it has failed, though it was begun anew and works."""
    settings = kopf.OperatorSettings()
    assert settings.process.ultimate_exiting_timeout is not None
    watch.be_a_watch_engine(settings, BatchJobs.collection)

    assert settings.process.ultimate_exiting_timeout is None


def test_a_watch_is_silent_for_less_than_what_is_taken_for_its_death():
    """The API server ends it before, and a dead one is noticed in less than twenty seconds."""
    settings = kopf.OperatorSettings()
    watch.be_a_watch_engine(settings, BatchJobs.collection)

    assert settings.watching.server_timeout is not None
    assert settings.watching.server_timeout < settings.watching.inactivity_timeout < 20


async def test_a_kopf_that_watches_nothing_is_noticed(stage, monkeypatch):
    """As when discovery hid the CRD from it; one kind that is watched is not enough."""
    monkeypatch.setattr(watch, "LOST_SECONDS", 0.5)
    stage.session.watched["jobs"] = time.monotonic() + 60
    with pytest.raises(TimeoutError, match="modelmonitors"):
        await asyncio.wait_for(watch._notice_loss(stage.session), timeout=5)


async def test_its_requests_can_be_followed():
    """Whoever measures how old the watches are, or counts requests, is told of each."""
    credentials = kopf.ConnectionInfo(server="http://127.0.0.1:9", token="secret", scheme="Bearer")
    tracing = aiohttp.TraceConfig()
    made = await WatchSession(lambda: None, KINDS, [tracing]).login(credentials)
    assert made is not None
    async with made.aiohttp_session as session:
        assert session.trace_configs == [tracing]
        assert session.headers["Authorization"] == "Bearer secret"
