"""The floor of a scheduler does what it is compared for: each Job is asked for once, and nothing else."""

import asyncio
import json
import sys
from datetime import UTC, datetime

import pytest
from aiohttp import web

from localcluster.kubeconfig import kubeconfig, write_kubeconfig
from localcluster.pki import Authority
from selfheal_bench.lags import Lags
from selfheal_bench.schedule.floor import Floor

MANIFESTS = [{"metadata": {"namespace": f"bench-{number % 2}", "name": f"m{number}"}} for number in range(7)]


class JobServer:
    """Takes Jobs, or refuses them."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.created: list[tuple[str, str]] = []
        self.open = self.most_open = 0

    async def create(self, request: web.Request) -> web.Response:
        """Note who is asked for, and how many are at a time."""
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        document = await request.json()
        await asyncio.sleep(0)
        self.created.append((request.match_info["namespace"], document["metadata"]["name"]))
        self.open -= 1
        return web.json_response({}, status=self.status)


async def version(_: web.Request) -> web.Response:
    """Answer something: the connection is what is wanted."""
    return web.json_response({})


async def create_all(folder, server, *, width):
    """Run the creator against the server; return its exit code and what it printed."""
    application = web.Application()
    application.router.add_get("/version", version)
    application.router.add_post("/apis/batch/v1/namespaces/{namespace}/jobs", server.create)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    Authority("test").write(folder / "ca.crt")
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    write_kubeconfig(folder / "config", kubeconfig(url, (folder / "ca.crt").read_bytes(), {"token": "t"}))
    (folder / "manifests").write_text("".join(f"{json.dumps(each)}\n" for each in MANIFESTS))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "selfheal_bench.schedule.bare_creator"),
        *(str(folder / "config"), str(folder / "manifests"), str(width)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    printed, _ = await process.communicate()
    await runner.cleanup()
    return process.returncode, printed.decode().strip()


async def test_each_job_is_asked_for_once_and_no_more_than_the_width_at_a_time(tmp_path):
    """And it prints when it began."""
    server, before = JobServer(201), datetime.now(UTC)

    code, began = await create_all(tmp_path, server, width=3)

    assert code == 0
    assert sorted(server.created) == sorted(
        (each["metadata"]["namespace"], each["metadata"]["name"]) for each in MANIFESTS
    )
    assert server.most_open <= 3
    assert before <= datetime.fromisoformat(began) <= datetime.now(UTC)


async def test_a_job_that_is_refused_ends_it(tmp_path):
    """A floor of fewer Jobs would be too low."""
    code, _ = await create_all(tmp_path, JobServer(403), width=3)

    assert code != 0


def test_the_ratio_is_that_of_our_99th_percentile_to_its_last_job():
    """Jobs that did not come count with the limit, as everywhere."""
    ours = Lags.of({"a": [3.0]}, due=2, limit_seconds=60.0)

    assert Floor(width=8, seconds=2.0).ratio(ours) == pytest.approx(30.0)
