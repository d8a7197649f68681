"""kopf event handlers for monitors and Jobs.

Only low-level event handlers: they add no finalizer and write no annotation, so only the status of a
ModelMonitor is ever written. kopf neither retries an event handler nor reports its errors, so a handler
only copies the object into the store and queues the monitor.
"""

from typing import Any, Final

import kopf

from selfheal_operator.api.names import GROUP, LABEL_MONITOR, PLURAL, VERSION
from selfheal_operator.controller.store import Key
from selfheal_operator.kube.collection import Collection
from selfheal_operator.kube.one_object import one_object
from selfheal_operator.watch.memo import Memo

REGISTRY: Final = kopf.OperatorRegistry()


@kopf.on.event(GROUP, VERSION, PLURAL, registry=REGISTRY)
async def on_monitor(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """A monitor was added, changed or deleted."""
    with one_object(memo.instruments, PLURAL, event["object"]):
        _take_in_monitor(event, memo)


def _take_in_monitor(event: kopf.RawEvent, memo: Memo) -> None:
    body: Any = event["object"]
    metadata = body["metadata"]
    key = Key(metadata["namespace"], metadata["name"])
    if event["type"] == "DELETED":
        memo.store.note_deleted(metadata["uid"], metadata["resourceVersion"])
        memo.store.drop_monitor(key, metadata["uid"])
    elif not memo.store.put_monitor(body):
        return  # usually our own write, which was already reconciled
    memo.wake(key)


def watch_runs(collection: Collection) -> None:
    """Register the handler for the engine's objects. Call it once, before kopf starts."""
    group, version = collection.group.split("/")
    kopf.on.event(group, version, collection.plural, registry=REGISTRY)(on_run)


async def on_run(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """One of our runs was added, changed or deleted."""
    with one_object(memo.instruments, memo.engine.collection.plural, event["object"]):
        _take_in_run(event, memo)


def _take_in_run(event: kopf.RawEvent, memo: Memo) -> None:
    body: Any = event["object"]
    metadata = body["metadata"]
    job = memo.engine.read(body)
    if job is None:
        return
    if event["type"] == "DELETED":
        memo.store.note_deleted(job.uid, metadata["resourceVersion"])
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
