"""The operator's next step, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from selfheal_operator.api.names import RUNNER_ACCOUNT
from selfheal_operator.api.reasons import Purpose, Reason
from selfheal_operator.core.observed import Job
from selfheal_operator.core.slots import MissedReason


class EventType(StrEnum):
    """Types of Kubernetes Events."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Event:
    """A notification for users about a stored change."""

    type: EventType
    reason: Reason | str
    message: str


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Create a Job, or adopt the one that has its name."""

    purpose: Purpose
    manifest: dict[str, Any]
    slot: datetime
    delay: timedelta = timedelta()
    """The intended delay after its slot."""
    unseen: tuple[str, ...] = ()
    """Jobs that must have ended before this one starts but are known by name only, because the watch of Jobs
    has not delivered them yet. They are looked up first."""

    @property
    def name(self) -> str:
        """The Job's name, which is its lock."""
        name: str = self.manifest["metadata"]["name"]
        return name

    @property
    def needs_runner_account(self) -> bool:
        """Whether its pods run under the account that the operator keeps."""
        account: str = self.manifest["spec"]["template"]["spec"]["serviceAccountName"]
        return account == RUNNER_ACCOUNT


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """Store the operator's part of the status, then send Events about the changes."""

    status: dict[str, Any]
    """The whole part, as a document: server-side apply removes fields that are no longer sent."""
    events: tuple[Event, ...] = ()
    """Sent only after the status is stored."""
    missed: Mapping[MissedReason, int] = field(default_factory=dict)
    """Slots that the status newly counts as missed. Counted after the status is stored."""


@dataclass(frozen=True, slots=True)
class RecoverReport:
    """Recover a finished Job's report, which the status lacks, from its pods' termination messages."""

    job: Job


@dataclass(frozen=True, slots=True)
class InspectPods:
    """Read why the pods of an active Job do not start."""

    job: Job


@dataclass(frozen=True, slots=True)
class ReplaceJob:
    """Stop an active check, to replace it by the slot that is due now."""

    job: Job
    event: Event


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete a Job that is no longer kept."""

    job: Job


Step = CreateJob | WriteStatus | RecoverReport | InspectPods | ReplaceJob | DeleteJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One step, and when to reconcile again.

    One step at a time, so the status never contains more than the API server has confirmed: the Job is
    created first; the next step writes the status from the observed Job.
    """

    step: Step | None = None
    """None: nothing is left to do now."""
    wake_at: datetime | None = None
    """When to reconcile again if no event comes before."""
    waiting: Mapping[Purpose, datetime] = field(default_factory=dict)
    """The slots of Jobs that wait because a limit is reached."""
