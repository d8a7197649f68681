"""/livez and /readyz for the kubelet, /metrics for Prometheus."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from selfheal_operator.metrics.exposition import CONTENT_TYPE
from selfheal_operator.serve.metrics_access import METRICS, MetricsAccess

SHUTDOWN_SECONDS: Final = 1.0
"""How long a slow reader of metrics may delay the operator's shutdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The request handlers."""

    trouble: Callable[[], str | None]
    """Returns why the process should be restarted; None while it is healthy."""
    is_ready: Callable[[], bool]
    metrics: Callable[[], AsyncIterator[bytes]]
    metrics_access: MetricsAccess | None = None
    """Refuses scrapes; without it, everybody may read the metrics."""

    async def livez(self, _: web.Request) -> web.Response:
        """Respond 200 while the process is healthy, else 503."""
        trouble = self.trouble()
        return web.Response(text=trouble or "ok", status=503 if trouble else 200)

    async def readyz(self, _: web.Request) -> web.Response:
        """Respond 200 once everything is listed, on a standby too, else 503."""
        ready = self.is_ready()
        return web.Response(text="ok" if ready else "not listed yet", status=200 if ready else 503)

    async def show_metrics(self, request: web.Request) -> web.StreamResponse:
        """Stream the metrics, with backpressure from the reader."""
        authorization = request.headers.get("Authorization", "")
        if self.metrics_access and (refusal := await self.metrics_access.refusal(authorization)):
            return refusal
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        with contextlib.suppress(ConnectionError):  # the reader has gone away, which is no error of ours
            await response.prepare(request)
            async for part in self.metrics():
                await response.write(part)
            await response.write_eof()
        return response


async def serve(port: int, endpoints: Endpoints) -> web.AppRunner:
    """Serve on all addresses; return the runner, which the caller must clean up."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/livez", endpoints.livez),
            web.get("/readyz", endpoints.readyz),
            web.get(METRICS, endpoints.show_metrics),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, None, port).start()
    return runner
