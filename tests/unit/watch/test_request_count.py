from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import generate_latest

from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.watch.request_count import counting
from support.scrapes import Scrape

JOBS = "/apis/batch/v1/jobs"


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


async def test_kopfs_requests_are_counted_with_the_operators_own(server):
    """Lists and watches by their codes, and a server that is not there as well."""
    instruments = Instruments()
    async with aiohttp.ClientSession(trace_configs=[counting(instruments, ["jobs"])]) as session:
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
