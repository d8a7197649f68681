"""Leader election: decides from the observed Lease and the time since it was observed.

Times are seconds of a monotonic clock that advances while the process is stopped. The wall clock is written
into the Lease for people, and never read: another machine's may be wrong by hours.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selfheal_operator.api.names import OPERATOR_MANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """The timing of leader election, in seconds.

    `renew_deadline` is shorter than `lease`: a leader stops before another may start. The difference is the
    margin for clocks that run at different speeds, and for a write in flight.
    """

    lease: int
    renew_deadline: int
    retry: int

    def __post_init__(self) -> None:
        if not 0 < self.retry < self.renew_deadline < self.lease:
            raise ValueError(
                f"a leader renews every {self.retry} s, writes for {self.renew_deadline} s after a renewal, "
                f"and is replaced after {self.lease} s: each has to be longer than the one before"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A Lease, as read from the API server."""

    resource_version: str
    holder: str
    """The holder's identity; empty if there is none."""
    duration: float
    """leaseDurationSeconds, as the holder wrote it."""
    transitions: int
    acquire_time: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A version of the Lease, and when it was first observed."""

    lease: Lease
    since: float

    def seconds_left(self, identity: str, now: float) -> float:
        """Return for how long another replica may hold the Lease; 0 if this one may acquire it."""
        if self.lease.holder in {"", identity}:
            return 0
        return max(0.0, self.since + self.lease.duration - now)


def sighting(before: Sighting | None, lease: Lease | None, now: float) -> Sighting | None:
    """Return the sighting after a read of the Lease.

    Every renewal changes the resourceVersion. The holder renewed before we observe it, so an expiry counted
    from the observation is never too early. A deleted Lease does not mean that its holder has stopped: the
    last observed Lease must still expire.
    """
    if lease is None:
        return before
    if before is not None and before.lease.resource_version == lease.resource_version:
        return before
    return Sighting(lease, now)


def lease_from(body: Mapping[str, Any], default: Durations) -> Lease:
    """Read a Lease document. Any field may be absent, because others may write the Lease too."""
    spec = body.get("spec") or {}
    return Lease(
        resource_version=body["metadata"]["resourceVersion"],
        holder=spec.get("holderIdentity") or "",
        duration=spec.get("leaseDurationSeconds") or default.lease,
        transitions=spec.get("leaseTransitions") or 0,
        acquire_time=spec.get("acquireTime"),
    )


def claim(before: Lease | None, identity: str, durations: Durations, now: datetime) -> dict[str, Any]:
    """Return the spec with which `identity` acquires or renews the Lease."""
    if before is not None and before.holder == identity:
        acquired, transitions = before.acquire_time, before.transitions
    else:
        acquired, transitions = None, before.transitions + 1 if before is not None else 0
    time = _micro_time(now)
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": durations.lease,
        "acquireTime": acquired or time,
        "renewTime": time,
        "leaseTransitions": transitions,
    }


def release(held: Lease, now: datetime) -> dict[str, Any]:
    """Return the spec with which the holder releases the Lease."""
    # One second, not zero: the API server accepts no shorter leaseDurationSeconds.
    return {
        "holderIdentity": "",
        "leaseDurationSeconds": 1,
        "renewTime": _micro_time(now),
        "leaseTransitions": held.transitions,
    }


def lease_name(namespaces: Sequence[str]) -> str:
    """Return the name of the Lease for operators that serve these namespaces; empty for all.

    Operators with different sets of namespaces lead independently, even if they run in the same namespace.
    """
    if not namespaces:
        return OPERATOR_MANAGER
    digest = hashlib.sha256(",".join(sorted(set(namespaces))).encode()).hexdigest()
    return f"{OPERATOR_MANAGER}-{digest[:10]}"


def _micro_time(now: datetime) -> str:
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
