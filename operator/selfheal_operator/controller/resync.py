"""Lists everything: before anything is written, and now and then for what the watch never told.

A watch that was cut and begun anew does not tell of what was deleted in between.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from selfheal_operator.controller.store import Key, Store
from selfheal_operator.core.errors import RejectedError
from selfheal_operator.kube.client import NotFoundError
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.collection import Listed

logger = logging.getLogger(__name__)

FEW: Final = 200
"""So many objects, or a tenth of all if that is more, are read one by one rather than all listed anew."""
READERS: Final = 16


async def probe(cluster: Cluster) -> None:
    """Return if ModelMonitors are known to the API server, and may be listed somewhere."""
    await _in_turn(cluster.scopes, cluster.probe)


async def resync(cluster: Cluster, store: Store) -> set[Key]:
    """Bring the store up to date with what the API server has now, by lists of everything.

    Returns:
        The keys of monitors that are gone, or lost a Job.

    Raises:
        RejectedError: nothing may be listed, in no namespace.
    """
    before, listed = _Before(store), set[str]()

    async def look(namespace: str) -> None:
        # Monitors first: a Job that is listed later belongs to a monitor that is known.
        async for body in cluster.monitors(namespace):
            store.put_monitor(body)
            listed.add(body["metadata"]["uid"])
        async for job, resource_version in cluster.engine.runs(namespace):
            store.put_job(job, resource_version)
            listed.add(job.uid)

    refused = await _in_turn(cluster.scopes, look)
    return before.evict(store, listed, refused)


async def sweep(cluster: Cluster, store: Store) -> set[Key]:
    """Do the same by lists without contents: read is only what is in another state than the store knows.

    Returns:
        The keys of monitors that have changed, are gone, or of which a Job has.

    Raises:
        RejectedError: nothing may be listed, in no namespace.
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
            if not store.has_job(each.owner_uid, each.name, each.uid, each.resource_version):
                jobs.append(each)

    refused = await _in_turn(cluster.scopes, look)
    changed = {Key(each.namespace, each.monitor) for each in (*monitors, *jobs)}
    if len(monitors) + len(jobs) > max(FEW, len(listed) // 10):
        return changed | await resync(cluster, store)
    await _read(monitors, lambda each: read_monitor(cluster, store, Key(each.namespace, each.name)))
    await _read(jobs, lambda each: _read_job(cluster, store, each))
    return changed | before.evict(store, listed, refused)


async def refresh(cluster: Cluster, store: Store, key: Key) -> None:
    """Do the same for one monitor, at once."""
    await read_monitor(cluster, store, key)
    if (uid := store.uid_of(key)) is None:
        return
    before, listed = store.jobs_of(uid), set[str]()
    async for job, resource_version in cluster.engine.runs(key.namespace, uid):
        store.put_job(job, resource_version)
        listed.add(job.uid)
    for job in before:
        if job.uid not in listed:
            store.drop_job(job)


async def read_monitor(cluster: Cluster, store: Store, key: Key) -> None:
    """Read a monitor anew, or forget it if it is gone; what has taken its name meanwhile is another one."""
    uid = store.uid_of(key)
    try:
        store.put_monitor(await cluster.monitor(*key))
    except NotFoundError:
        if uid is not None:
            store.drop_monitor(key, uid)


class _Before:
    """What was known before the lists began: only that can be missing from them, not what came later."""

    def __init__(self, store: Store) -> None:
        self._monitors = store.known_monitors()
        self._jobs = store.jobs()

    def evict(self, store: Store, listed: Collection[str], refused: Collection[str]) -> set[Key]:
        """Forget what is not in the lists; return the keys of the monitors that this is about."""
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
            if owner is not None:
                evicted.add(owner)
        return evicted


async def _in_turn(scopes: Sequence[str], look: Callable[[str], Awaitable[None]]) -> set[str]:
    """Look into each namespace; return those where that is refused.

    A namespace that was deleted took the operator's rights in it along. That must not keep the others from
    being served.
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


async def _read(stale: Sequence[Listed], read: Callable[[Listed], Awaitable[None]]) -> None:
    for start in range(0, len(stale), READERS):
        await asyncio.gather(*(read(each) for each in stale[start : start + READERS]))


async def _read_job(cluster: Cluster, store: Store, each: Listed) -> None:
    if (found := await cluster.engine.find(each.namespace, each.name)) is not None:
        store.put_job(*found)
    # else deleted since it was listed: if it was known, the next lists miss it
