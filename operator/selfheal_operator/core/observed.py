"""The inputs of a decision."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from msgspec import ValidationError

from selfheal_operator.api.model import first_violation, wire_name
from selfheal_operator.api.names import (
    ANNOTATION_CHECK_REQUEST,
    ANNOTATION_DECISION,
    ANNOTATION_GENERATION,
    ANNOTATION_REPLACED,
    ANNOTATION_REQUEST,
    ANNOTATION_RETRAIN_REQUEST,
    ANNOTATION_SLOT,
    ANNOTATION_TRIGGERS,
    JOBS_IMAGE,
    LABEL_MONITOR,
    LABEL_MONITOR_UID,
    LABEL_PURPOSE,
    MAX_REQUEST_TOKEN,
)
from selfheal_operator.api.reasons import Purpose, Reason
from selfheal_operator.api.report import MOST_AHEAD
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from selfheal_operator.core.errors import InvalidSpecError


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A ModelMonitor, as last read from the API server."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    created: datetime
    deleting: bool = False
    check_request: str = ""
    """The token of the annotation that requests a check; empty if there is none."""
    retrain_request: str = ""
    """Likewise for a retraining."""
    decision: str = ""
    """The annotation of a person's decision on a promotion; empty if there is none."""
    decision_by: str = ""
    """By which program and when the annotation was set, as far as the API server tells."""
    spec: Mapping[str, Any]
    """The spec as written; it may be invalid."""
    problem: str = ""
    """Why the spec is not there: it cannot be read as a whole."""
    status: ModelMonitorStatus = field(default_factory=ModelMonitorStatus)
    """The status as far as it can be read and, in decisions, as far as it is believed."""
    disbelieved: frozenset[str] = frozenset()
    """The fields of the status that are other than stored, by their wire names (`core.credibility`)."""

    def read_spec(self) -> ModelMonitorSpec:
        """Return the spec, checked against its schema.

        Raises:
            InvalidSpecError: A field is invalid; names the first one. The API server rejects such specs
                unless the CRD in the cluster is newer or older than this operator.
        """
        if self.problem:
            raise InvalidSpecError("spec", self.problem)
        try:
            return ModelMonitorSpec.from_wire(self.spec)
        except ValidationError as error:
            path, problem = first_violation(error)
            raise InvalidSpecError(".".join(("spec", *path)), problem) from error


