"""/livez and /readyz, for the kubelet."""

from collections.abc import Callable

from aiohttp import web


async def serve_health(port: int, is_ready: Callable[[], bool]) -> web.AppRunner:
    """Serve the two probes on all addresses; return the runner, to be cleaned up at the end."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        ready = is_ready()
        return web.Response(text="ok" if ready else "not listed yet", status=200 if ready else 503)

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, None, port).start()
    return runner
