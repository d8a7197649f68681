"""What a container hands back: its part of the monitor's status.

A report travels twice. The container applies it to the status, and writes it as JSON to its termination
message, from which the operator recovers it when it never reached the API server.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, Final, Self

import msgspec

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.names import (
    CHECK_MANAGER,
    PROMOTE_MANAGER,
    RETRAIN_MANAGER,
    TERMINATION_MESSAGE_LIMIT,
)
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.status import LastCheck, LastPromotion, LastRetraining, ModelVersion

MOST_AHEAD: Final = timedelta(hours=1)
"""How far ahead of the clock the scheduledTime of a report may lie, and what else a status says has happened.

The slot of a requested check is later than all others, and another machine may have written it. What lies
further ahead is made up: nothing would ever be newer.
"""


Outcome = LastCheck | LastRetraining | LastPromotion


class Report(ApiModel, frozen=True, kw_only=True):
    """A part of the status, as one container writes it."""

    manager: ClassVar[str]
    """The field manager that owns this part of the status."""
    outcome_name: ClassVar[str]
    """The status's field with the outcome."""

    @property
    def outcome(self) -> Outcome:
        """The outcome of the run."""
        raise NotImplementedError

    def to_termination_message(self, limit: int = TERMINATION_MESSAGE_LIMIT) -> str:
        """Return the report as JSON of at most `limit` bytes; half a document would be none.

        What is in MLflow as well goes first: lists, the ends of sentences, other texts; then the model.
        """
        document = self.to_wire()
        for shorten in (_drop_lists, _cut_sentences, _drop_texts, _keep_the_least, _drop_challenger):
            text = _compact(document)
            if len(text.encode()) <= limit:
                return text
            shorten(document, document[self.outcome_name])
        return _compact(document)

    @classmethod
    def from_termination_message(cls, text: str) -> Self | None:
        """Read a report back; None for anything else that a container may have left there."""
        try:
            return cls.from_json(text)
        except msgspec.DecodeError:
            return None


class CheckReport(Report, frozen=True, kw_only=True):
    """What a check container writes."""

    manager: ClassVar[str] = CHECK_MANAGER
    outcome_name: ClassVar[str] = "lastCheck"

    task: Task | None = None
    """The task that the check followed; None where it ended before it could tell."""
    target: str | None = None
    """The target that the task belongs to; present with the task."""
    last_check: LastCheck
    model: ModelVersion | None = None
    """The present champion, where MLflow tells it."""

    @property
    def outcome(self) -> LastCheck:
        """The outcome of the check."""
        return self.last_check


class RetrainReport(Report, frozen=True, kw_only=True):
    """What a retraining container writes."""

    manager: ClassVar[str] = RETRAIN_MANAGER
    outcome_name: ClassVar[str] = "lastRetraining"

    last_retraining: LastRetraining
    model: ModelVersion | None = None
    """The present version: the one that was registered, if spec.promotion.mode is None."""
    challenger: ModelVersion | None = None
    """The version that was registered, to be promoted."""

    @property
    def outcome(self) -> LastRetraining:
        """The outcome of the retraining."""
        return self.last_retraining


class PromoteReport(Report, frozen=True, kw_only=True):
    """What a promotion's container writes."""

    manager: ClassVar[str] = PROMOTE_MANAGER
    outcome_name: ClassVar[str] = "lastPromotion"

    last_promotion: LastPromotion
    model: ModelVersion | None = None
    """The present version, if the alias is on the version that was to be promoted."""

    @property
    def outcome(self) -> LastPromotion:
        """The outcome of the promotion."""
        return self.last_promotion


AnyReport = CheckReport | RetrainReport | PromoteReport

_SENTENCE: Final = 512
_LEAST: Final = 64
"""Characters. The longest name of a Job and a text of this length fit even if each takes six bytes."""

_NEEDED: Final = frozenset(
    {"scheduledTime", "jobName", "startTime", "completionTime", "result", "reason", "message", "driftShare"}
    | {"version", "aliasVersion"}
)
_NEEDED_OF_A_VERSION: Final = frozenset({"name", "version", "registeredTime"})


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _drop_lists(_: dict[str, Any], outcome: dict[str, Any]) -> None:
    _drop(outcome, lambda _, value: isinstance(value, list))


def _cut_sentences(_: dict[str, Any], outcome: dict[str, Any]) -> None:
    _cut(outcome, "message", _SENTENCE)


def _drop_texts(_: dict[str, Any], outcome: dict[str, Any]) -> None:
    _drop(outcome, lambda name, value: isinstance(value, str) and name not in _NEEDED)


def _keep_the_least(document: dict[str, Any], outcome: dict[str, Any]) -> None:
    document.pop("model", None)
    if challenger := document.get("challenger"):  # without it, the version would never be promoted
        _drop(challenger, lambda name, _: name not in _NEEDED_OF_A_VERSION)
    _cut(outcome, "message", _LEAST)


def _drop_challenger(document: dict[str, Any], _: dict[str, Any]) -> None:
    """Only where names are as long as they may be, of characters that take six bytes."""
    document.pop("challenger", None)


def _drop(part: dict[str, Any], unwanted: Callable[[str, Any], bool]) -> None:
    for name in [name for name, value in part.items() if unwanted(name, value)]:
        del part[name]


def _cut(part: dict[str, Any], name: str, length: int) -> None:
    if len(part[name]) > length:
        part[name] = part[name][:length] + "…"
