"""What kopf tells us: monitors and Jobs, as they come and go.

Only low-level event handlers: they add no finalizer and write no annotation, so nothing is ever written to
a ModelMonitor but its status. kopf neither retries an event handler nor reports its errors, so a handler
copies what it sees into the store, wakes the monitor up, and does nothing else.
"""

from typing import Any, Final

import kopf

from selfheal_operator.api.names import GROUP, LABEL_MONITOR, PLURAL, VERSION
from selfheal_operator.controller.store import Key
from selfheal_operator.kube.collection import Collection
from selfheal_operator.watch.memo import Memo

REGISTRY: Final = kopf.OperatorRegistry()


@kopf.on.event(GROUP, VERSION, PLURAL, registry=REGISTRY)
async def on_monitor(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """A monitor was added, changed or deleted."""
    body: Any = event["object"]
    metadata = body["metadata"]
    key = Key(metadata["namespace"], metadata["name"])
    if event["type"] == "DELETED":
        memo.store.drop_monitor(key, metadata["uid"])
    elif not memo.store.put_monitor(body):
        return  # our own write, most of the time; who put it there has looked at it since
    memo.wake(key)


def watch_runs(collection: Collection) -> None:
    """Have the engine's objects watched: once, before kopf begins."""
    group, version = collection.group.split("/")
    kopf.on.event(group, version, collection.plural, registry=REGISTRY)(on_run)


async def on_run(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """A run of ours was added, changed or deleted."""
    body: Any = event["object"]
    metadata = body["metadata"]
    job = memo.engine.read(body)
    if job is None:
        return
    if event["type"] == "DELETED":
        news = memo.store.drop_job(job)
    else:
        news = memo.store.put_job(job, metadata["resourceVersion"])
    if news:
        memo.wake(Key(job.namespace, metadata["labels"][LABEL_MONITOR]))
        memo.give_turns()


@kopf.on.login(registry=REGISTRY)
async def login(memo: Memo, **kwargs: Any) -> kopf.AiohttpSession | None:
    """Log in as the Kubernetes client does: by the kubeconfig, or as the pod's ServiceAccount."""
    return await memo.session.login(kopf.login_via_client(**kwargs))
