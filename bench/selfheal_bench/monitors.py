"""Minimal ModelMonitors for benchmarks."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from localcluster.processnode.apiserver import ApiError, ApiServer, Document, until_answered
from selfheal_bench.arena import NAMESPACES
from selfheal_operator.api.names import API_VERSION, GROUP, KIND, PLURAL, VERSION

PAGE: Final = 500


def monitor(namespace: str, name: str, **spec: Any) -> Document:
    """Return a monitor with the given fields in its spec."""
    data = {"uri": "https://data.example.com/churn/train.parquet"}
    now = {"uri": "https://data.example.com/churn/live.parquet"}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "dataset": {"reference": data, "current": now},
            "target": "churned",
            "threshold": 0.3,
            **spec,
        },
    }


def places(count: int) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of each of `count` objects, distributed over the namespaces."""
    for number in range(count):
        yield NAMESPACES[number % len(NAMESPACES)], f"m{number:05}"


def monitors_path(namespace: str) -> str:
    """Return the path of a namespace's monitors."""
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"


async def create(api: ApiServer, path: str, document: Document) -> None:
    """Create an object, with retries."""
    try:
        await until_answered(lambda: api.post(path, document))
    except ApiError as error:
        if error.status != 409:  # it exists: the response to an earlier attempt was lost
            raise


async def all_monitors(api: ApiServer) -> list[Document]:
    """Return all monitors as they are now."""
    found: list[Document] = []
    token = ""
    while True:
        query = {"limit": str(PAGE)} | ({"continue": token} if token else {})
        page = await until_answered(partial(api.get, f"/apis/{GROUP}/{VERSION}/{PLURAL}", query))
        found += page["items"]
        token = page["metadata"].get("continue") or ""
        if not token:
            return found
