"""Keeps the end-to-end test away from clusters that people depend on."""

import re
from dataclasses import dataclass
from typing import Final

PERMISSION: Final = "SELFHEAL_E2E_CONTEXT"
"""The environment variable that names the context for which every objection is waived."""

_PRODUCTION: Final = re.compile(r"(?i)(?<![a-z])(prod|production|prd|live)(?![a-z])")


@dataclass(frozen=True)
class Target:
    """The cluster that a test would change."""

    context: str
    server: str
    foreign_monitors: tuple[str, ...]
    """ModelMonitors that are there already, as namespace/name."""


def objection(target: Target, permitted: str | None) -> str:
    """Return why the cluster must not be touched; empty if it may be."""
    if target.context == permitted:
        return ""
    waived_by = f"If this is the right cluster, set {PERMISSION}={target.context}."
    for name in (target.context, target.server):
        if _PRODUCTION.search(name):
            return f"{name} looks like production; the test installs an operator and a CRD. {waived_by}"
    if target.foreign_monitors:
        named = ", ".join(target.foreign_monitors[:3])
        return (
            f"The cluster has ModelMonitors in use ({named}); the test replaces their operator. {waived_by}"
        )
    return ""
