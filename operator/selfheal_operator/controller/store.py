"""A cache of the newest version of each object, from watches, lists and responses to writes."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from selfheal_operator.api.names import (
    ANNOTATION_CHECK_REQUEST,
    ANNOTATION_DECISION,
    ANNOTATION_RETRAIN_REQUEST,
    MAX_REQUEST_TOKEN,
)
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.core.capacity import Tally
from selfheal_operator.core.observed import (
    DECISION_BY,
    Job,
    JobDefaults,
    Monitor,
    Observed,
    Owner,
    PodTrouble,
    Rejection,
    decision_by,
    monitor_from,
)
from selfheal_operator.core.validation import LARGEST_SPEC_BYTES, size_problem
from selfheal_operator.metrics.monitors import Facts, facts_of

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_READ_ANNOTATIONS: Final = (ANNOTATION_CHECK_REQUEST, ANNOTATION_RETRAIN_REQUEST, ANNOTATION_DECISION)
_READ_METADATA: Final = (
    *("namespace", "name", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"),
)
_LONGEST_ANNOTATION: Final = 4 * MAX_REQUEST_TOKEN
"""More than is read of it, so that spaces around it do not count."""
MOST_DELETED: Final = 4096
"""Deletions to remember: far more than happen while an answer is on its way."""


class Key(NamedTuple):
    """Names one monitor."""

    namespace: str
    name: str


class _Content(NamedTuple):
    """What the store keeps of a monitor's newest version."""

    document: bytes
    """The parts of the monitor that are read, as JSON. This takes a third of the memory of Python objects, of
    which ten thousand monitors hold a million."""
    problem: str
    """Why the document has no spec; empty if it has one."""
    is_answered: bool
    """Whether observedGeneration equals the generation."""
    facts: Facts
    """Computed when the monitor changes, not for ten thousand monitors at each scrape."""
    promised: datetime
    """The status's nextCheckTime; `_NEVER` without one, so that it sorts last."""


@dataclass(slots=True)
class _Entry:
    uid: str
    resource_version: int
    content: _Content
    removed_slot: datetime | None = None
    """The newest slot whose Job was seen and is gone."""
    unanswered: tuple[str, ...] = ()
    """Jobs whose create request got no response: they may exist."""
    rejection: Rejection | None = None
    pod_trouble: PodTrouble | None = None

    def monitor(self) -> Monitor:
        return monitor_from(json.loads(self.content.document))


