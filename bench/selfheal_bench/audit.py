"""Reads the API server's audit log, whose timestamps have microseconds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

JOBS_CREATED: Final = {
    "level": "Metadata",
    "verbs": ["create"],
    "resources": [{"group": "batch", "resources": ["jobs"]}],
}
"""An audit policy rule that records the creation of Jobs."""
CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"
NOTHING_ELSE: Final = {"level": "None"}


def policy(*rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return an audit policy that records only completed requests that match a rule."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [*rules, NOTHING_ELSE],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that the API server has answered."""

    user: str
    verb: str
    resource: str
    """Such as `jobs` or `modelmonitors/status`."""
    namespace: str
    name: str
    code: int
    ended: datetime
    """When the response was complete; a created object exists by then."""
    credential: str = ""
    """The credential id of its token, which distinguishes two processes of one user."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Read an audit.k8s.io/v1 Event."""
        target = event.get("objectRef") or {}
        return cls(
            user=event["user"]["username"],
            verb=event["verb"],
            resource="/".join(filter(None, (target.get("resource", ""), target.get("subresource", "")))),
            namespace=target.get("namespace", ""),
            name=target.get("name", ""),
            code=event.get("responseStatus", {}).get("code", 0),
            ended=datetime.fromisoformat(event["stageTimestamp"]),
            credential="".join(event["user"].get("extra", {}).get(CREDENTIAL, ())),
        )


class AuditLog:
    """Reads an audit log incrementally."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_calls(self) -> Iterator[Call]:
        """Yield the calls recorded since the last read; a half-written line is left for the next."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield Call.from_event(json.loads(line))
