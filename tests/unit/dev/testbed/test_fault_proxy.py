"""The proxy does to calls what it is told: a fault that does not strike would prove nothing."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chaos.clock import QuickTime, quick_creation_times
from chaos.injector import GONE
from testbed.call_kind import CallKind
from testbed.fault_proxy import FAILURES, Answer, Exchange, HungUpError, NetworkFault, Proxy, Trap

JOBS = "/apis/batch/v1/namespaces/team-a/jobs"
STATUS = "/apis/selfheal.dev/v1alpha1/namespaces/team-a/modelmonitors/churn/status"
WATCH = "/apis/batch/v1/jobs?watch=true"
JOB = {"metadata": {"name": "churn-check-1"}}
BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUICK = QuickTime(BEGIN, 10)


class Server:
    """Stands in for the API server: it notes what reaches it, and tells watches what it is given."""

    def __init__(self) -> None:
        self.address = ""
        self.reached: list[str] = []
        self.events: asyncio.Queue[bytes] = asyncio.Queue()
        self.answer: dict[str, Any] = {"metadata": {"creationTimestamp": "2026-11-23T12:00:10Z"}}

    async def start(self) -> web.AppRunner:
        """Begin to serve."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer, or begin a watch."""
        if "watch" not in request.query:
            self.reached.append(f"{request.method} {request.path}")
            return web.Response(text=json.dumps(self.answer, separators=(",", ":")))
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(await self.events.get())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """The API server of a test."""
    server = Server()
    runner = await server.start()
    yield server
    await runner.cleanup()


def proxy_to(server: Server) -> Proxy:
    """Return a proxy that does not serve yet."""
    return Proxy(
        "operator-a",
        server.address,
        ssl.create_default_context(),
        now=QUICK.now,
        translate=quick_creation_times(QUICK),
    )


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[Proxy]:
    """The proxy to it; time is ten times as fast at this end."""
    proxy = proxy_to(server)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[aiohttp.ClientSession]:
    """An operator's connections."""
    async with aiohttp.ClientSession(proxy.address) as client:
        yield client


async def hang_up(_: Exchange) -> Answer:
    """Lose a call."""
    raise HungUpError


async def commit_and_hang_up(exchange: Exchange) -> Answer:
    """Lose an answer."""
    await exchange.forward()
    raise HungUpError


async def test_a_call_without_a_fault_goes_through(server, client):
    """With its method, path and answer."""
    async with client.post(JOBS, json=JOB) as answer:
        assert answer.status == 200

    assert server.reached == [f"POST {JOBS}"]


@pytest.mark.parametrize(("spring", "reached"), [(hang_up, []), (commit_and_hang_up, [f"POST {JOBS}"])])
async def test_a_call_is_lost_before_or_after_it_was_committed(server, proxy, client, spring, reached):
    """The sender cannot tell the one from the other."""
    proxy.set_trap(Trap(CallKind.CREATE_JOB, 0, spring))

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.post(JOBS, json=JOB)

    assert server.reached == reached


async def test_a_trap_waits_for_its_call_and_springs_once(server, proxy, client):
    """Others pass, and so many of its own kind as are spared."""
    trap = Trap(CallKind.WRITE_STATUS, 1, hang_up)
    proxy.set_trap(trap)
    for method, path in (("GET", JOBS), ("POST", JOBS), ("PATCH", STATUS)):
        await client.request(method, path, json=JOB)
    assert not trap.caught.done()

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.patch(STATUS)
    await client.patch(STATUS)

    assert str(await trap.caught) == f"PATCH {STATUS}"
    assert server.reached == [f"GET {JOBS}", f"POST {JOBS}", f"PATCH {STATUS}", f"PATCH {STATUS}"]


async def test_one_trap_on_two_lines_springs_on_one_of_them(server, proxy, client):
    """Where one of several operators leads, nobody knows which one it will be."""
    other = proxy_to(server)
    await other.start()
    trap = Trap(CallKind.CREATE_JOB, 0, hang_up)
    proxy.set_trap(trap)
    other.set_trap(trap)

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.post(other.address + JOBS, json=JOB)
    async with client.post(JOBS, json=JOB) as answer:
        assert answer.status == 200

    await other.close()


@pytest.mark.parametrize(
    ("kind", "call", "taken"),
    [
        (CallKind.CREATE_JOB, ("POST", JOBS), True),
        (CallKind.CREATE_JOB, ("POST", "/api/v1/namespaces/team-a/events"), False),
        (CallKind.WRITE_STATUS, ("PATCH", JOBS + "/churn-check-1"), False),
        (CallKind.WRITE, ("PATCH", STATUS), True),
        (CallKind.WRITE, ("GET", JOBS), False),
        (CallKind.CALL, ("GET", JOBS), True),
    ],
)
async def test_faults_wait_for_kinds_of_calls(proxy, client, kind, call, taken):
    """By what is asked for."""
    trap = Trap(kind, 0, commit_and_hang_up)
    proxy.set_trap(trap)

    try:
        await client.request(*call, json=JOB)
    except aiohttp.ServerDisconnectedError:
        assert taken

    assert trap.caught.done() is taken


