"""The audit finds what is wrong with promotions."""

from dataclasses import replace
from typing import Any

import pytest

from chaos.findings import Odd
from selfheal_operator.api.reasons import PromotionDirection, PromotionResult
from selfheal_operator.api.v1alpha1.status import GateResult, PromotionIntent, PromotionStatus
from support.builders.chaos_records import audited, moved, promotion, told
from support.builders.objects import MINUTE, NOON, SECOND, last_promotion, last_retraining

RETRAINED = NOON - MINUTE
GATES = "the gates of churn-retrain-1"


def record(**fields):
    """Return what the operator remembers: it has decided to move the alias from version 7 to version 8."""
    decided: dict[str, Any] = {
        "version": "8",
        "expected_version": "7",
        "approved_by": GATES,
        "decided_time": NOON,
    }
    return PromotionStatus(
        count=1, intent=PromotionIntent(**decided | fields), last_retraining_time=RETRAINED
    )


def decided(version=11, promotion=None, *, mode="Auto", annotations=None, **status):
    """Return the status with the decision."""
    return told(
        version,
        None,
        annotations=annotations,
        when={"schedule": "* * * * *", "promotion": {"mode": mode}},
        last_retraining=last_retraining(RETRAINED, completion_time=RETRAINED, version="8", alias_version="7"),
        promotion=promotion or record(),
        **status,
    )


def ended(version=13, result=PromotionResult.PROMOTED, **fields):
    """Return the status with the report."""
    return decided(version, last_promotion=last_promotion(NOON, result), **fields)


def found(*versions, moves=(), jobs=None):
    """Return the sentences about what is broken, and about what is lost."""
    findings = audited([promotion(1, 12)] if jobs is None else jobs, versions, moves=moves)
    return findings.broken, findings.lost


def test_a_promotion_that_was_decided_and_reported_is_clean():
    """From where the decision expects the alias, to the version that was registered."""
    assert found(decided(), ended(), moves=[moved("7", "8")]) == ([], [])


@pytest.mark.parametrize(
    ("move", "sentence"),
    [
        (moved("7", "9"), "nobody had decided"),
        (moved("7", "8", decided="2026-11-23T12:00:01Z"), "nobody had decided"),
        (moved("6", "8"), "it was decided for 7"),
        (moved(None, "8"), "it was decided for 7"),
    ],
)
def test_a_move_that_was_not_decided_is_found(move, sentence):
    """Another version, the decision of another time, or another place of the alias."""
    broken, _ = found(decided(), ended(), moves=[move])

    assert len(broken) == 1
    assert sentence in broken[0]


def test_a_move_of_a_person_between_a_look_and_a_set_is_odd():
    """MLflow has no conditional write. It is counted."""
    findings = audited(
        [promotion(1, 12)],
        [decided(), ended()],
        moves=[moved("7", "6", uid=""), moved("6", "8", overtook=True)],
    )

    assert findings.clean
    assert [oddity.odd for oddity in findings.oddities] == [Odd.OVERTAKEN]


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        ("no such version was registered", decided(promotion=record(version="9"))),
        ("a person decides with Manual", decided(mode="Manual")),
        (
            "nobody has approved it",
            decided(mode="Manual", promotion=record(approved_by="the annotation of kubectl")),
        ),
        ("nobody asked for it", decided(promotion=record(direction=PromotionDirection.ROLLBACK))),
    ],
)
def test_a_decision_without_a_ground_is_found(case, seen):
    """Neither a retraining nor a person has led to it."""
    broken, _ = found(seen)

    assert [sentence for sentence in broken if "nothing had led to the decision" in sentence], case


@pytest.mark.parametrize(
    ("said", "promotion"),
    [
        ("approve:8;fault-1", record(approved_by="the annotation of kubectl")),
        ("rollback:8", record(direction=PromotionDirection.ROLLBACK)),
    ],
)
def test_an_annotation_is_a_ground(said, promotion):
    """It may be followed by anything."""
    broken, _ = found(decided(annotations={"selfheal.dev/decision": said}, promotion=promotion))

    assert broken == []


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (decided(), "has no end"),
        (ended(result=PromotionResult.FAILED), "is still to be tried again"),
        (ended(annotations={"selfheal.dev/decision": "rollback:7"}), "was not handled"),
        (ended(promotion=record().replaced(last_retraining_time=None)), "nobody decided on version 8"),
    ],
)
def test_what_has_no_end_is_lost(seen, sentence):
    """A promotion, an annotation, or a version that was registered."""
    _, lost = found(seen)

    assert [each for each in lost if sentence in each]


def test_what_was_registered_after_the_end_may_still_wait():
    """Runs go on when the operators have been stopped."""
    late = last_retraining(NOON, completion_time=NOON + SECOND, version="9", alias_version="8")
    last = ended(14)
    last = replace(last, status=last.status.replaced(last_retraining=late))

    assert found(ended(), last) == ([], [])


def test_with_mode_none_a_version_needs_no_decision():
    """It is the champion by being registered."""
    assert found(decided(mode="None", promotion=PromotionStatus()), jobs=[]) == ([], [])


def test_a_move_that_is_not_in_the_status_is_lost():
    """Unless a person has moved the alias since."""
    stopped = ended(result=PromotionResult.STOPPED)

    _, lost = found(stopped, moves=[moved("7", "8")])
    assert "the status does not say that churn-promote-1 gave the alias to 8" in lost[0]
    _, lost = found(stopped, moves=[moved("7", "8"), moved("8", "6", uid="")])
    assert lost == []


def test_promotions_without_an_order_are_found():
    """A gap in their numbers, or two at once."""
    gap = [promotion(1, 12), promotion(3, 14, slot=NOON + SECOND)]
    assert "numbered [1, 3]" in found(ended(), jobs=gap)[0][0]

    both = [promotion(1, 12, finished_version=None), promotion(2, 13, slot=NOON + SECOND)]
    assert "churn-promote-2 was started while churn-promote-1 ran" in found(decided(), jobs=both)[0][0]


def test_a_version_of_which_a_gate_complains_waits():
    """It is decided upon by waiting."""
    gate = GateResult(name="health", passed=False, message="m")
    waiting = told(
        11,
        None,
        last_retraining=last_retraining(RETRAINED, completion_time=RETRAINED, version="8", gates=[gate]),
        promotion=PromotionStatus(last_retraining_time=RETRAINED),
    )

    assert found(waiting, jobs=[]) == ([], [])
