import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

import aiohttp
import pytest

from selfheal_operator.kube.access_reviews import Access
from selfheal_operator.metrics.exposition import Exposition
from selfheal_operator.metrics.instruments import Instruments
from selfheal_operator.metrics.monitors import facts_of
from selfheal_operator.serve.endpoints import Endpoints, serve
from selfheal_operator.serve.metrics_access import MetricsAccess
from support.builders.objects import NOON
from support.scrapes import Scrape


class State:
    """What the endpoints are to say."""

    trouble: str | None = None
    ready: bool = True
    monitors: int = 1


@pytest.fixture
def state() -> State:
    """Return the state of a process that is well."""
    return State()


@pytest.fixture
async def url(state) -> AsyncIterator[str]:
    """Serve, and return where."""
    facts = facts_of({"spec": {}, "status": {"missedChecks": 7}})
    exposition = Exposition(
        Instruments(), lambda: [(("team-a", "churn"), facts)] * state.monitors, lambda: NOON
    )
    endpoints = Endpoints(
        trouble=lambda: state.trouble, is_ready=lambda: state.ready, metrics=exposition.text
    )
    async with serving(endpoints) as url:
        yield url


@contextlib.asynccontextmanager
async def serving(endpoints: Endpoints) -> AsyncIterator[str]:
    """Serve these, and return where."""
    runner = await serve(0, endpoints)
    port = next(address[1] for address in runner.addresses if len(address) == 2)  # of IPv4
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def asked(url: str) -> tuple[int, str, str]:
    """Return status, content type and text of the answer."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


@pytest.mark.parametrize(("trouble", "status"), [(None, 200), ("A worker has been stuck for 61 s", 503)])
async def test_livez_says_what_is_stuck(url, state, trouble, status):
    """The kubelet restarts what answers 503, and its event shows the sentence."""
    state.trouble = trouble
    assert await asked(f"{url}/livez") == (status, "text/plain; charset=utf-8", trouble or "ok")


@pytest.mark.parametrize(("ready", "status", "text"), [(True, 200, "ok"), (False, 503, "not listed yet")])
async def test_readyz_says_whether_everything_is_listed(url, state, ready, status, text):
    """Before that, nothing is known of what there is."""
    state.ready = ready
    assert (await asked(f"{url}/readyz"))[::2] == (status, text)


async def test_a_process_in_trouble_shows_its_metrics_all_the_same(url, state):
    """They say what the trouble is."""
    state.trouble, state.ready = "stuck", False
    status, content_type, text = await asked(f"{url}/metrics")
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    read = Scrape(text)
    assert read.value("selfheal_leader") == 0
    assert read.value("selfheal_monitor_missed_checks_total", namespace="team-a", monitor="churn") == 7


async def test_a_reader_that_goes_away_in_the_middle_harms_nobody(url, state, caplog):
    """Prometheus gives up after its timeout; the next scrape is answered, and the log stays quiet."""
    state.monitors = 20_000  # more than the buffers between us hold
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"{url}/metrics")
        await answer.content.readany()
        answer.close()
    state.monitors = 1
    assert (await asked(f"{url}/metrics"))[0] == 200
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


@pytest.mark.parametrize("path", ["/metrics", "/livez"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 9])
async def test_a_reader_that_resets_the_connection_leaves_no_traceback(url, state, caplog, path, turns):
    """Whenever it does: before there is a handler, before the first line, or while the text is made."""
    state.monitors = 20_000
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    linger = struct.pack("ii", 1, 0)  # reset the connection, instead of ending it in order
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: operator\r\n\r\n".encode())
    for _ in range(turns):
        await asyncio.sleep(0)
    writer.transport.abort()

    state.monitors = 1
    assert (await asked(f"{url}{path}"))[0] == 200
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


class Held:
    """Reviews a token once it may."""

    def __init__(self, access: Access) -> None:
        self.asked, self.may_answer, self._access = asyncio.Event(), asyncio.Event(), access

    async def access(self, token: str, path: str) -> Access:
        """Wait, and answer."""
        self.asked.set()
        await self.may_answer.wait()
        return self._access


@pytest.mark.parametrize("access", Access)
async def test_a_reader_that_goes_away_during_its_review_leaves_no_traceback(caplog, access):
    """Whatever the answer would have been."""
    exposition, held = Exposition(Instruments(), list, lambda: NOON), Held(access)
    endpoints = Endpoints(
        trouble=lambda: None,
        is_ready=lambda: True,
        metrics=exposition.text,
        metrics_access=MetricsAccess(held),
    )
    async with serving(endpoints) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: operator\r\nAuthorization: Bearer a.b.c\r\n\r\n")
        await held.asked.wait()
        writer.transport.abort()
        held.may_answer.set()
        assert (await asked(f"{url}/livez"))[0] == 200
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


async def test_each_metric_is_told_once(url):
    """All series of a name stand together below one heading, or Prometheus refuses the whole text."""
    _, _, text = await asked(f"{url}/metrics")
    headings = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(headings) == len(set(headings))
    assert not [name for name in headings if name.endswith("_created")]
