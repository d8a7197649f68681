"""The API server's record: its audit log, and objects read from it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from msgspec import ValidationError

from chaos.faults import OPERATORS
from chaos.forgeries import Forged
from chaos.move import MOVES, Move, moves_in
from selfheal_operator.api.names import ANNOTATION_REQUEST, ANNOTATION_SLOT, LABEL_PURPOSE
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.core.validation import LARGEST_SPEC_BYTES
from selfheal_operator.kube.json_document import parse

Document = dict[str, Any]

AUDIT_LOG: Final = "audit.log"
SIGHTINGS: Final = "sightings.jsonl"
"""The file of objects read from the API server, in the folder of a run."""
FORGERIES: Final = "forgeries.jsonl"
"""The file of what was forged, in the same folder."""
_LINES: Final = frozenset(OPERATORS)
_EVENT: Final = '{"kind":"Event"'


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeJob:
    """A Job that was created."""

    uid: str
    name: str
    owner_uid: str
    purpose: Purpose
    slot: datetime
    request: str | None = None
    """The token of the request that it serves. Such a Job has no slot of the schedule."""
    version: int
    """The revision of the cluster's data at which it was created."""
    by: str = ""
    """The proxy of the operator that created it; empty if the create is not in the log."""
    created: datetime
    """By the API server's clock."""
    finished_version: int | None = None
    """The revision at which it was first seen as finished; None if it never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A monitor as it was stored at one revision."""

    version: int
    by: str = ""
    """The proxy of the operator that wrote it; empty for other writers."""
    generation: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    spec: ModelMonitorSpec
    status: ModelMonitorStatus

    @property
    def observed(self) -> bool:
        """Whether the status is about this generation of the spec."""
        return self.status.observed_generation == self.generation


@dataclass(slots=True, kw_only=True)
class MonitorLife:
    """The history of one monitor, by UID; a later one of the same name is separate."""

    uid: str
    name: str
    created: datetime
    """By the API server's clock."""
    versions: list[Version] = field(default_factory=list)
    """In order; some may be missing if the API server was killed."""
    deleted: datetime | None = None
    """By the API server's clock; None if it exists until the end."""
    jobs: list[MadeJob] = field(default_factory=list)
    """In the order in which they were created."""
    forged: list[Forged] = field(default_factory=list)
    """What was forged of its status, in order."""

    @property
    def last(self) -> Version:
        """The last stored version."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class Record:
    """The complete record."""

    monitors: Mapping[str, MonitorLife]
    """By UID."""
    ownerless: tuple[MadeJob, ...] = ()
    """Jobs whose owner was never seen."""
    moves: tuple[Move, ...] = ()
    """Of all aliases, in order: by promotions, and by people."""


def read_record(log: Path, sightings: Path) -> Record:
    """Build the record.

    Args:
        log: The audit log.
        sightings: Jobs and monitors read from the API server, one JSON line each: for writes missing from the
            log, and for the final state. The files of forgeries and of moved aliases lie beside it.
    """
    reader = _Reader(forgeries_in(sightings.with_name(FORGERIES)))
    with log.open(encoding="utf-8", errors="replace") as lines:
        for event in _events(lines):
            reader.take(event)
    with sightings.open(encoding="utf-8") as lines:
        for line in lines:
            reader.see(json.loads(line))
    return replace(reader.record(), moves=tuple(moves_in(sightings.with_name(MOVES))))


def forgeries_in(file: Path) -> list[Forged]:
    """Read what was forged; nothing where there is no such file."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [Forged.from_line(json.loads(line)) for line in lines]


def record_of(bodies: Iterable[Document], forged: Iterable[Forged] = ()) -> Record:
    """Build a record from Jobs, monitors and forgeries alone, without an audit log."""
    reader = _Reader(forged)
    for body in bodies:
        reader.see(body)
    return reader.record()


def _events(lines: Iterable[str]) -> Iterator[Document]:
    """Yield the events; a line truncated by a kill may end with the next event."""
    for line in lines:
        try:
            yield parse(line.encode())
        except ValueError:
            if (begin := line.rfind(_EVENT)) > 0:
                yield from _events([line[begin:]])


