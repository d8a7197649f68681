"""Creates Jobs as fast as the API server takes them, and does nothing else: `KUBECONFIG MANIFESTS WIDTH`.

A process of its own, as the operator is one. MANIFESTS holds one document in each line. They are read, and
the connections are open, before the time that is printed: when the first one was sent.
"""

import asyncio
import base64
import json
import ssl
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from selfheal_operator.kube.client import METADATA


def main() -> None:
    """Create all of them."""
    kubeconfig, manifests, width = sys.argv[1:]
    document = yaml.safe_load(Path(kubeconfig).read_text())
    asyncio.run(_connect(document, list(_requests(Path(manifests))), int(width)))


async def _connect(document: dict[str, Any], requests: list[tuple[str, bytes]], width: int) -> None:
    cluster = document["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    headers = {
        "Authorization": f"Bearer {document['users'][0]['user']['token']}",
        "Content-Type": "application/json",
        "Accept": METADATA,  # as the operator: the answer need not repeat what was sent
    }
    connector = aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context(cadata=authority))
    async with aiohttp.ClientSession(cluster["server"], connector=connector, headers=headers) as session:
        await _create_all(session, requests, width)


def _requests(manifests: Path) -> Iterator[tuple[str, bytes]]:
    for line in manifests.read_bytes().splitlines():
        yield f"/apis/batch/v1/namespaces/{json.loads(line)['metadata']['namespace']}/jobs", line


async def _create_all(session: aiohttp.ClientSession, requests: list[tuple[str, bytes]], width: int) -> None:
    await asyncio.gather(*(_answer(session.get("/version")) for _ in range(width)))
    waiting = iter(requests)

    async def worker() -> None:
        for path, body in waiting:
            await _answer(session.post(path, data=body))

    print(datetime.now(UTC).isoformat(), flush=True)
    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(worker())


async def _answer(request: "aiohttp.client._RequestContextManager") -> None:
    async with request as answer:
        answer.raise_for_status()
        await answer.read()


if __name__ == "__main__":
    main()
