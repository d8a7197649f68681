"""What to do, as data."""

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
class JobOrder:
    """A Job to create."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One step: at most one of `recover`, `inspect`, `replace`, `job`, `status` and `delete` is set.

    So the status never says more than the API server has confirmed: a Job is created first, and the status
    that knows it is written in the next step, from the Job as it was seen.
    """

    job: JobOrder | None = None
    recover: Job | None = None
    """A finished Job whose report is not in the status: look for it in the pod's termination message."""
    inspect: Job | None = None
    """An active Job whose pod does not start: ask the pod why."""
    replace: Job | None = None
    """An active check that is stopped: it makes room for the slot that is due now."""
    delete: Job | None = None
    """A finished Job beyond the history limits."""
    status: dict[str, Any] | None = None
    """The operator's whole part of the status, if it differs from what is stored."""
    events: tuple[Event, ...] = ()
    """Told after the status is stored, and only then."""
    missed: Mapping[MissedReason, int] = field(default_factory=dict)
    """Slots that the status newly counts as missed. Told like the events."""
    wake_at: datetime | None = None
    """When to look again if nothing happens before."""
