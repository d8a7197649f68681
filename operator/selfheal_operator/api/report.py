"""What a container hands back: its part of the monitor's status.

A report travels twice. The container applies it to the status, and writes it as JSON to its termination
message, from which the operator recovers it when it never reached the API server.
"""

import json
from typing import Any, Self

from pydantic import ValidationError

from selfheal_operator.api.names import TERMINATION_MESSAGE_LIMIT
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1 import ApiModel, LastCheck, LastRetraining, ModelVersion


class Report(ApiModel):
    """A part of the status, as one container writes it."""

    def to_termination_message(self, limit: int = TERMINATION_MESSAGE_LIMIT) -> str:
        """Return the report as JSON of at most `limit` bytes: lists go first, then the ends of sentences."""
        document = self.to_wire()
        for shorten in (_drop_lists, _cut_messages):
            text = json.dumps(document, separators=(",", ":"))
            if len(text.encode()) <= limit:
                return text
            shorten(document)
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_termination_message(cls, text: str) -> Self | None:
        """Read a report back; None for anything else that a container may have left there."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None


class CheckReport(Report):
    """What a check container writes."""

    task: Task | None = None
    """The task that the check followed; None where it ended before it could tell."""
    last_check: LastCheck


class RetrainReport(Report):
    """What a retraining container writes."""

    last_retraining: LastRetraining
    model: ModelVersion | None = None
    """Present only if a version was registered."""


def _drop_lists(document: dict[str, Any]) -> None:
    for part in document.values():
        if isinstance(part, dict):
            for name in [name for name, value in part.items() if isinstance(value, list)]:
                del part[name]


def _cut_messages(document: dict[str, Any]) -> None:
    for part in document.values():
        if isinstance(part, dict) and "message" in part:
            part["message"] = part["message"][:512] + "…"
