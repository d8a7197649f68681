"""Full lists: before the first write, and periodically to find changes that the watch missed.

A watch that was interrupted and restarted does not report objects deleted in between.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from selfheal_operator.api.names import PLURAL
from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import RejectedError
from selfheal_operator.core.observed import Owner
from selfheal_operator.kube.client import NotFoundError
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.collection import Listed
from selfheal_operator.kube.one_object import one_object

logger = logging.getLogger(__name__)

FEW: Final = 200
"""Up to this many stale objects, or a tenth of all if that is more, are read one by one; above, relist."""
READERS: Final = 16


async def probe(cluster: Cluster) -> None:
    """Return if the API server serves ModelMonitors and at least one namespace may be listed."""
    await _in_turn(cluster.scopes, cluster.probe)


async def resync(cluster: Cluster, store: Store) -> set[Key]:
    """Bring the store up to date with full lists from the API server.

    Returns:
        The keys of monitors that were deleted or lost a Job.

    Raises:
        RejectedError: Listing is forbidden in every namespace.
    """
    before, listed = _Before(store), set[str]()

    async def look(namespace: str) -> None:
        # Monitors first, so that the owner of each Job listed later is already in the store.
        async for body in cluster.monitors(namespace):
            with one_object(cluster.instruments, PLURAL, body):
                listed.add(body["metadata"]["uid"])
                store.put_monitor(body)
        async for job, resource_version in cluster.engine.runs(namespace):
            listed.add(job.uid)
            store.put_job(job, resource_version)

    refused = await _in_turn(cluster.scopes, look)
    return before.evict(store, listed, refused)


async def sweep(cluster: Cluster, store: Store) -> tuple[set[Key], set[Key]]:
    """Resync by metadata-only lists; read in full only objects that are newer than in the store.

    Returns:
        The keys of monitors that changed or were deleted, or one of whose Jobs was; and those of which an
        object could not be read.

    Raises:
        RejectedError: Listing is forbidden in every namespace.
    """
    before, listed = _Before(store), set[str]()
    monitors: list[Listed] = []
    jobs: list[Listed] = []

    async def look(namespace: str) -> None:
        async for each in cluster.monitors_listed(namespace):
            listed.add(each.uid)
            if not store.has_monitor(Key(each.namespace, each.name), each.uid, each.resource_version):
                monitors.append(each)
        async for each in cluster.engine.listed(namespace):
            listed.add(each.uid)
            if not store.has_job(each.owner, each.name, each.uid, each.resource_version):
                jobs.append(each)

    refused = await _in_turn(cluster.scopes, look)
    changed = {Key(each.namespace, each.monitor) for each in (*monitors, *jobs)}
    if len(monitors) + len(jobs) > max(FEW, len(listed) // 10):
        return changed | await resync(cluster, store), set()
    unread = await _read(monitors, lambda each: read_monitor(cluster, store, Key(each.namespace, each.name)))
    unread |= await _read(jobs, lambda each: _read_job(cluster, store, each))
    return changed | before.evict(store, listed, refused), unread


async def refresh(cluster: Cluster, store: Store, key: Key) -> None:
    """Resync one monitor and its Jobs."""
    await read_monitor(cluster, store, key)
    if (uid := store.uid_of(key)) is None:
        return
    before, listed = store.jobs_of(Owner(key.namespace, uid)), set[str]()
    async for job, resource_version in cluster.engine.runs(key.namespace, uid):
        store.put_job(job, resource_version)
        listed.add(job.uid)
    for job in before:
        if job.uid not in listed:
            store.drop_job(job)


async def read_monitor(cluster: Cluster, store: Store, key: Key) -> None:
    """Read a monitor again; drop it from the store if it is gone, but not a later one of the same name."""
    uid = store.uid_of(key)
    try:
        store.put_monitor(await cluster.monitor(*key))
    except NotFoundError:
        if uid is not None:
            store.drop_monitor(key, uid)


class _Before:
    """The store's contents before the lists began: only these may be evicted if the lists lack them."""

    def __init__(self, store: Store) -> None:
        self._monitors = store.known_monitors()
        self._jobs = store.jobs()

    def evict(self, store: Store, listed: Collection[str], refused: Collection[str]) -> set[Key]:
        """Drop what is not in the lists; return the keys of the monitors affected."""
        evicted: set[Key] = set()
        for uid, key in self._monitors.items():
            if uid not in listed and key.namespace not in refused:
                store.drop_monitor(key, uid)
                evicted.add(key)
        for job in self._jobs:
            owner = self._monitors.get(job.owner_uid)
            if job.uid in listed or job.namespace in refused:
                continue
            store.drop_job(job)
            if owner is not None and owner.namespace == job.namespace:
                evicted.add(owner)
        return evicted


async def _in_turn(scopes: Sequence[str], look: Callable[[str], Awaitable[None]]) -> set[str]:
    """Call `look` for each namespace; return the namespaces where the API server refused.

    When a namespace is deleted, so is the operator's RoleBinding in it. The other namespaces must still be
    served.
    """
    refused: dict[str, RejectedError] = {}
    for namespace in scopes:
        try:
            await look(namespace)
        except RejectedError as refusal:
            refused[namespace] = refusal
    if len(refused) == len(scopes):
        raise next(iter(refused.values()))
    for namespace, error in refused.items():
        logger.warning("Namespace not served", extra={"namespace": namespace, "error": str(error)})
    return set(refused)


async def _read(stale: Sequence[Listed], read: Callable[[Listed], Awaitable[None]]) -> set[Key]:
    """Read objects one by one; return the monitors of those that could not be read."""
    unread = set[Key]()
    for start in range(0, len(stale), READERS):
        part = stale[start : start + READERS]
        results = await asyncio.gather(*map(read, part), return_exceptions=True)
        for each, error in zip(part, results, strict=True):
            if isinstance(error, Exception):
                unread.add(Key(each.namespace, each.monitor))
                extra = {"object": f"{each.namespace}/{each.name}", "error": repr(error)}
                logger.warning("Object not read", extra=extra)
            elif error is not None:  # cancelled
                raise error
    return unread


async def _read_job(cluster: Cluster, store: Store, each: Listed) -> None:
    if (found := await cluster.engine.find(each.namespace, each.name)) is not None:
        store.put_job(*found)
    # Otherwise it was deleted after it was listed: if the store has it, the next sweep evicts it.