class _Reader:
    """Builds a record from documents, one by one."""

    def __init__(self, forged: Iterable[Forged]) -> None:
        self._forged: dict[str, list[Forged]] = defaultdict(list)
        for each in forged:
            self._forged[each.uid].append(each)
        self._monitors: dict[str, MonitorLife] = {}
        self._jobs: dict[str, MadeJob] = {}
        self._finished: dict[str, int] = {}

    def take(self, event: Document) -> None:
        """Add an audit event."""
        if "dryRun" in event.get("requestURI", ""):
            return  # nothing was stored
        answer = event.get("responseObject")
        if event.get("responseStatus", {}).get("code", 500) >= 300 or answer is None:
            return
        agent = event.get("userAgent", "")
        by = agent if agent in _LINES else ""
        if event["objectRef"]["resource"] == "jobs":
            self._see_job(answer, by)
        elif event["verb"] == "delete":
            self._see_deleted(answer, datetime.fromisoformat(event["stageTimestamp"]))
        else:
            self._see_monitor(answer, by)

    def see(self, body: Document) -> None:
        """Add an object read from the API server."""
        if body["kind"] == "Job":
            self._see_job(body, "")
        else:
            self._see_monitor(body, "")

    def record(self) -> Record:
        """Return the record."""
        ownerless = []
        for uid, job in sorted(self._jobs.items(), key=lambda item: (item[1].version, item[1].name)):
            job_ = replace(job, finished_version=self._finished.get(uid))
            if (life := self._monitors.get(job.owner_uid)) is not None:
                life.jobs.append(job_)
            else:
                ownerless.append(job_)
        for life in self._monitors.values():
            by_version = {version.version: version for version in reversed(life.versions)}
            life.versions = [by_version[number] for number in sorted(by_version)]
        return Record(self._monitors, tuple(ownerless))

    def _see_job(self, body: Document, by: str) -> None:
        """Add a Job; it counts as created once, whichever request returned it."""
        metadata = body["metadata"]
        uid, version = metadata["uid"], int(metadata["resourceVersion"])
        if _has_finished(body):
            self._finished[uid] = min(version, self._finished.get(uid, version))
        owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), None)
        purpose = (metadata.get("labels") or {}).get(LABEL_PURPOSE)
        if owner is None or purpose is None:
            return
        # A status write may be logged before the create that it follows.
        known = self._jobs.get(uid)
        notes = metadata["annotations"]
        self._jobs[uid] = MadeJob(
            uid=uid,
            name=metadata["name"],
            owner_uid=owner["uid"],
            purpose=Purpose(purpose),
            slot=datetime.fromisoformat(notes[ANNOTATION_SLOT]),
            request=notes.get(ANNOTATION_REQUEST),
            version=min(version, known.version) if known else version,
            by=by or (known.by if known else ""),
            created=datetime.fromisoformat(metadata["creationTimestamp"]),
        )

    def _see_monitor(self, body: Document, by: str) -> None:
        """Add a stored version of a monitor, unless it is poison: nobody owes it anything."""
        metadata = body["metadata"]
        try:
            spec = ModelMonitorSpec.from_wire(body["spec"])
        except ValidationError:
            return
        if len(json.dumps(body["spec"])) > LARGEST_SPEC_BYTES:
            return
        life = self._monitors.setdefault(
            metadata["uid"],
            MonitorLife(
                uid=metadata["uid"],
                name=f"{metadata['namespace']}/{metadata['name']}",
                created=datetime.fromisoformat(metadata["creationTimestamp"]),
                forged=self._forged[metadata["uid"]],
            ),
        )
        life.versions.append(
            Version(
                version=int(metadata["resourceVersion"]),
                by=by,
                generation=metadata["generation"],
                annotations=metadata.get("annotations") or {},
                spec=spec,
                status=ModelMonitorStatus.from_wire(body.get("status") or {}),
            )
        )

    def _see_deleted(self, answer: Document, time: datetime) -> None:
        uid = (answer.get("details") or answer["metadata"])["uid"]
        if uid in self._monitors:
            self._monitors[uid].deleted = time


def _has_finished(body: Document) -> bool:
    conditions = (body.get("status") or {}).get("conditions") or ()
    return any(c["type"] in {"Complete", "Failed"} and c["status"] == "True" for c in conditions)