class Owner(NamedTuple):
    """The monitor that a Job belongs to.

    An owner is always in the namespace of its Job. The API server does not check ownerReferences: by the UID
    alone, a Job of another namespace could name any monitor as its owner.
    """

    namespace: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One of our Jobs, as last read from the API server."""

    namespace: str
    name: str
    uid: str
    owner_uid: str
    purpose: Purpose
    slot: datetime
    generation: int
    """The generation of the monitor's spec that it was created from."""
    request: str = ""
    """The token of the request that it serves; empty if there was none."""
    triggers: tuple[str, ...] = ()
    """For a retraining: what the check breached that led to it; empty if it was requested."""
    created: datetime
    finished: bool = False
    failure: str = ""
    """The Job controller's message on why it failed; empty if it has not failed."""
    deleting: bool = False
    replaced: bool = False
    """Whether it was stopped to replace it by the next check. It is kept: its name is its slot's lock."""
    queued: bool = False
    """Whether it is suspended: a queue such as Kueue's holds it, and it has no pods."""
    started: datetime | None = None
    """Its startTime, which excludes the time in a queue; None before."""
    has_ready_pod: bool = False

    @property
    def owner(self) -> Owner:
        """The monitor that it belongs to."""
        return Owner(self.namespace, self.owner_uid)

    @property
    def runs(self) -> bool:
        """Whether other Jobs must wait for its end."""
        return not self.finished and not self.replaced

    @property
    def awaits_pod(self) -> bool:
        """Whether its pods may run but none is ready."""
        return self.runs and not self.queued and not self.has_ready_pod

    @property
    def is_scheduled_check(self) -> bool:
        """Whether it is the check of a slot of the schedule, not a requested one."""
        return self.purpose is Purpose.CHECK and not self.request


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The API server's refusal of a Job, kept until the Job's name or the spec changes."""

    job_name: str
    generation: int
    reason: Reason
    message: str
    time: datetime
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTrouble:
    """Why the pod of an active Job has not started, in the kubelet's or the scheduler's words."""

    job_uid: str
    message: str
    """Empty if the pod's status names no reason."""
    time: datetime
    """When the pod was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefaults:
    """The platform team's defaults for every Job; a monitor may override them."""

    image: str = JOBS_IMAGE
    image_pull_policy: str = "IfNotPresent"
    tracking_uri: str | None = None
    check_deadline_seconds: int = 3600
    retrain_deadline_seconds: int = 21600
    ttl_seconds: int = 86400
    storage: str = "10Gi"
    """The limit of /tmp, and of all local storage of a container."""
    allowed_uris: tuple[str, ...] = ()
    """Patterns of the addresses that a spec may name; empty for any address."""
    data_paths: tuple[str, ...] = ()
    """Folders that files may be read from, beside the mounts of a spec."""
    max_download_bytes: int = 8 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One monitor, with everything a decision about it depends on."""

    monitor: Monitor
    jobs: tuple[Job, ...] = ()
    """Jobs owned by this monitor's UID, never those of an earlier monitor of the same name."""
    removed_slot: datetime | None = None
    """The newest slot whose Job was seen and is gone; the status may not contain it yet."""
    unanswered: tuple[str, ...] = ()
    """Names of Jobs whose create request got no response: they may exist."""
    rejection: Rejection | None = None
    pod_trouble: PodTrouble | None = None
    held: frozenset[Purpose] = frozenset()
    """Purposes for which no Job may start now, because the platform team's limit is reached."""
    defaults: JobDefaults = field(default_factory=JobDefaults)


def monitor_from(body: Mapping[str, Any]) -> Monitor:
    """Read a ModelMonitor document."""
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    status, unreadable = _status_from(body.get("status") or {})
    return Monitor(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata["generation"],
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        deleting="deletionTimestamp" in metadata,
        check_request=_token(annotations, ANNOTATION_CHECK_REQUEST),
        retrain_request=_token(annotations, ANNOTATION_RETRAIN_REQUEST),
        decision=_token(annotations, ANNOTATION_DECISION),
        decision_by=metadata.get(DECISION_BY) or decision_by(metadata),
        spec=body.get("spec") or {},
        problem=body.get("problem", ""),
        status=status,
        disbelieved=unreadable,
    )


DECISION_BY: Final = "decisionBy"
"""The metadata under which the store keeps `decision_by`, in place of managedFields."""
_LONGEST_MANAGER: Final = 128


def decision_by(metadata: Mapping[str, Any]) -> str:
    """Return which field manager has set the annotation of the decision, and when.

    A manager is the name of a program, which it may choose: who the user was only the audit log tells.
    """
    for entry in metadata.get("managedFields") or ():
        try:
            annotations = entry["fieldsV1"]["f:metadata"]["f:annotations"]
            if f"f:{ANNOTATION_DECISION}" in annotations:
                return f"{str(entry['manager'])[:_LONGEST_MANAGER]} at {entry['time']}"
        except (KeyError, TypeError):
            continue
    return ""


def _token(annotations: Mapping[str, str], name: str) -> str:
    return annotations.get(name, "").strip()[:MAX_REQUEST_TOKEN]


_ALL_OF_IT: Final = frozenset(map(wire_name, ModelMonitorStatus.__struct_fields__))


