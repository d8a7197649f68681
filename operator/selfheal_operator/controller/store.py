"""What the API server has shown us: the newest of each object, whichever way it came."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from selfheal_operator.api.names import ANNOTATION_CHECK_REQUEST, ANNOTATION_RETRAIN_REQUEST
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.observed import (
    Job,
    JobDefaults,
    Monitor,
    Observed,
    PodTrouble,
    Rejection,
    monitor_from,
)
from selfheal_operator.metrics.monitors import Facts, facts_of

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_READ_ANNOTATIONS: Final = (ANNOTATION_CHECK_REQUEST, ANNOTATION_RETRAIN_REQUEST)


class Key(NamedTuple):
    """Names one monitor."""

    namespace: str
    name: str


@dataclass(slots=True)
class _Entry:
    uid: str
    resource_version: int
    document: bytes
    """What is read of the monitor, as JSON: a third of what the same takes as objects, of which ten thousand
    monitors hold a million."""
    facts: Facts
    """Read when the monitor changes, and not of ten thousand at each scrape."""
    promised: datetime
    """When its next check is promised, by its status; what promises nothing comes last."""
    removed_slot: datetime | None = None
    """The newest slot whose Job was here and is gone."""
    unanswered: tuple[str, ...] = ()
    """Jobs that were asked for, and that may be there: the answer was lost."""
    rejection: Rejection | None = None
    pod_trouble: PodTrouble | None = None

    def monitor(self) -> Monitor:
        return monitor_from(json.loads(self.document))

    @property
    def is_answered(self) -> bool:
        """Whether the status is about the spec as it is."""
        document = json.loads(self.document)
        observed: int | None = document["status"].get("observedGeneration")
        return bool(observed == document["metadata"]["generation"])


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
    _owners: dict[str, _Entry] = field(default_factory=dict)
    """The same entries by UID."""
    _active: dict[Purpose, Counter[str]] = field(
        default_factory=lambda: {purpose: Counter() for purpose in Purpose}
    )

    def observe(
        self, key: Key, defaults: JobDefaults, held: frozenset[Purpose] = frozenset()
    ) -> Observed | None:
        """Return all that is known of a monitor, and what it may not start; None if there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        return Observed(
            monitor=entry.monitor(),
            jobs=tuple(self.jobs_of(entry.uid)),
            removed_slot=entry.removed_slot,
            unanswered=entry.unanswered,
            rejection=entry.rejection,
            pod_trouble=entry.pod_trouble,
            held=held,
            defaults=defaults,
        )

    def put_monitor(self, body: Mapping[str, Any]) -> bool:
        """Remember a monitor, unless it is known already, or something newer is.

        Returns:
            Whether it is news.
        """
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        uid, version = metadata["uid"], int(metadata["resourceVersion"])
        entry = self._entries.get(key)
        if entry is not None and version <= entry.resource_version:
            return False
        if entry is None or entry.uid != uid:
            if entry is not None:
                del self._owners[entry.uid]
            self._entries[key] = self._owners[uid] = _Entry(
                uid, version, _packed(body), facts_of(body), _promised(body)
            )
        else:
            entry.resource_version, entry.document = version, _packed(body)
            entry.facts, entry.promised = facts_of(body), _promised(body)
        return True

    def uid_of(self, key: Key) -> str | None:
        """Return which monitor is known by this name; None if there is none."""
        entry = self._entries.get(key)
        return entry.uid if entry is not None else None

    def has_monitor(self, key: Key, uid: str, resource_version: str) -> bool:
        """Say whether this state of the monitor is known, or a newer one."""
        entry = self._entries.get(key)
        return entry is not None and entry.uid == uid and entry.resource_version >= int(resource_version)

    def drop_monitor(self, key: Key, uid: str) -> None:
        """Forget a monitor, if it is that one and not a later one of the same name."""
        entry = self._entries.get(key)
        if entry is not None and entry.uid == uid:
            del self._entries[key]
            del self._owners[uid]

    def put_job(self, job: Job, resource_version: str) -> bool:
        """Remember a Job, unless something newer is known.

        Returns:
            Whether it differs from what was known, in what we look at.
        """
        jobs = self._jobs.setdefault(job.owner_uid, {})
        known, version = jobs.get(job.name), int(resource_version)
        if known is not None and known[1] > version:
            return False
        before = known[0] if known is not None else None
        jobs[job.name] = (before if before == job else job, version)
        self._count(before, -1)
        self._count(job, 1)
        return before != job

    def has_job(self, owner_uid: str, name: str, uid: str, resource_version: str) -> bool:
        """Say whether this state of the Job is known, or a newer one."""
        known = self._jobs.get(owner_uid, {}).get(name)
        return known is not None and known[0].uid == uid and known[1] >= int(resource_version)

    def drop_job(self, job: Job) -> bool:
        """Forget a Job, if it is that one and not a later one of the same name.

        Returns:
            Whether it was known.
        """
        owner = self._owners.get(job.owner_uid)
        if owner is not None and job.is_scheduled_check:  # also if this is the first that we hear of it
            owner.removed_slot = max(job.slot, owner.removed_slot or job.slot)
        jobs = self._jobs.get(job.owner_uid, {})
        known = jobs.get(job.name)
        if known is None or known[0].uid != job.uid:
            return False
        del jobs[job.name]
        self._count(known[0], -1)
        if not jobs:
            del self._jobs[job.owner_uid]
        return True

    def active(self, purpose: Purpose) -> Counter[str]:
        """Return how many Jobs of a purpose run, by namespace: those that a queue holds use no resources."""
        return self._active[purpose]

    def note_unanswered(self, key: Key, name: str) -> None:
        """Remember that a Job was asked for, and that nobody knows what came of it."""
        if (entry := self._entries.get(key)) is not None and name not in entry.unanswered:
            entry.unanswered = (*entry.unanswered, name)

    def settle_unanswered(self, key: Key, name: str) -> None:
        """Forget that: it was looked up."""
        if (entry := self._entries.get(key)) is not None and name in entry.unanswered:
            entry.unanswered = tuple(other for other in entry.unanswered if other != name)

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

    def oldest_promise_first(self) -> list[tuple[Key, datetime]]:
        """Return the keys of all monitors, and when each promises its next check."""
        promises = [(key, entry.promised) for key, entry in self._entries.items()]
        return sorted(promises, key=lambda promise: promise[1])

    def unanswered(self) -> list[Key]:
        """Return the keys of monitors whose status is not about the spec as it is: somebody may wait."""
        return [key for key, entry in self._entries.items() if not entry.is_answered]

    def known_monitors(self) -> dict[str, Key]:
        """Return the keys of all monitors by their UIDs."""
        return {entry.uid: key for key, entry in self._entries.items()}

    def facts(self) -> list[tuple[Key, Facts]]:
        """Return what the metrics tell of all monitors."""
        return [(key, entry.facts) for key, entry in self._entries.items()]

    def jobs(self) -> list[Job]:
        """Return all Jobs."""
        return [job for owner_uid in self._jobs for job in self.jobs_of(owner_uid)]

    def jobs_of(self, owner_uid: str) -> list[Job]:
        """Return the Jobs of one monitor."""
        return [job for job, _ in self._jobs.get(owner_uid, {}).values()]

    def _count(self, job: Job | None, change: int) -> None:
        if job is None or job.finished or job.queued:
            return
        counts = self._active[job.purpose]
        counts[job.namespace] += change
        if not counts[job.namespace]:
            del counts[job.namespace]


def _promised(body: Mapping[str, Any]) -> datetime:
    """Return the status's nextCheckTime, of whatever form: one monitor must not keep the others waiting."""
    try:
        promised = datetime.fromisoformat(body["status"]["nextCheckTime"])
    except (KeyError, TypeError, ValueError):
        return _NEVER
    return promised if promised.tzinfo is not None else _NEVER


def _packed(body: Mapping[str, Any]) -> bytes:
    """Keep what `monitor_from` reads. Managed fields alone are as long as all else."""
    metadata = body["metadata"]
    kept = {name: value for name, value in metadata.items() if name not in {"managedFields", "labels"}}
    annotations = metadata.get("annotations") or {}
    kept["annotations"] = {name: annotations[name] for name in _READ_ANNOTATIONS if name in annotations}
    document = {"metadata": kept, "spec": body.get("spec") or {}, "status": body.get("status") or {}}
    return json.dumps(document, separators=(",", ":")).encode()