@pytest.mark.parametrize(
    ("network_fault", "told"), [(NetworkFault.THROTTLED, (429, "1")), (NetworkFault.UNAVAILABLE, (500, None))]
)
async def test_in_bad_network_fault_every_call_is_turned_away(server, proxy, client, network_fault, told):
    """Until it is over."""
    spoilt = asyncio.create_task(proxy.inject(network_fault, 0.2, FAILURES[0]))
    await asyncio.sleep(0)
    for path in (JOBS, WATCH):
        async with client.get(path) as answer:
            assert (answer.status, answer.headers.get("Retry-After")) == told
    assert server.reached == []

    await spoilt

    assert (await client.get(JOBS)).status == 200


async def test_a_partition_breaks_what_goes_on_and_what_begins(server, proxy, client):
    """Watches as well."""
    async with client.get(WATCH) as watch:
        spoilt = asyncio.create_task(proxy.inject(NetworkFault.PARTITION, 0.2))
        with pytest.raises(aiohttp.ClientError):
            await watch.content.readline()
    with pytest.raises(aiohttp.ClientError):
        await client.get(JOBS)
    await spoilt

    assert server.reached == []


async def test_what_is_sent_into_a_black_hole_arrives_when_it_is_over(server, proxy, client):
    """Also when its sender has given up: a network delivers late."""
    spoilt = asyncio.create_task(proxy.inject(NetworkFault.BLACK_HOLE, 0.3))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await client.post(JOBS, json=JOB, timeout=aiohttp.ClientTimeout(total=0.1))
    assert server.reached == []

    await spoilt
    await asyncio.sleep(0.1)

    assert server.reached == [f"POST {JOBS}"]


# --- watches ------------------------------------------------------------------------------------------------


async def test_a_watch_passes_events_on_in_quick_time(server, client):
    """Ten seconds after the beginning are a hundred; times before it are as they are."""
    async with client.get(WATCH) as watch:
        await server.events.put(b'{"object":{"metadata":{"creationTimestamp":"2026-11-23T12:00:10Z"}}}\n')
        assert b'"2026-11-23T12:01:40Z"' in await watch.content.readline()
        await server.events.put(b'{"object":{"metadata":{"creationTimestamp":"2026-11-23T11:59:00Z"}}}\n')
        assert b'"2026-11-23T11:59:00Z"' in await watch.content.readline()


async def test_answers_are_in_quick_time_as_well(client):
    """The operators' clocks and the API server's creation times go together."""
    async with client.get(JOBS) as answer:
        assert (await answer.json(content_type=None))["metadata"][
            "creationTimestamp"
        ] == "2026-11-23T12:01:40Z"


async def test_a_watch_can_end_with_an_error(proxy, client):
    """As when what was to be watched from is compacted."""
    async with client.get(WATCH) as watch:
        (stream,) = proxy.watches
        await stream.end_with_error(GONE)
        event = json.loads(await watch.content.readline())
        assert await watch.content.readline() == b""

    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


async def test_a_watch_can_end_in_the_middle_of_an_event(server, proxy, client):
    """Half a proxy, and then the end."""
    async with client.get(WATCH) as watch:
        (stream,) = proxy.watches
        stream.tear()
        await server.events.put(b'{"type":"ADDED"}\n')
        assert await watch.content.read() == b'{"type":'


async def test_a_watch_can_be_cut_and_can_be_silent(server, proxy, client):
    """Silence is not the end: what came meanwhile comes after it."""
    async with client.get(WATCH) as watch:
        (stream,) = proxy.watches
        stalled = asyncio.create_task(stream.stall(0.2))
        await asyncio.sleep(0)
        await server.events.put(b"one\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watch.content.readline(), 0.1)
        await stalled
        assert await watch.content.readline() == b"one\n"

        stream.cut()
        with pytest.raises(aiohttp.ClientError):
            await watch.content.readline()


def test_quick_time_is_real_time_at_its_beginning():
    """From there on it runs so many times as fast."""
    quick = QuickTime(BEGIN, 10)

    assert quick.at(BEGIN) == BEGIN
    assert quick.at(BEGIN + timedelta(seconds=6)) == BEGIN + timedelta(minutes=1)
    assert quick.at(BEGIN - timedelta(days=1)) == BEGIN - timedelta(days=1)