def _status_from(document: Any) -> tuple[ModelMonitorStatus, frozenset[str]]:
    """Read a status without its unreadable fields, which a newer operator or a custom image may have written.

    Returns:
        The status, and the names of the fields that were left out.
    """
    if not isinstance(document, Mapping):
        return ModelMonitorStatus(), _ALL_OF_IT
    left_out = set[str]()
    while True:
        readable = {name: value for name, value in document.items() if name not in left_out}
        try:
            return ModelMonitorStatus.from_wire(readable), frozenset(left_out)
        except ValidationError as error:
            path, _ = first_violation(error)
            left_out.update(path[:1] or document)


def job_from(body: Mapping[str, Any]) -> Job | None:
    """Read a Job document; None if it carries our labels but is not one of ours."""
    metadata = body["metadata"]
    labels = metadata.get("labels") or {}
    owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), None)
    if owner is None or labels.get(LABEL_PURPOSE) not in set(Purpose):
        return None
    if labels.get(LABEL_MONITOR_UID) != owner["uid"] or labels.get(LABEL_MONITOR) != owner["name"]:
        return None
    purpose, created = Purpose(labels[LABEL_PURPOSE]), datetime.fromisoformat(metadata["creationTimestamp"])
    if not is_job_name(metadata["name"], owner["name"], purpose):
        return None
    annotations = metadata.get("annotations") or {}
    try:
        slot, generation = _run_of(annotations, created)
    except (KeyError, ValueError, OverflowError):
        return None
    status = body.get("status") or {}
    true = {c["type"]: c for c in status.get("conditions") or () if c["status"] == "True"}
    failed, started = true.get("Failed"), status.get("startTime")
    finished = "Complete" in true or failed is not None
    # A Job that was just resumed has no startTime yet, and keeps the condition Suspended until then.
    suspended = bool((body.get("spec") or {}).get("suspend")) or "Suspended" in true
    return Job(
        namespace=sys.intern(metadata["namespace"]),  # one string for all Jobs of a namespace
        name=metadata["name"],
        uid=metadata["uid"],
        owner_uid=owner["uid"],
        purpose=purpose,
        slot=slot,
        generation=generation,
        request=annotations.get(ANNOTATION_REQUEST, ""),
        triggers=tuple(filter(None, annotations.get(ANNOTATION_TRIGGERS, "").split(","))),
        created=created,
        finished=finished,
        failure=(failed.get("message") or failed.get("reason") or "it failed") if failed else "",
        deleting="deletionTimestamp" in metadata,
        replaced=ANNOTATION_REPLACED in annotations,
        queued=suspended and not finished,
        started=datetime.fromisoformat(started) if started else None,
        has_ready_pod=bool(status.get("ready")),
    )


_RUN: Final = {
    Purpose.CHECK: re.compile(r"-check-(\d{1,10}|r[0-9a-f]{8})", re.ASCII),
    Purpose.RETRAIN: re.compile(r"-retrain-\d{1,9}", re.ASCII),
    Purpose.PROMOTE: re.compile(r"-promote-\d{1,9}", re.ASCII),
}
"""What follows the monitor's name in a Job's name (`core.jobs`). The name is the lock; its number counts."""

EARLIEST_SLOT: Final = datetime(1970, 1, 2, tzinfo=UTC)
"""A day after the epoch: no offset of a time zone leads to before it."""


def is_job_name(name: str, monitor: str, purpose: Purpose) -> bool:
    """Return whether a Job of this monitor and purpose may have this name."""
    return name.startswith(monitor) and _RUN[purpose].fullmatch(name, len(monitor)) is not None


def _run_of(annotations: Mapping[str, str], created: datetime) -> tuple[datetime, int]:
    """Return slot and generation; raise if invalid, because any user who may edit Jobs can change them.

    A slot of the far future would be the last one for ever.
    """
    slot = datetime.fromisoformat(annotations[ANNOTATION_SLOT])
    if slot.tzinfo is None:
        raise ValueError("a slot without a time zone could not be compared with one that has it")
    if not EARLIEST_SLOT <= slot.astimezone(UTC) <= created + MOST_AHEAD:
        raise ValueError("a slot has passed, or nearly so, when its Job is created")
    return slot, int(annotations[ANNOTATION_GENERATION])
