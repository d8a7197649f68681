"""What the API server has shown us: the newest of each object, whichever way it came."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.observed import (
    Job,
    JobDefaults,
    Monitor,
    Observed,
    PodTrouble,
    Rejection,
)
from selfheal_operator.metrics.monitors import Facts, facts_of


class Key(NamedTuple):
    """Names one monitor."""

    namespace: str
    name: str


@dataclass(slots=True)
class _Entry:
    monitor: Monitor
    facts: Facts
    """Read when the monitor changes, and not ten thousand times at each scrape."""
    rejection: Rejection | None = None
    pod_trouble: PodTrouble | None = None


@dataclass(slots=True)
class Store:
    """A cache of monitors and their Jobs.

    Watch events may be older than what a write of our own has returned, so an object is only ever
    replaced by a newer one (resourceVersions are numbers that grow, and comparable by contract since
    Kubernetes 1.35).
    """

    _entries: dict[Key, _Entry] = field(default_factory=dict)
    _jobs: dict[str, dict[str, tuple[Job, int]]] = field(default_factory=dict)
    """By the owner's UID, then by name: the Jobs of an earlier monitor of the same name are never ours."""

    def observe(self, key: Key, defaults: JobDefaults) -> Observed | None:
        """Return all that is known of a monitor; None if there is none of that name."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        jobs = self._jobs.get(entry.monitor.uid, {})
        return Observed(
            monitor=entry.monitor,
            jobs=tuple(job for job, _ in jobs.values()),
            rejection=entry.rejection,
            pod_trouble=entry.pod_trouble,
            defaults=defaults,
        )

    def put_monitor(self, monitor: Monitor) -> Key:
        """Remember a monitor, unless something newer is known."""
        key = Key(monitor.namespace, monitor.name)
        facts = facts_of({"spec": monitor.spec, "status": monitor.status.to_wire()})
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _Entry(monitor, facts)
        elif int(monitor.resource_version) >= int(entry.monitor.resource_version):
            if entry.monitor.uid == monitor.uid:
                entry.monitor, entry.facts = monitor, facts
            else:
                self._entries[key] = _Entry(monitor, facts)
        return key

    def drop_monitor(self, key: Key, uid: str) -> None:
        """Forget a monitor, if it is that one and not a later one of the same name."""
        entry = self._entries.get(key)
        if entry is not None and entry.monitor.uid == uid:
            del self._entries[key]

    def put_job(self, job: Job, resource_version: str) -> None:
        """Remember a Job, unless something newer is known."""
        jobs = self._jobs.setdefault(job.owner_uid, {})
        known = jobs.get(job.name)
        if known is None or known[1] <= int(resource_version):
            jobs[job.name] = (job, int(resource_version))

    def drop_job(self, job: Job) -> None:
        """Forget a Job, if it is that one and not a later one of the same name."""
        jobs = self._jobs.get(job.owner_uid, {})
        known = jobs.get(job.name)
        if known is not None and known[0].uid == job.uid:
            del jobs[job.name]
            if not jobs:
                del self._jobs[job.owner_uid]

    def reject(self, key: Key, rejection: Rejection | None) -> None:
        """Remember that the API server refused a Job, or that it no longer does."""
        entry = self._entries.get(key)
        if entry is None:
            return
        before = entry.rejection
        if rejection is not None and before is not None and before.generation == rejection.generation:
            rejection = replace(rejection, attempts=before.attempts + 1)
        entry.rejection = rejection

    def note_pod_trouble(self, key: Key, trouble: PodTrouble) -> None:
        """Remember what a pod waits for."""
        if (entry := self._entries.get(key)) is not None:
            entry.pod_trouble = trouble

    def known_keys(self) -> list[Key]:
        """Return the keys of all monitors."""
        return list(self._entries)

    def monitors(self) -> list[Monitor]:
        """Return all monitors."""
        return [entry.monitor for entry in self._entries.values()]

    def facts(self) -> list[tuple[Key, Facts]]:
        """Return what the metrics tell of all monitors."""
        return [(key, entry.facts) for key, entry in self._entries.items()]

    def active(self, purpose: Purpose) -> Counter[str]:
        """Return how many Jobs of a purpose have not finished, by namespace."""
        namespaces = {entry.monitor.uid: key.namespace for key, entry in self._entries.items()}
        active = (job for job in self.jobs() if job.purpose is purpose and not job.finished)
        return Counter(namespaces[job.owner_uid] for job in active if job.owner_uid in namespaces)

    def jobs(self) -> list[Job]:
        """Return all Jobs."""
        return [job for jobs in self._jobs.values() for job, _ in jobs.values()]
