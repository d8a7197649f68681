"""The API server's own record of who did what and when, to the microsecond."""

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
"""A rule of a policy: who created which Job."""
CREDENTIAL: Final = "authentication.kubernetes.io/credential-id"
NOTHING_ELSE: Final = {"level": "None"}


def policy(*rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy that records requests when they are over, and nothing that no rule names."""
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
    """When the answer was complete: what was created is there."""
    credential: str = ""
    """Which token it came with: two processes of one user differ in it."""

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
    """Reads an audit log from where it was last read to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_calls(self) -> Iterator[Call]:
        """Yield what was recorded since the last time; a half-written line waits for the next."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield Call.from_event(json.loads(line))
