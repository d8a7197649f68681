"""A write is sent only while this operator surely leads: asked at the last moment, over a real connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from selfheal_operator.core.errors import NotLeaderError, UnavailableError
from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.permit import Validity

KUBECONFIG = """
{{apiVersion: v1, kind: Config, current-context: c, contexts: [{{name: c, context: {{cluster: c, user: u}}}}],
  users: [{{name: u, user: {{token: t}}}}], clusters: [{{name: c, cluster: {{server: "{url}"}}}}]}}
"""


class Server:
    """Answers everything, and remembers what arrived."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.pause = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        """Take in a request."""
        self.arrived.append(f"{request.method} {request.path}")
        await asyncio.sleep(self.pause)
        return web.json_response({"metadata": {}})


@pytest.fixture
def server() -> Server:
    """Return a server that nothing has arrived at."""
    return Server()


@pytest.fixture
async def connect(server, tmp_path) -> AsyncIterator[Callable[[Validity], Awaitable[ApiClient]]]:
    """Return how to connect to it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG.format(url="http://{}:{}".format(*runner.addresses[0][:2])))
    clients: list[ApiClient] = []

    async def connected(validity: Validity) -> ApiClient:
        clients.append(await ApiClient.connect(str(path), validity=validity))
        return clients[-1]

    yield connected
    for client in clients:
        await client.close()
    await runner.cleanup()


def running_out(looks: int) -> Validity:
    """Return a validity that is over after it was looked at so many times."""
    left = iter([5.0] * looks)
    return lambda: next(left, 0.0)


@pytest.mark.parametrize("looks", [0, 1, 2])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_write_whose_time_runs_out_before_it_is_sent_is_not_sent(connect, server, method, looks):
    """Before it was begun, while a connection was made, or in the last turn of the event loop."""
    client = await connect(running_out(looks))
    with pytest.raises(NotLeaderError):
        await client.request(method, "/jobs", {"a": 1})

    assert server.arrived == []


async def test_a_write_without_a_body_is_asked_about_as_well(connect, server):
    """It is sent another way."""
    client = await connect(running_out(1))
    with pytest.raises(NotLeaderError):
        await client.request("DELETE", "/jobs/a")

    assert server.arrived == []


async def test_a_write_in_time_is_sent(connect, server):
    """And so is one after another that came too late."""
    client = await connect(running_out(3))
    await client.request("POST", "/jobs", {"a": 1})
    with pytest.raises(NotLeaderError):
        await client.request("POST", "/jobs", {"a": 1})

    assert server.arrived == ["POST /jobs"]


async def test_reading_needs_no_permit(connect, server):
    """A standby keeps its store true."""
    client = await connect(running_out(0))
    await client.request("GET", "/jobs")

    assert server.arrived == ["GET /jobs"]


async def test_a_write_is_waited_for_no_longer_than_the_leadership_lasts(connect, server):
    """What it comes to is not known then, and nothing is decided upon it."""
    server.pause = 30
    client = await connect(lambda: 0.2)
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(client.request("POST", "/jobs", {"a": 1}), timeout=5)


async def test_a_client_without_a_permit_writes(connect, server):
    """As the elector does, whose writes are what others wait for."""
    client = await connect(None)
    await client.request("PUT", "/leases/a", {"a": 1})

    assert server.arrived == ["PUT /leases/a"]
