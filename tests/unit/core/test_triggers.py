from dataclasses import replace

import pytest

from selfheal_operator.api.reasons import CheckResult, Reason
from selfheal_operator.api.v1alpha1.status import RetrainingStatus
from selfheal_operator.core.triggers import OBJECTIONS, Evidence, objection_to_retraining
from support.builders.objects import HOUR, NOON, SECOND, last_check, spec


def evidence(*, verdict=None, memory=None, running=False, now=NOON + HOUR, **spec_fields) -> Evidence:
    """Return drift found at noon, one hour ago, that nothing speaks against."""
    return Evidence(
        spec=spec(**spec_fields),
        verdict=verdict or last_check(NOON),
        retraining=memory or RetrainingStatus(),
        running=running,
        now=now,
    )


def reason_against(given: Evidence) -> Reason | None:
    """Return the reason of the first objection."""
    objection = objection_to_retraining(given)
    return objection.reason if objection else None


def started(slot=NOON - HOUR, when=NOON) -> RetrainingStatus:
    """Return the memory of one retraining, by default for the slot before the newest drift."""
    return RetrainingStatus(count=1, last_trigger_time=slot, last_start_time=when)


def test_drift_that_nothing_speaks_against_is_answered():
    """The base of all cases below."""
    assert objection_to_retraining(evidence()) is None


def test_without_a_verdict_there_is_nothing_to_answer():
    """A monitor that has never been checked is not retrained."""
    assert reason_against(replace(evidence(), verdict=None)) is Reason.WITHIN_THRESHOLD


@pytest.mark.parametrize("result", [result for result in CheckResult if result is not CheckResult.DRIFT])
def test_only_drift_leads_to_a_retraining(result):
    """Could not look is not looks bad."""
    assert reason_against(evidence(verdict=last_check(NOON, result))) is Reason.WITHIN_THRESHOLD


@pytest.mark.parametrize(
    ("case", "told", "threshold", "reason"),
    [
        ("four of ten are more", {"columns_checked": 10, "columns_drifted": 4}, 0.3999, None),
        ("four of ten are not", {"columns_checked": 10, "columns_drifted": 4}, 0.4, Reason.WITHIN_THRESHOLD),
        (
            "one of three, which four digits round down",
            {"columns_checked": 3, "columns_drifted": 1, "drift_share": "0.3333"},
            0.3333,
            None,
        ),
        ("only the rounded share is known", {"drift_share": "0.3333"}, 0.3333, None),
        ("only the rounded share is known", {"drift_share": "0.3333"}, 0.3334, Reason.WITHIN_THRESHOLD),
        ("an own image tells no numbers", {"drift_share": None}, 1.0, None),
        (
            "no column was compared",
            {"columns_checked": 0, "columns_drifted": 0},
            0.5,
            Reason.WITHIN_THRESHOLD,
        ),
    ],
)
def test_a_threshold_that_was_raised_since_is_the_one_that_counts(case, told, threshold, reason):
    """Drift is a share greater than the threshold: by what today's threshold says of the same columns."""
    assert reason_against(evidence(verdict=last_check(NOON, **told), threshold=threshold)) is reason, case


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (NOON - SECOND, None),
        (NOON, Reason.DRIFT_TRIGGERED),
        (NOON + HOUR, Reason.DRIFT_TRIGGERED),  # a verdict that came late
    ],
)
def test_one_check_leads_to_one_retraining_at_most(answered, reason):
    """Only a verdict of a later slot than the one that was answered counts."""
    given = evidence(memory=started(answered, NOON - HOUR))

    assert reason_against(given) is reason


@pytest.mark.parametrize(
    ("case", "cooldown", "elapsed", "reason"),
    [
        ("one second before the end", 3600, 3599, Reason.COOLING_DOWN),
        ("at the very end", 3600, 3600, None),
        ("none is wanted", 0, 0, None),
        ("longer than before", 7200, 3600, Reason.COOLING_DOWN),
        ("the clock was set back since", 3600, -60, Reason.COOLING_DOWN),
    ],
)
def test_the_cooldown_is_that_of_the_spec_now(case, cooldown, elapsed, reason):
    """It runs from the start of the retraining before."""
    given = evidence(memory=started(), now=NOON + elapsed * SECOND, retraining={"cooldownSeconds": cooldown})

    assert reason_against(given) is reason, case


def test_a_cooldown_says_when_it_ends_and_nothing_else_does():
    """Whoever waits for it has to be woken up; the other objections fall by events."""
    objection = objection_to_retraining(evidence(memory=started(), now=NOON))

    assert objection is not None
    assert objection.until == NOON + HOUR
    assert "2026-11-23T13:00:00Z" in objection.message


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("Auto", None), ("Manual", Reason.AWAITING_REQUEST), ("Disabled", Reason.RETRAINING_DISABLED)],
)
def test_the_mode_decides_whether_drift_alone_is_enough(mode, reason):
    """Manual and Disabled say so, each with its own reason."""
    assert reason_against(evidence(retraining={"mode": mode})) is reason


def test_objections_are_raised_in_their_order():
    """Each one that falls uncovers the next: what matters most is said first."""
    everything = evidence(
        verdict=last_check(NOON, CheckResult.NO_DRIFT),
        memory=started(NOON, NOON + HOUR),
        running=True,
        suspend=True,
        threshold=0.5,
        retraining={"mode": "Disabled"},
    )
    lifted = (
        ("drift is found", {"verdict": last_check(NOON)}, Reason.WITHIN_THRESHOLD),
        (
            "the threshold is lowered",
            {"spec": spec(suspend=True, retraining={"mode": "Disabled"})},
            Reason.DRIFT_TRIGGERED,
        ),
        ("it is new drift", {"retraining": started(NOON - HOUR, NOON + HOUR)}, Reason.DRIFT_TRIGGERED),
        ("the retraining has ended", {"running": False}, Reason.SUSPENDED),
        (
            "the monitor is resumed",
            {"spec": spec(retraining={"mode": "Disabled"})},
            Reason.RETRAINING_DISABLED,
        ),
        ("retraining is switched on", {"spec": spec()}, Reason.COOLING_DOWN),
        ("the cooldown ends", {"now": NOON + 2 * HOUR}, None),
    )
    assert len(lifted) == len(OBJECTIONS)

    given = everything
    for case, change, reason in lifted:
        given = replace(given, **change)
        assert reason_against(given) is reason, case


def test_only_what_holds_drift_back_is_told_in_place_of_the_last_outcome():
    """While there is nothing to answer, the condition keeps saying how the last retraining ended."""
    holds_back = {
        Reason.SUSPENDED: evidence(suspend=True),
        Reason.RETRAINING_DISABLED: evidence(retraining={"mode": "Disabled"}),
        Reason.AWAITING_REQUEST: evidence(retraining={"mode": "Manual"}),
        Reason.COOLING_DOWN: evidence(memory=started(), now=NOON),
    }
    for reason, given in holds_back.items():
        objection = objection_to_retraining(given)
        assert objection is not None
        assert (objection.reason, objection.holds_back) == (reason, True)
    for given in (evidence(running=True), evidence(memory=started(NOON)), evidence(threshold=0.9)):
        objection = objection_to_retraining(given)
        assert objection is not None
        assert not objection.holds_back