@dataclass(slots=True)
class Store:
    """A cache of monitors and their Jobs.

    A watch event may be older than the response to our own write, so an object is only replaced by a newer
    one (resourceVersions are increasing numbers; the API guarantees that they compare since Kubernetes 1.35).
    """

    _entries: dict[Key, _Entry] = field(default_factory=dict)
    _jobs: dict[Owner, dict[str, tuple[Job, int]]] = field(default_factory=dict)
    """By owner, then by name, so that Jobs of an earlier monitor of the same name stay separate."""
    _owners: dict[Owner, _Entry] = field(default_factory=dict)
    """The same entries by namespace and UID."""
    _active: dict[Purpose, Counter[Owner]] = field(
        default_factory=lambda: {purpose: Counter() for purpose in Purpose}
    )
    _active_in: dict[Purpose, Tally] = field(
        default_factory=lambda: {purpose: Tally() for purpose in Purpose}
    )
    """Those of monitors that exist, by namespace."""
    _deleted: dict[str, int] = field(default_factory=dict)
    """The resourceVersions of the newest deletions, by UID."""

    def observe(
        self, key: Key, defaults: JobDefaults, held: frozenset[Purpose] = frozenset()
    ) -> Observed | None:
        """Return a monitor with its Jobs and the purposes `held`; None if the monitor is not in the store."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        return Observed(
            monitor=entry.monitor(),
            jobs=tuple(self.jobs_of(Owner(key.namespace, entry.uid))),
            removed_slot=entry.removed_slot,
            unanswered=entry.unanswered,
            rejection=entry.rejection,
            pod_trouble=entry.pod_trouble,
            held=held,
            defaults=defaults,
        )

    def put_monitor(self, body: Mapping[str, Any]) -> bool:
        """Store a monitor, unless the store has the same or a newer version.

        Returns:
            Whether it was stored.
        """
        metadata = body["metadata"]
        key = Key(metadata["namespace"], metadata["name"])
        uid, version = metadata["uid"], int(metadata["resourceVersion"])
        entry = self._entries.get(key)
        if version <= (self._deleted.get(uid, 0) if entry is None else entry.resource_version):
            return False
        content = _content_of(body)
        if entry is None or entry.uid != uid:
            if entry is not None:
                self._disown(Owner(key.namespace, entry.uid))
            entry = self._entries[key] = _Entry(uid, version, content)
            self._own(Owner(key.namespace, uid), entry)
        else:
            entry.resource_version, entry.content = version, content
        return True

    def unreadable(self) -> int:
        """Return how many monitors cannot be read as a whole."""
        return sum(1 for entry in self._entries.values() if entry.content.problem)

    def uid_of(self, key: Key) -> str | None:
        """Return the UID of the monitor stored under this name; None if there is none."""
        entry = self._entries.get(key)
        return entry.uid if entry is not None else None

    def has_monitor(self, key: Key, uid: str, resource_version: str) -> bool:
        """Return whether the store has this version of the monitor or a newer one."""
        entry = self._entries.get(key)
        return entry is not None and entry.uid == uid and entry.resource_version >= int(resource_version)

    def drop_monitor(self, key: Key, uid: str) -> None:
        """Drop a monitor if its UID matches, so that a later one of the same name stays."""
        entry = self._entries.get(key)
        if entry is not None and entry.uid == uid:
            del self._entries[key]
            self._disown(Owner(key.namespace, uid))

    def note_deleted(self, uid: str, resource_version: str) -> None:
        """Record that the API server has deleted an object, so that an older answer does not bring it back.

        Call it for a DELETED event only: what a list lacks may be there again in the next one.
        """
        self._deleted[uid] = int(resource_version)
        if len(self._deleted) > MOST_DELETED:
            del self._deleted[next(iter(self._deleted))]

    def put_job(self, job: Job, resource_version: str) -> bool:
        """Store a Job, unless the store has a newer version.

        Returns:
            Whether it differs from the stored one in any field that the operator reads.
        """
        jobs = self._jobs.get(job.owner, {})
        known, version = jobs.get(job.name), int(resource_version)
        if known[1] > version if known is not None else version <= self._deleted.get(job.uid, 0):
            return False
        before = known[0] if known is not None else None
        self._jobs[job.owner] = jobs
        jobs[job.name] = (before if before == job else job, version)
        self._count(before, -1)
        self._count(job, 1)
        return before != job

    def has_job(self, owner: Owner, name: str, uid: str, resource_version: str) -> bool:
        """Return whether the store has this version of the Job or a newer one."""
        known = self._jobs.get(owner, {}).get(name)
        return known is not None and known[0].uid == uid and known[1] >= int(resource_version)

    def drop_job(self, job: Job) -> bool:
        """Drop a Job if its UID matches, so that a later one of the same name stays.

        Returns:
            Whether it was in the store.
        """
        owner = self._owners.get(job.owner)
        if owner is not None and job.is_scheduled_check:  # also if the store never had it
            owner.removed_slot = max(job.slot, owner.removed_slot or job.slot)
        jobs = self._jobs.get(job.owner, {})
        known = jobs.get(job.name)
        if known is None or known[0].uid != job.uid:
            return False
        del jobs[job.name]
        self._count(known[0], -1)
        if not jobs:
            del self._jobs[job.owner]
        return True

    def active(self, purpose: Purpose) -> Tally:
        """Return the active Jobs of a purpose by namespace, without suspended ones: they use no resources.

        A Job whose monitor does not exist is not counted: garbage collection deletes it, or somebody has made
        it up.

        Returns:
            The counts, which follow the store.
        """
        return self._active_in[purpose]

    def note_unanswered(self, key: Key, name: str) -> None:
        """Record that the outcome of a Job's create request is unknown."""
        if (entry := self._entries.get(key)) is not None and name not in entry.unanswered:
            entry.unanswered = (*entry.unanswered, name)

    def settle_unanswered(self, key: Key, name: str) -> None:
        """Clear that record: the Job was looked up."""
        if (entry := self._entries.get(key)) is not None and name in entry.unanswered:
            entry.unanswered = tuple(other for other in entry.unanswered if other != name)

    def reject(self, key: Key, rejection: Rejection | None) -> None:
        """Record that the API server refused a Job; None clears the record."""
        entry = self._entries.get(key)
        if entry is None:
            return
        before = entry.rejection
        if rejection is not None and before is not None and before.generation == rejection.generation:
            rejection = replace(rejection, attempts=before.attempts + 1)
        entry.rejection = rejection

    def note_pod_trouble(self, key: Key, trouble: PodTrouble) -> None:
        """Record why a pod has not started."""
        if (entry := self._entries.get(key)) is not None:
            entry.pod_trouble = trouble

    def known_keys(self) -> list[Key]:
        """Return the keys of all monitors."""
        return list(self._entries)

    def oldest_promise_first(self) -> list[tuple[Key, datetime]]:
        """Return the keys of all monitors with their nextCheckTime, earliest first."""
        promises = [(key, entry.content.promised) for key, entry in self._entries.items()]
        return sorted(promises, key=lambda promise: promise[1])

    def unanswered(self) -> list[Key]:
        """Return the keys of monitors whose observedGeneration is outdated: a user may be waiting."""
        return [key for key, entry in self._entries.items() if not entry.content.is_answered]

    def known_monitors(self) -> dict[str, Key]:
        """Return the keys of all monitors by their UIDs."""
        return {entry.uid: key for key, entry in self._entries.items()}

    def facts(self) -> list[tuple[Key, Facts]]:
        """Return the data for the per-monitor metrics."""
        return [(key, entry.content.facts) for key, entry in self._entries.items()]

    def jobs(self) -> list[Job]:
        """Return all Jobs."""
        return [job for owner in self._jobs for job in self.jobs_of(owner)]

    def jobs_of(self, owner: Owner) -> list[Job]:
        """Return the Jobs of one monitor."""
        return [job for job, _ in self._jobs.get(owner, {}).values()]

    def _count(self, job: Job | None, change: int) -> None:
        if job is None or job.finished or job.queued:
            return
        counts = self._active[job.purpose]
        counts[job.owner] += change
        if not counts[job.owner]:
            del counts[job.owner]
        if job.owner in self._owners:
            self._active_in[job.purpose].add(job.namespace, change)

    def _own(self, owner: Owner, entry: _Entry) -> None:
        self._owners[owner] = entry
        self._count_owned(owner, 1)

    def _disown(self, owner: Owner) -> None:
        del self._owners[owner]
        self._count_owned(owner, -1)

    def _count_owned(self, owner: Owner, change: int) -> None:
        """Count the active Jobs of a monitor that comes or goes."""
        for purpose, counts in self._active.items():
            if owner in counts:
                self._active_in[purpose].add(owner.namespace, change * counts[owner])


