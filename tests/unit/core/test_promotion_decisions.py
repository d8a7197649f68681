"""Decisions of people: by an annotation, once, and on what waits for them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.reasons import ConditionType, PromotionDirection, PromotionResult, Purpose, Reason
from selfheal_operator.api.v1alpha1.status import GateResult, MetricComparison, PromotionStatus
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import decision_by, monitor_from
from selfheal_operator.core.promotion_record import promotion_record
from selfheal_operator.core.situation import assess
from selfheal_operator.core.status import operator_status
from support.builders.objects import (
    DAY,
    MINUTE,
    NOON,
    SECOND,
    last_promotion,
    last_retraining,
    model_version,
    monitor,
    monitor_body,
    observed,
    spec_document,
    status,
    stored,
)
from support.builders.steps import events_told, job_created, status_written

RETRAINED = NOON - 10 * MINUTE
LEAK = GateResult(name="leak", passed=False, message="the column 'paid' alone tells the target")


def outcome(**fields):
    """Return a retraining that has registered version 8 over version 7."""
    metric = MetricComparison(
        name="f1_macro",
        candidate="0.8412",
        champion="0.7710",
        difference="0.0702",
        lower="0.0413",
        upper="0.0988",
    )
    told = {"version": "8", "alias_version": "7", "run_id": "9b1c", "metrics": [metric]}
    return last_retraining(RETRAINED, **(told | fields))


def registered(*, mode="Manual", decision="", by="", found=None, **fields):
    """Return a monitor with version 8 to promote, and what somebody has decided."""
    told = {
        "last_retraining": found or outcome(),
        "challenger": model_version("8"),
        "model": model_version("7", alias="champion"),
        "retraining": {"count": 1, "last_start_time": RETRAINED, "last_trigger_time": RETRAINED},
    }
    document = spec_document(schedule="0 0 1 1 *", promotion={"mode": mode})
    return monitor(document, status(**(told | fields)), decision=decision, decision_by=by)


def settled(seen, now=NOON):
    """Return the monitor once nothing is left to store."""
    while (written := status_written(plan_monitor(observed(seen), now))) is not None:
        seen = stored(seen, written)
    return seen


def pending(now=NOON, **fields):
    """Return a monitor whose version 8 waits for a decision."""
    return settled(registered(**fields), now)


def decided(seen, decision, now=NOON + MINUTE):
    """Return the monitor once a decision has been handled."""
    return settled(replace(seen, decision=decision, decision_by="kubectl-annotate at 12:01"), now)


def condition(seen, kind=ConditionType.PROMOTION_PENDING, now=NOON + MINUTE):
    """Return status, reason and message of a condition."""
    found = next(c for c in operator_status(assess(observed(seen), now)).conditions if c.type == kind)
    return str(found.status), found.reason, found.message


def test_with_mode_manual_a_version_waits_and_the_condition_shows_what_there_is_to_see():
    """The scores, the run, how to decide, and until when."""
    seen = pending()

    assert seen.status.promotion.intent is None
    told, reason, message = condition(seen)
    assert (told, reason) == ("True", "AwaitingApproval")
    assert message == (
        "Version 8 waits for a decision, because spec.promotion.mode is Manual; f1_macro 0.8412, the "
        "present version has 0.7710: difference 0.0702 (0.0413 to 0.0988); MLflow run 9b1c. Annotate the "
        "monitor with selfheal.dev/decision=approve:8, or reject, before 2026-11-26T12:00:00Z"
    )


def test_with_mode_auto_a_version_waits_where_a_gate_asks_for_a_person():
    """The gate's sentence says what to look for."""
    seen = pending(mode="Auto", found=outcome(gates=[LEAK]))

    assert seen.status.promotion.pending is not None
    assert "the gate leak has failed: the column 'paid' alone tells the target" in condition(seen)[2]


