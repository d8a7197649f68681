"""What kopf tells us: monitors and Jobs, as they come and go.

Only low-level event handlers: they add no finalizer and write no annotation, so nothing is ever written to
a ModelMonitor but its status. kopf neither retries an event handler nor reports its errors, so a handler
copies what it sees into the store, wakes the monitor up, and does nothing else.
"""

import itertools
from collections.abc import Iterator
from typing import Any, Final, Self

import kopf

from selfheal_operator.api.names import GROUP, LABEL_MANAGED_BY, LABEL_MONITOR, MANAGED_BY, PLURAL, VERSION
from selfheal_operator.core.observed import job_from, monitor_from
from selfheal_operator.handlers.queue import WorkQueue
from selfheal_operator.handlers.watch_session import WatchSession
from selfheal_operator.kube.store import Key, Store


class Context:
    """What the handlers share. kopf copies its memo for every object; this one stays the same."""

    def __init__(self, store: Store, session: WatchSession, queue: WorkQueue[Key]) -> None:
        self.store = store
        self.session = session
        self.queue = queue

    def __copy__(self) -> Self:
        return self


WATCHED: Final = (PLURAL, "jobs")
REGISTRY: Final = kopf.OperatorRegistry()


@kopf.on.event(GROUP, VERSION, PLURAL, registry=REGISTRY)
async def on_monitor(event: kopf.RawEvent, memo: Context, **_: Any) -> None:
    """A monitor was listed, added, changed or deleted."""
    monitor = monitor_from(event["object"])
    key = Key(monitor.namespace, monitor.name)
    if event["type"] == "DELETED":
        memo.store.drop_monitor(key, monitor.uid)
    else:
        memo.store.put_monitor(monitor)
    memo.queue.add(key)


@kopf.on.event("batch", "v1", "jobs", registry=REGISTRY)
async def on_job(event: kopf.RawEvent, memo: Context, **_: Any) -> None:
    """A Job of ours was listed, added, changed or deleted."""
    body: Any = event["object"]
    job = job_from(body)
    if job is None:
        return
    if event["type"] == "DELETED":
        memo.store.drop_job(job)
    else:
        memo.store.put_job(job, body["metadata"]["resourceVersion"])
    memo.queue.add(Key(body["metadata"]["namespace"], body["metadata"]["labels"][LABEL_MONITOR]))


@kopf.on.login(registry=REGISTRY)
async def login(memo: Context, **kwargs: Any) -> kopf.AiohttpSession | None:
    """Log in as the Kubernetes client does: by the kubeconfig, or as the pod's ServiceAccount."""
    return await memo.session.login(kopf.login_via_client(**kwargs))


@kopf.on.startup(registry=REGISTRY)
async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Set kopf up as a watch engine and nothing more."""
    settings.peering.standalone = True
    settings.scanning.disabled = True  # the CRD is there before kopf is started
    settings.posting.enabled = False
    settings.queueing.idle_timeout = (
        0.5  # idle workers hold 14 KiB each; at 10,000 monitors half of all memory
    )
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 0.5
    settings.watching.label_selectors["batch", "v1", "jobs"] = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
    settings.networking.connect_timeout = 10
    settings.networking.request_timeout = 60
    settings.networking.error_backoffs = Backoffs()
    settings.execution.max_workers = 4


class Backoffs:
    """Pauses in seconds between kopf's attempts at a request: about ten minutes in all, then it gives up."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((1, 1, 2, 3, 5, 8, 13), itertools.repeat(15, 40))
