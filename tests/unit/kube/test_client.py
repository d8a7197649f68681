import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from kubernetes.aio import client as aio
from prometheus_client import generate_latest

from selfheal_operator.core.errors import RejectedError, UnavailableError
from selfheal_operator.kube import client as module
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
        return web.json_response({"metadata": {}, "items": []}, status=200 if request.path == PODS else 404)

    async with client_of(answer) as client:
        yield client


@contextlib.asynccontextmanager
async def client_of(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[ApiClient]:
    """Return a client of a server that answers so."""
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


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("a page of a proxy", "<html>Sign in</html>"),
        ("nothing", ""),
        ("half a document", '{"metadata": {"resource'),
        ("no text", b"\xff\xfe{"),
        ("a list", "[]"),
        ("null", "null"),
        ("another program's document", '{"status": "ok"}'),
        ("metadata that are none", '{"metadata": "ok"}'),
    ],
)
async def test_an_answer_that_is_none_of_the_api_servers_is_no_answer(case, body):
    """With the code 200, from whatever stands between: the outcome is unknown, and is asked for again."""

    async def answer(_: web.Request) -> web.Response:
        raw = body if isinstance(body, bytes) else body.encode()
        return web.Response(body=raw, content_type="application/json")

    async with client_of(answer) as client:
        with pytest.raises(UnavailableError):
            await client.request("GET", PODS)
        with pytest.raises(UnavailableError):
            [page async for page in client.pages(PODS)]


async def test_a_list_with_one_object_that_nests_deep_is_read():
    """Anybody may write such managedFields; the list is that of all tenants."""
    deep = '{"f:a":' * 100_000 + "{}" + "}" * 100_000

    async def answer(_: web.Request) -> web.Response:
        text = (
            f'{{"metadata": {{}}, "items": [{{"name": "a"}}, {{"managedFields": {deep}}}, {{"name": "b"}}]}}'
        )
        return web.Response(text=text, content_type="application/json")

    async with client_of(answer) as client:
        (page,) = [page async for page in client.pages(PODS)]

    assert [item.get("name") for item in page["items"]] == ["a", None, "b"]


async def test_an_apply_that_the_schema_refuses_is_a_refusal():
    """The API server answers 500, as to a fault of its own; it would be tried again for a day."""

    async def answer(_: web.Request) -> web.Response:
        message = "failed to create typed patch object: .status.lastCheck.signals: duplicate entries for key"
        return web.json_response({"message": message, "code": 500}, status=500)

    async with client_of(answer) as client:
        with pytest.raises(RejectedError, match="duplicate entries"):
            await client.request("PATCH", PODS, {})


class Pages:
    """A collection of objects of these lengths, which is listed in pages, as the API server does."""

    def __init__(self, *lengths: int) -> None:
        self.items = [{"name": str(number), "text": "x" * length} for number, length in enumerate(lengths)]
        self.answered: list[tuple[int, int]] = []
        """The limit of each request, and the length of its answer."""

    async def answer(self, request: web.Request) -> web.Response:
        """Return the page that is asked for."""
        start, limit = int(request.query.get("continue", 0)), int(request.query["limit"])
        end = start + limit
        metadata = {"continue": str(end)} if end < len(self.items) else {}
        body = json.dumps({"metadata": metadata, "items": self.items[start:end]})
        self.answered.append((limit, len(body)))
        return web.Response(text=body, content_type="application/json")


@pytest.mark.parametrize(
    "lengths",
    [
        [10] * 1200,
        [10] * 600 + [30_000] * 30 + [10] * 600,
        [30_000] * 30,
        [1_400_000],
        [],
    ],
)
async def test_large_objects_come_in_pages_of_fewer(lengths, monkeypatch):
    """Each object once and in order; of 150 monitors as large as etcd takes them, few are in memory."""
    monkeypatch.setattr(module, "PAGE_BYTES", 200_000)
    server = Pages(*lengths)
    async with client_of(server.answer) as client:
        pages = [page async for page in client.pages(PODS)]

    assert [item["name"] for page in pages for item in page["items"]] == [str(n) for n in range(len(lengths))]
    taken = [length for limit, length in server.answered if limit > 1 and length <= 200_000]
    assert len(taken) + sum(limit == 1 for limit, _ in server.answered) == len(pages)


async def test_usual_objects_come_in_full_pages():
    """The bound costs no request where there is nothing to bound."""
    server = Pages(*[10] * 1200)
    async with client_of(server.answer) as other:
        [page async for page in other.pages(PODS)]

    assert [limit for limit, _ in server.answered] == [200] * 6