def test_an_approved_version_is_promoted_from_where_the_alias_was_at_the_comparison():
    """The intent says by which program and when it was approved, as far as the API server tells."""
    seen = replace(pending(), decision="approve:8", decision_by="kubectl-annotate at 12:01")
    record = promotion_record(seen, (), seen.read_spec(), NOON + MINUTE)

    assert record.intent is not None
    assert (record.intent.version, record.intent.expected_version) == ("8", "7")
    assert record.intent.approved_by == "the annotation of kubectl-annotate at 12:01"
    assert record.intent.decided_time == NOON + MINUTE
    assert record.pending is None
    created = job_created(plan_monitor(observed(decided(pending(), "approve:8")), NOON + MINUTE))
    assert created is not None
    assert created.purpose is Purpose.PROMOTE


def test_a_rejected_version_is_not_promoted():
    """The condition says by whom."""
    seen = decided(pending(), "reject:8")

    assert (seen.status.promotion.pending, seen.status.promotion.intent) == (None, None)
    assert condition(seen) == (
        "False",
        "Rejected",
        "Version 8 was rejected by the annotation of kubectl-annotate at 12:01",
    )


def test_a_version_on_which_nobody_decides_is_rejected_when_the_time_is_over():
    """After three days by default; the operator wakes up for it."""
    seen = pending()

    plan = plan_monitor(observed(seen), NOON + MINUTE)
    assert (plan.step, plan.wake_at) == (None, NOON + 3 * DAY)
    assert condition(settled(seen, NOON + 3 * DAY - SECOND))[1] == "AwaitingApproval"
    late = settled(seen, NOON + 3 * DAY)
    assert condition(late)[:2] == ("False", "ApprovalTimedOut")
    assert decided(late, "approve:8", NOON + 3 * DAY).status.promotion.intent is None


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ("approve:9", "version 9 does not wait for a decision; version 8 does"),
        ("reject:7", "version 7 does not wait for a decision; version 8 does"),
        ("approve", "it is none of approve:VERSION, reject:VERSION and rollback:VERSION"),
        ("approve:8.0", "it is none of"),
        ("Approve:8", "it is none of"),
        ("rollback:7", "version 7 has the alias already"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_changes_nothing_and_says_why(decision, why):
    """The version waits on, and a right decision may follow."""
    seen = decided(pending(), decision)

    assert seen.status.promotion.pending is not None
    status_, reason, message = condition(seen)
    assert (status_, reason) == ("True", "AwaitingApproval")
    assert f"selfheal.dev/decision={decision} is not carried out: {why}" in message
    assert decided(seen, "approve:8").status.promotion.intent is not None


def test_with_mode_none_no_decision_is_carried_out():
    """The alias is the user's own."""
    seen = decided(registered(mode="None"), "rollback:6")

    assert seen.status.promotion.intent is None
    assert condition(seen)[1] == "InvalidDecision"


def test_a_decision_is_handled_once_and_a_text_behind_a_semicolon_makes_it_a_new_one():
    """A GitOps tool applies the same annotation for ever."""
    first = decided(pending(), "reject:8")
    again = replace(
        first,
        status=first.status.replaced(
            promotion=first.status.promotion.replaced(pending=pending().status.promotion.pending)
        ),
    )

    assert decided(again, "reject:8").status.promotion.pending is not None
    assert decided(again, "reject:8;again").status.promotion.pending is None


def test_a_rollback_moves_the_alias_back_from_the_present_version():
    """Also while the monitor is suspended: it is a person who asks for it."""
    seen = registered(mode="Auto", found=outcome(), promotion=PromotionStatus(last_retraining_time=RETRAINED))
    seen = replace(seen, spec={**seen.spec, "suspend": True})
    intent = decided(seen, "rollback:5").status.promotion.intent

    assert intent is not None
    assert (intent.version, intent.expected_version) == ("5", "7")
    assert intent.direction is PromotionDirection.ROLLBACK


def test_a_decision_waits_for_the_promotion_that_runs():
    """One at a time: afterwards the alias is where the next one expects it."""
    running = pending(mode="Auto")
    assert running.status.promotion.intent is not None

    assert decided(running, "rollback:5").status.promotion.last_handled_decision is None
    intent = running.status.promotion.intent
    done = replace(
        running,
        status=running.status.replaced(
            last_promotion=last_promotion(intent.decided_time), model=model_version("8", alias="champion")
        ),
    )
    after = decided(done, "rollback:5").status.promotion.intent
    assert after is not None
    assert (after.version, after.expected_version) == ("5", "8")


def test_a_promotion_that_is_tried_again_and_again_can_be_rejected():
    """MLflow is away, and a person decides otherwise."""
    running = pending(mode="Auto")
    intent = running.status.promotion.intent
    failed = last_promotion(intent.decided_time, PromotionResult.FAILED)
    seen = decided(replace(running, status=running.status.replaced(last_promotion=failed)), "reject:8")

    assert seen.status.promotion.intent is None
    assert promotion_record(seen, (), seen.read_spec(), NOON + DAY).intent is None
    assert "tried again" not in condition(seen, ConditionType.PROMOTED)[2]
    assert condition(seen)[2].endswith("; the next check tells whether it has the alias all the same")


def test_a_newer_version_takes_the_place_of_one_that_waits():
    """Only the newest one is worth a decision."""
    newer = outcome(version="9", job_name="churn-retrain-2").replaced(scheduled_time=NOON)
    before = pending()
    told = before.status.replaced(
        last_retraining=newer,
        challenger=model_version("9"),
        retraining=before.status.retraining.replaced(count=2),
    )
    seen = settled(replace(before, status=told), NOON + MINUTE)

    assert seen.status.promotion.pending is not None
    assert seen.status.promotion.pending.version == "9"
    assert "version 8 does not wait" in condition(decided(seen, "approve:8"))[2]


def test_each_step_is_told_by_one_event():
    """That a version waits, and what became of it."""
    first = plan_monitor(observed(settled(registered(found=outcome(version=None)))), NOON)
    assert first.step is None
    waits = registered(conditions=settled(registered(found=outcome(version=None))).status.conditions)

    assert [e.reason for e in events_told(plan_monitor(observed(waits), NOON)) if "8" in e.message] == [
        Reason.AWAITING_APPROVAL
    ]
    rejected = replace(settled(waits), decision="reject:8")
    told = events_told(plan_monitor(observed(rejected), NOON))
    assert [(each.type, each.reason) for each in told] == [("Normal", Reason.REJECTED)]


def test_who_decided_is_the_field_manager_of_the_annotation_and_the_time():
    """What the API server tells; other entries, and unreadable ones, are passed over."""
    annotation: dict[str, Any] = {"f:metadata": {"f:annotations": {"f:selfheal.dev/decision": {}}}}
    entries = [
        {"manager": "argocd", "time": "t", "fieldsV1": {"f:spec": {}}},
        {"manager": "broken", "fieldsV1": "no fields"},
        {"manager": "kubectl-annotate", "time": "2026-11-23T12:01:00Z", "fieldsV1": annotation},
    ]
    body = monitor_body()
    body["metadata"] |= {"managedFields": entries, "annotations": {"selfheal.dev/decision": " approve:8 "}}

    assert decision_by(body["metadata"]) == "kubectl-annotate at 2026-11-23T12:01:00Z"
    assert (monitor_from(body).decision, monitor_from(body).decision_by) == (
        "approve:8",
        "kubectl-annotate at 2026-11-23T12:01:00Z",
    )


@given(
    st.lists(
        st.sampled_from(["approve:8", "reject:8", "approve:9", "rollback:6", "nonsense", ""]), max_size=8
    )
)
def test_nothing_that_waits_is_promoted_without_its_approval(decisions):
    """Whatever else is decided before; and a rejected version is not promoted by anything that follows."""
    seen, rejected = pending(), False
    for number, decision in enumerate(decisions, start=1):
        before = seen.status.promotion
        seen = decided(seen, decision, NOON + number * MINUTE)
        intent = seen.status.promotion.intent
        if intent is not None and intent != before.intent and intent.version == "8":
            assert decision == "approve:8"
            assert not rejected
            assert before.pending is not None
        rejected |= decision == "reject:8" and before.pending is not None and intent is None
