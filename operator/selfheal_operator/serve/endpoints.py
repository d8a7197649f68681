"""/livez and /readyz for the kubelet, /metrics for Prometheus."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from selfheal_operator.metrics.exposition import CONTENT_TYPE

SHUTDOWN_SECONDS: Final = 1.0
"""How long a slow reader of metrics may keep the operator from ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """What there is to be asked."""

    trouble: Callable[[], str | None]
    """Why the process had better be restarted; None while it is well."""
    is_ready: Callable[[], bool]
    metrics: Callable[[], AsyncIterator[bytes]]

    async def livez(self, _: web.Request) -> web.Response:
        """Say whether the process is alive."""
        trouble = self.trouble()
        return web.Response(text=trouble or "ok", status=503 if trouble else 200)

    async def readyz(self, _: web.Request) -> web.Response:
        """Say whether everything is known: it is so for a replica that stands by, too."""
        ready = self.is_ready()
        return web.Response(text="ok" if ready else "not listed yet", status=200 if ready else 503)

    async def show_metrics(self, request: web.Request) -> web.StreamResponse:
        """Write the metrics, as fast as they are read."""
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        await response.prepare(request)
        async for part in self.metrics():
            await response.write(part)
        await response.write_eof()
        return response


async def serve(port: int, endpoints: Endpoints) -> web.AppRunner:
    """Serve on all addresses; return the runner, to be cleaned up at the end."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/livez", endpoints.livez),
            web.get("/readyz", endpoints.readyz),
            web.get("/metrics", endpoints.show_metrics),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, None, port).start()
    return runner
