import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aiohttp
import pytest
from aiohttp import web

from selfheal_operator.watch.age import WatchAge
from support.fakes.timers import Timer

JOBS = "/apis/batch/v1/jobs"
BOOKMARK = b'{"type":"BOOKMARK","object":{}}\n'


class Server:
    """An API server whose watches say what a test has them say."""

    def __init__(self) -> None:
        self.watches: asyncio.Queue[web.StreamResponse] = asyncio.Queue()
        self.ended = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """List, or begin a watch that stays silent; a path of /refused is refused."""
        if request.path.startswith("/refused"):
            return web.Response(status=403, text="no")
        if "watch" not in request.query:
            return web.Response(text="{}")
        response = web.StreamResponse()
        await response.prepare(request)
        await self.watches.put(response)
        await self.ended.wait()
        return response


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Serve on a port of its own."""
    server = Server()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    server.ended.set()
    await runner.cleanup()


@pytest.fixture
def timer() -> Timer:
    """Return a timer."""
    return Timer()


@pytest.fixture
def age(timer) -> WatchAge:
    """Return what listens to the watch of Jobs, made just now."""
    return WatchAge(["jobs"], timer)


@pytest.fixture
async def session(age) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session that it listens to."""
    async with aiohttp.ClientSession(trace_configs=[age.tracing()]) as session:
        yield session


@pytest.fixture
def begin(session, server) -> Iterator[Callable[[str], Awaitable[aiohttp.ClientResponse]]]:
    """Return what begins a watch, as kopf does."""
    begun: list[aiohttp.ClientResponse] = []

    async def begin(path: str) -> aiohttp.ClientResponse:
        begun.append(await session.get(server.url + path, params={"watch": "true"}))
        return begun[-1]

    yield begin
    for response in begun:
        response.close()


async def say(watch: web.StreamResponse, response: aiohttp.ClientResponse) -> None:
    """Send a bookmark, and wait until it has come."""
    await watch.write(BOOKMARK)
    await response.content.readexactly(len(BOOKMARK))


async def test_a_watch_that_never_began_ages_from_the_start(age, timer):
    """A right that is missing shows as an old watch, and not as no series at all."""
    timer.now += 30
    assert age.ages() == {("jobs",): 30}


async def test_a_bookmark_is_heard(age, timer, server, begin):
    """It is no event of any object, and no handler learns of it."""
    response = await begin(JOBS)
    timer.now += 60
    await say(await server.watches.get(), response)
    age.listen()
    timer.now += 5
    assert age.ages() == {("jobs",): 5}


async def test_silence_ages(age, timer, server, begin):
    """However often it is listened to."""
    response = await begin(JOBS)
    await say(await server.watches.get(), response)
    age.listen()
    for _ in range(3):
        timer.now += 60
        age.listen()
    assert age.ages() == {("jobs",): 180}


async def test_a_watch_that_is_begun_anew_goes_on_ageing_until_it_is_heard(age, timer, server, begin):
    """A proxy that lets connections through, and nothing over them, would else look well."""
    for _ in range(3):
        response = await begin(JOBS)
        age.listen()
        timer.now += 70
        response.close()
    assert age.ages() == {("jobs",): 210}
    response = await begin(JOBS)
    for _ in range(3):
        await server.watches.get()
    await say(await server.watches.get(), response)
    age.listen()
    assert age.ages() == {("jobs",): 0}


@pytest.mark.parametrize("path", [JOBS, "/refused" + JOBS])
async def test_lists_and_refusals_are_not_heard(age, timer, server, session, path):
    """Neither shows that the watch lives."""
    query = {"watch": "true"} if path.startswith("/refused") else {}
    async with session.get(server.url + path, params=query) as response:
        await response.read()
    timer.now += 30
    age.listen()
    assert age.ages() == {("jobs",): 30}


async def test_of_the_watches_of_several_namespaces_the_oldest_counts(age, timer, server, begin):
    """Each has a connection of its own, and one that is cut off is not hidden by the others."""
    quiet = await begin("/apis/batch/v1/namespaces/a/jobs")
    await say(await server.watches.get(), quiet)
    age.listen()
    timer.now += 40
    busy = await begin("/apis/batch/v1/namespaces/b/jobs")
    await say(await server.watches.get(), busy)
    age.listen()
    assert age.ages() == {("jobs",): 40}
