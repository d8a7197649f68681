"""Automatic rollbacks: how a promoted version does, beside the one before it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.reasons import CheckResult, PromotionDirection, SignalResult
from selfheal_operator.api.v1alpha1.status import SignalStatus
from selfheal_operator.core.monitor import plan_monitor
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    last_check,
    last_promotion,
    last_retraining,
    model_version,
    monitor,
    observed,
    spec_document,
    status,
    stored,
)
from support.builders.steps import status_written

RETRAINED = NOON - 10 * MINUTE
ERROR = {"metric": "root_mean_squared_error", "maxValue": 100}
SCORE = {"metric": "f1_macro", "minValue": 0}


def check(slot, value):
    """Return a check with a value of the signal; None if it could not be told."""
    result = SignalResult.UNKNOWN if value is None else SignalResult.WITHIN_LIMITS
    signal = SignalStatus(
        name="quality", type="Performance", result=result, reason="InsideLimits", value=value, message="m"
    )
    return last_check(slot, CheckResult.NO_DRIFT, signals=[signal])


def promoted(before="0.8000", *, performance=SCORE, mode="Auto", model="8", **fields):
    """Return a monitor whose version 8 was promoted from version 7 at noon, and whose checks are rare."""
    document = spec_document(
        schedule="0 0 1 1 *",
        signals=[{"name": "quality", "type": "Performance", "performance": performance}],
        promotion={"rollback": {"mode": mode, "afterChecks": 2}},
    )
    document["dataset"]["columns"] = {"prediction": "said"}
    told = {
        "last_check": check(NOON - HOUR, before),
        "last_retraining": last_retraining(RETRAINED, version="8", alias_version="7"),
        "challenger": model_version("8"),
        "model": model_version("7", alias="champion"),
        "retraining": {"count": 1, "last_start_time": RETRAINED, "last_trigger_time": RETRAINED},
    }
    seen = settled(monitor(document, status(**(told | fields))), NOON)
    return replace(
        seen,
        status=seen.status.replaced(
            last_promotion=last_promotion(seen.status.promotion.intent.decided_time),
            model=model_version(model, alias="champion"),
        ),
    )


def settled(seen, now):
    """Return the monitor once nothing is left to store."""
    seen = replace(seen, status=seen.status.replaced(last_schedule_time=now))
    while (written := status_written(plan_monitor(observed(seen), now))) is not None:
        seen = stored(seen, written)
    return seen


def after(seen, *values):
    """Return the monitor after checks with these values, an hour apart."""
    for number, value in enumerate(values, start=1):
        now = NOON + number * HOUR
        seen = replace(seen, status=seen.status.replaced(last_check=check(now, value)))
        seen = settled(settled(seen, now + MINUTE), now + MINUTE)  # a check is counted once
    return seen


def has_rolled_back(seen) -> bool:
    """Return whether a rollback to version 7 was decided."""
    intent = seen.status.promotion.intent
    if intent is None or intent.direction is not PromotionDirection.ROLLBACK:
        return False
    assert (intent.version, intent.expected_version) == ("7", "8")
    return True


@pytest.mark.parametrize(
    ("case", "values", "expected"),
    [
        ("two worse", ["0.7800", "0.7800"], True),
        ("one worse", ["0.7800"], False),
        ("worse by no more than the margin", ["0.7901", "0.7901", "0.7901"], False),
        ("a good one between", ["0.7800", "0.8000", "0.7800"], False),
        ("one that cannot be told between", ["0.7800", None, "0.7800"], True),
        ("no number", ["0.7800", "many", "nan"], False),
    ],
)
def test_a_version_is_taken_back_after_as_many_checks_in_a_row_as_asked_for(case, values, expected):
    """Here after two, each worse than 0.8 by more than 0.01."""
    assert has_rolled_back(after(promoted(), *values)) is expected, case


@pytest.mark.parametrize(("value", "expected"), [("101.1", True), ("100.9", False), ("80", False)])
def test_the_margin_of_an_error_is_a_share_and_lower_is_better(value, expected):
    """One percent of 100."""
    assert has_rolled_back(after(promoted("100", performance=ERROR), value, value)) is expected


def test_the_intent_says_which_rule_has_decided():
    """It becomes the tag of the version."""
    intent = after(promoted(), "0.7", "0.7").status.promotion.intent

    assert intent.approved_by == "the rule spec.promotion.rollback: quality was worse in 2 checks in a row"


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        ("mode Manual", promoted(mode="Manual")),
        ("the value before is not known", promoted(None)),
        ("there was no version before", promoted(last_retraining=last_retraining(RETRAINED, version="8"))),
        ("a person has moved the alias since", promoted(model="9")),
    ],
)
def test_nothing_is_taken_back(case, seen):
    """However bad the checks are."""
    assert not has_rolled_back(after(seen, "0.1", "0.1", "0.1")), case


@given(st.lists(st.sampled_from(["0.1", "0.8", "0.9", None]), max_size=12))
def test_the_alias_goes_at_most_once_there_and_back(values):
    """Once version 8 was taken back, no check leads to anything more."""
    seen, intents = promoted(), []
    for number, value in enumerate(values, start=1):
        now = NOON + number * HOUR
        seen = settled(replace(seen, status=seen.status.replaced(last_check=check(now, value))), now + MINUTE)
        intent = seen.status.promotion.intent
        if intent.decided_time > seen.status.last_promotion.scheduled_time:
            intents.append(intent)
            done = last_promotion(
                intent.decided_time,
                version=intent.version,
                job_name=f"churn-promote-{seen.status.promotion.count}",
            )
            model = model_version(intent.version, alias="champion")
            seen = replace(seen, status=seen.status.replaced(last_promotion=done, model=model))
    assert len(intents) <= 1
    assert all(intent.direction is PromotionDirection.ROLLBACK for intent in intents)