def _content_of(body: Mapping[str, Any]) -> _Content:
    document, problem = _packed(body)
    status = body.get("status")
    told = status if isinstance(status, Mapping) else {}
    is_answered = told.get("observedGeneration") == body["metadata"]["generation"]
    return _Content(document, problem, is_answered, facts_of(body), _promised(told))


def _promised(status: Mapping[str, Any]) -> datetime:
    """Return the status's nextCheckTime; `_NEVER` if unreadable: one monitor must not block the others."""
    try:
        promised = datetime.fromisoformat(status["nextCheckTime"])
    except (KeyError, TypeError, ValueError):
        return _NEVER
    return promised if promised.tzinfo is not None else _NEVER


def _packed(body: Mapping[str, Any]) -> tuple[bytes, str]:
    """Keep only what `monitor_from` reads. managedFields alone are as long as all the rest.

    Returns:
        The document, and why it has no spec, nor perhaps a status; empty if it has both.
    """
    metadata = body["metadata"]
    kept = {name: metadata[name] for name in _READ_METADATA if name in metadata}
    annotations = metadata.get("annotations") or {}
    kept["annotations"] = {
        name: annotations[name][:_LONGEST_ANNOTATION] for name in _READ_ANNOTATIONS if name in annotations
    }
    if ANNOTATION_DECISION in annotations:
        kept[DECISION_BY] = decision_by(metadata)
    spec, status = body.get("spec") or {}, body.get("status") or {}
    document, problem = _written({"metadata": kept, "spec": spec, "status": status})
    if len(document) > LARGEST_SPEC_BYTES:
        problem = _size_problem(spec)
    if problem:
        # With its status: without it, each plan would write it again, as fast as the API server answers.
        document, _ = _written({"metadata": kept, "problem": problem, "status": status})
    return document or _json({"metadata": kept, "problem": problem}), problem


def _written(document: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the document as JSON, or nothing and why it cannot be written."""
    try:
        return _json(document), ""
    except RecursionError:
        return b"", "it nests deeper than a program can read"
    except ValueError as error:  # a surrogate is no character
        return b"", f"it holds a text that is none ({type(error).__name__})"


def _size_problem(spec: Any) -> str:
    size = len(_json(spec))
    return size_problem(size) if size > LARGEST_SPEC_BYTES else ""


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
