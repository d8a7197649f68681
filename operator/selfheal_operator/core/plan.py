"""What the operator does next, as data: one of a few kinds of steps."""

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
    """Something that users want to be told, once it is stored."""

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
    """How long after its slot it is started on purpose."""
    unseen: tuple[str, ...] = ()
    """Jobs that must have ended before this one starts, and that are known by name only: the status speaks of
    them, the watch of Jobs has not yet. They are looked up first."""

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
    """Store the operator's part of the status, then tell of what has changed."""

    status: dict[str, Any]
    """The whole part, as a document: server-side apply removes what is no longer sent."""
    events: tuple[Event, ...] = ()
    """Told after the status is stored, and only then."""
    missed: Mapping[MissedReason, int] = field(default_factory=dict)
    """Slots that the status newly counts as missed. Told like the events."""


@dataclass(frozen=True, slots=True)
class RecoverReport:
    """Look into the pods' termination messages for the report of a finished Job: the status lacks it."""

    job: Job


@dataclass(frozen=True, slots=True)
class InspectPods:
    """Ask the pods of an active Job why they do not start."""

    job: Job


@dataclass(frozen=True, slots=True)
class ReplaceJob:
    """Stop an active check: it makes room for the slot that is due now."""

    job: Job
    event: Event


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete a Job that is no longer kept."""

    job: Job


Step = CreateJob | WriteStatus | RecoverReport | InspectPods | ReplaceJob | DeleteJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One step, and when to look again.

    One step at a time, so the status never says more than the API server has confirmed: a Job is created
    first, and the status that knows it is written in the next step, from the Job as it was seen.
    """

    step: Step | None = None
    """None: nothing is left to do now."""
    wake_at: datetime | None = None
    """When to look again if nothing happens before."""
    waiting: Mapping[Purpose, datetime] = field(default_factory=dict)
    """The slots of Jobs that are wanted, and for which there is no room."""
