"""Conditions: their contents, and when lastTransitionTime changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from selfheal_operator.api.reasons import ConditionStatus, ConditionType, Reason
from selfheal_operator.api.v1alpha1.status import Condition
from selfheal_operator.core.messages import shortened


@dataclass(frozen=True, slots=True)
class Finding:
    """The content of a condition."""

    status: ConditionStatus
    reason: Reason | str
    message: str


def set_conditions(
    old: Iterable[Condition], findings: dict[ConditionType, Finding], generation: int, now: datetime
) -> list[Condition]:
    """Return the conditions for `findings`; lastTransitionTime changes only when the status does."""
    before = {condition.type: condition for condition in old}
    return [
        _condition(before.get(kind), kind, finding, generation, now) for kind, finding in findings.items()
    ]


def _condition(
    old: Condition | None, kind: ConditionType, finding: Finding, generation: int, now: datetime
) -> Condition:
    since = old.last_transition_time if old is not None and old.status == finding.status else now
    return Condition(
        type=kind,
        status=finding.status,
        reason=str(finding.reason),
        message=shortened(finding.message),
        observed_generation=generation,
        last_transition_time=since,
    )
