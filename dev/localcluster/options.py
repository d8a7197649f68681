"""Options of a control plane, beyond what it needs to run on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

QUICK_CLIENT: Final = ("--kube-api-qps=500", "--kube-api-burst=1000")
"""With client and server on one machine, the default limit of 20 requests a second only costs time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlaneOptions:
    """The defaults are for tests and the demo."""

    scheduler: bool = True
    """Whether there is a scheduler; without one, pods stay Pending and cost nothing more."""
    controller_manager: tuple[str, ...] = ("--concurrent-job-syncs=20", *QUICK_CLIENT)
    """Flags of kube-controller-manager; none are its own defaults."""
    audit_policy: Mapping[str, Any] | None = None
    """An audit.k8s.io/v1 Policy: what the API server writes to `StateDir.audit_log`, one JSON line an event.
    Without one it keeps no record."""
