import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from kubernetes.aio import client as aio
from prometheus_client import generate_latest

from selfheal_operator.core.errors import UnavailableError
from selfheal_operator.kube.client import ApiClient, NotFoundError
from selfheal_operator.kube.throttle import Throttle
from selfheal_operator.metrics.api_calls import ApiCall
from selfheal_operator.metrics.instruments import Instruments
from support.fakes.timers import Timer
from support.scrapes import Scrape

PODS = "/api/v1/namespaces/team-a/pods"


@pytest.fixture
async def client() -> AsyncIterator[ApiClient]:
    """Return a client of a server that lists pods, has no Jobs, and cuts off who asks for Events."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/events"):
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"items": []}, status=200 if request.path == PODS else 404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    configuration = aio.Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    configuration.retries = None
    client = ApiClient(aio.ApiClient(configuration))
    yield client
    await client.close()
    await runner.cleanup()


async def test_each_call_is_told_with_its_outcome(client):
    """An answer with its code, be it good or bad, and no answer as such."""
    await client.request("GET", PODS, call=ApiCall("list", "pods"))
    with pytest.raises(NotFoundError):
        await client.request("GET", "/apis/batch/v1/namespaces/team-a/jobs/none", call=ApiCall("get", "jobs"))
    with pytest.raises(UnavailableError):
        await client.request("POST", "/api/v1/namespaces/team-a/events", {}, call=ApiCall("create", "events"))

    read = Scrape(generate_latest(client.instruments.registry).decode())
    counted = {
        (sample.labels["verb"], sample.labels["resource"], sample.labels["code"])
        for sample in read.samples("selfheal_api_requests_total")
    }
    assert counted == {("list", "pods", "200"), ("get", "jobs", "404"), ("create", "events", "<error>")}
    assert read.value("selfheal_api_request_duration_seconds_count", verb="list", resource="pods") == 1


async def test_work_that_is_held_back_on_purpose_does_not_stand_still(client):
    """The API server has said Retry-After: whoever waits it out is not stuck."""
    timer = Timer()
    client.instruments = instruments = Instruments(timer)
    client._throttle = throttle = Throttle(per_second=1000, burst=1000)
    throttle.hold(0.2)

    async def work() -> None:
        with instruments.reconciling():
            await client.request("GET", PODS)

    working = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    timer.now += 100
    assert (instruments.works.longest(), instruments.works.longest_standstill()) == (100, 0)
    await working
