import pytest

from selfheal_operator.api.reasons import ConditionStatus, ConditionType, Reason
from selfheal_operator.api.v1alpha1.status import Condition
from selfheal_operator.core.conditions import Finding, set_conditions
from selfheal_operator.core.messages import LONGEST_MESSAGE
from support.builders.objects import NOON, SECOND

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
ACTIVE = Finding(TRUE, Reason.MONITOR_ACTIVE, "Checks run on schedule")


def told(finding: Finding, old=(), generation: int = 1, now=NOON) -> Condition:
    """Return the Ready condition that says it."""
    (condition,) = set_conditions(old, {ConditionType.READY: finding}, generation, now)
    return condition


def test_a_condition_says_all_that_kubernetes_wants_said():
    """Kstatus and `kubectl wait` read it."""
    assert told(ACTIVE, generation=7) == Condition(
        type="Ready",
        status=TRUE,
        reason="MonitorActive",
        message="Checks run on schedule",
        observed_generation=7,
        last_transition_time=NOON,
    )


@pytest.mark.parametrize(
    ("case", "finding", "moves"),
    [
        ("nothing changed", ACTIVE, False),
        ("another reason", Finding(TRUE, Reason.SUSPENDED, ACTIVE.message), False),
        ("another message", Finding(TRUE, ACTIVE.reason, "Still"), False),
        ("true to false", Finding(FALSE, ACTIVE.reason, ACTIVE.message), True),
        ("true to unknown", Finding(UNKNOWN, ACTIVE.reason, ACTIVE.message), True),
    ],
)
def test_the_clock_of_a_condition_moves_only_with_its_status(case, finding, moves):
    """Whoever waits for five minutes of Ready must not wait for ever."""
    later = told(finding, [told(ACTIVE)], generation=2, now=NOON + SECOND)

    assert (later.last_transition_time == NOON + SECOND) is moves, case
    assert later.observed_generation == 2


def test_an_endless_message_is_cut():
    """The API server's words about a large manifest may be longer than a condition takes."""
    condition = told(Finding(FALSE, Reason.JOB_REJECTED, "x" * 40_000))

    assert len(condition.message.encode()) == LONGEST_MESSAGE
    assert condition.message.endswith("…")
    assert told(Finding(FALSE, Reason.JOB_REJECTED, "x" * LONGEST_MESSAGE)).message == "x" * LONGEST_MESSAGE
