from collections.abc import AsyncIterator

import kopf
import pytest
from aiohttp import web
from prometheus_client import generate_latest

from scrapes import Scrape
from selfheal_operator.handlers.watch_age import WatchAge
from selfheal_operator.handlers.watch_session import WatchSessions
from selfheal_operator.metrics.instruments import Instruments

JOBS = "/apis/batch/v1/jobs"
CREDENTIALS = kopf.ConnectionInfo(server="http://127.0.0.1:9", token="secret", scheme="Bearer")


@pytest.fixture
def instruments() -> Instruments:
    """Return new instruments."""
    return Instruments()


@pytest.fixture
async def sessions(instruments) -> AsyncIterator[WatchSessions]:
    """Return what makes sessions."""
    sessions = WatchSessions(WatchAge(["jobs"]), instruments)
    yield sessions
    await sessions.close()


async def test_it_logs_in_with_the_credentials(sessions):
    """As kopf's own session would."""
    session = await sessions.open(CREDENTIALS)
    assert session.server == CREDENTIALS.server
    assert session.aiohttp_session.headers["Authorization"] == "Bearer secret"


async def test_sessions_are_the_same_if_their_credentials_are(sessions):
    """By this kopf knows credentials that were refused, and does not try them for ever without a pause."""
    first, second = await sessions.open(CREDENTIALS), await sessions.open(CREDENTIALS)
    other = await sessions.open(kopf.ConnectionInfo(server=CREDENTIALS.server, token="renewed"))
    assert first == second
    assert first != other


async def test_one_session_at_a_time_is_open(sessions):
    """One that kopf refuses would never be closed by it."""
    first = await sessions.open(CREDENTIALS)
    second = await sessions.open(CREDENTIALS)
    assert first.aiohttp_session.closed
    await sessions.close()
    assert second.aiohttp_session.closed


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """Serve an API server that lists Jobs and lets nobody watch; return its address."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=403 if "watch" in request.query else 200)

    app = web.Application()
    app.router.add_get(JOBS, answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_kopfs_requests_are_counted_with_the_operators_own(sessions, instruments, server):
    """Lists and watches by their codes, and a server that is not there as well."""
    session = (await sessions.open(CREDENTIALS)).aiohttp_session
    for url in (server + JOBS, f"{server}{JOBS}?watch=true"):
        async with session.get(url) as response:
            await response.read()
    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(f"http://127.0.0.1:9{JOBS}?watch=true")

    read = Scrape(generate_latest(instruments.registry).decode())
    counted = {
        (sample.labels["verb"], sample.labels["code"]): sample.value
        for sample in read.samples("selfheal_api_requests_total", resource="jobs")
    }
    assert counted == {("list", "200"): 1, ("watch", "403"): 1, ("watch", "<error>"): 1}
