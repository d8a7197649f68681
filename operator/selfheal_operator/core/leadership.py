"""Who leads: decided from a Lease as it was seen, and from how long ago that was.

Times are seconds of a clock that only goes forward, and goes on while the process is stopped. The wall clock
is written into the Lease for people, and never read: another machine's may be wrong by hours.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selfheal_operator.api.names import OPERATOR_MANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long a leader is believed to live, in seconds.

    `renew_deadline` is shorter than `lease`: a leader stops before another may begin. The difference is what
    is left for clocks that run at different speeds, and for a write that is on its way.
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
    """A Lease, as the API server showed it."""

    resource_version: str
    holder: str
    """Who leads; empty: nobody."""
    duration: float
    """How long the holder may be silent, by its own word."""
    transitions: int
    acquire_time: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A state of the Lease, and when we first saw it."""

    lease: Lease
    since: float

    def seconds_left(self, identity: str, now: float) -> float:
        """Return for how long the Lease is somebody else's; 0: we may have it."""
        if self.lease.holder in {"", identity}:
            return 0
        return max(0.0, self.since + self.lease.duration - now)


def sighting(before: Sighting | None, lease: Lease | None, now: float) -> Sighting | None:
    """Return what is known of the Lease, now that it was looked at.

    Every renewal changes the resourceVersion. The holder renewed no later than we see it, so counting from
    there is never too early. A Lease that somebody deleted says nothing about its holder: what was seen last
    still has to run out.
    """
    if lease is None:
        return before
    if before is not None and before.lease.resource_version == lease.resource_version:
        return before
    return Sighting(lease, now)


def lease_from(body: Mapping[str, Any], default: Durations) -> Lease:
    """Read a Lease document; anybody may have written it, so every field may be absent."""
    spec = body.get("spec") or {}
    return Lease(
        resource_version=body["metadata"]["resourceVersion"],
        holder=spec.get("holderIdentity") or "",
        duration=spec.get("leaseDurationSeconds") or default.lease,
        transitions=spec.get("leaseTransitions") or 0,
        acquire_time=spec.get("acquireTime"),
    )


def claim(before: Lease | None, identity: str, durations: Durations, now: datetime) -> dict[str, Any]:
    """Return the spec of a Lease that `identity` takes or renews."""
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
    """Return the spec of a Lease that its holder gives back."""
    # A second, not none: the API server takes no shorter one.
    return {
        "holderIdentity": "",
        "leaseDurationSeconds": 1,
        "renewTime": _micro_time(now),
        "leaseTransitions": held.transitions,
    }


def lease_name(namespaces: Sequence[str]) -> str:
    """Return the name of the Lease of those who serve these namespaces; none: all.

    Operators of different sets lead side by side, also where they run in one namespace.
    """
    if not namespaces:
        return OPERATOR_MANAGER
    digest = hashlib.sha256(",".join(sorted(set(namespaces))).encode()).hexdigest()
    return f"{OPERATOR_MANAGER}-{digest[:10]}"


def _micro_time(now: datetime) -> str:
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
