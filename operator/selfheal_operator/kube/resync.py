"""Lists everything anew: before anything is written, and now and then for what the watch lost."""

from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.store import Store


async def resync(cluster: Cluster, store: Store) -> None:
    """Bring the store up to date with what the API server has now.

    A watch that was cut and begun anew never tells of what was deleted in between. Only what was known
    before the lists began can be missing from them; what came later is left alone.
    """
    known_monitors, known_jobs = store.known_monitors(), store.jobs()
    listed: set[str] = set()
    # Monitors first: a Job that is listed later belongs to a monitor that is known.
    async for body in cluster.monitors():
        store.put_monitor(body)
        listed.add(body["metadata"]["uid"])
    async for job, resource_version in cluster.jobs():
        store.put_job(job, resource_version)
        listed.add(job.uid)
    for key, (uid, _) in known_monitors.items():
        if uid not in listed:
            store.drop_monitor(key, uid)
    for job in known_jobs:
        if job.uid not in listed:
            store.drop_job(job)
