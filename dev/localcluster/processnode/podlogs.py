"""Serves pods' logs like a kubelet, so that `kubectl logs` works."""

import asyncio
from collections import deque
from pathlib import Path

from aiohttp import web

from localcluster.processnode.context import NodeContext

POLL_SECONDS = 0.2
CHUNK_BYTES = 65536


def logs_application(node: NodeContext) -> web.Application:
    """Return the application with the kubelet's log endpoint."""

    async def container_log(request: web.Request) -> web.StreamResponse:
        log = newest_log(node.pods, **request.match_info)
        if log is None:
            raise web.HTTPNotFound(text="this node has no such log\n")
        return await _stream(request, log)

    application = web.Application()
    application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", container_log)
    return application


def newest_log(pods: Path, namespace: str, pod: str, container: str) -> Path | None:
    """Find a container's log; of several pods that had the name one after the other, the last one's."""
    logs = list(pods.glob(f"{namespace}_{pod}_*/{container}.log"))
    return max(logs, key=lambda log: log.parent.stat().st_ctime, default=None)


async def _stream(request: web.Request, log: Path) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    scratch = log.parent / "scratch"
    with log.open("rb") as content:
        if tail := request.query.get("tailLines"):
            await response.write(b"".join(deque(content, maxlen=int(tail))))
        while True:
            # Checked before reading, so that everything written before the end is read.
            over = request.query.get("follow") != "true" or not scratch.exists()
            while chunk := content.read(CHUNK_BYTES):
                await response.write(chunk)
            if over:
                break
            await asyncio.sleep(POLL_SECONDS)
    await response.write_eof()
    return response
