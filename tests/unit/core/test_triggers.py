from dataclasses import replace

import pytest

from selfheal_operator.api.reasons import CheckResult, Reason, RetrainResult, SignalResult
from selfheal_operator.api.v1alpha1.status import HistoryEntry, RetrainingStatus, SignalStatus
from selfheal_operator.core.triggers import OBJECTIONS, Evidence, objection_to_retraining
from support.builders.objects import DAY, HOUR, MINUTE, NOON, SECOND, last_check, last_retraining, spec


def evidence(
    *, verdict=None, memory=None, running=False, now=NOON + HOUR, history=(), outcome=None, **spec_fields
) -> Evidence:
    """Return drift found at noon, one hour ago, that nothing speaks against."""
    return Evidence(
        spec=spec(**spec_fields),
        verdict=verdict or last_check(NOON),
        history=history,
        retraining=memory or RetrainingStatus(),
        outcome=outcome,
        running=running,
        now=now,
    )


ERRORS = {"name": "errors", "type": "Performance", "performance": {"metric": "r2", "minValue": 0.5}}
NULLS = {"name": "nulls", "type": "DataQuality", "dataQuality": {"metric": "null_share", "maxValue": 0.1}}
SIGNALS = {
    "signals": [ERRORS, NULLS],
    "dataset": {
        "reference": {"uri": "/data/reference.csv"},
        "current": {"uri": "/data/current.csv"},
        "columns": {"prediction": "said"},
    },
}


def signal(name="errors", result=SignalResult.BREACHED, value="0.3") -> SignalStatus:
    """Return what a check found of a signal."""
    return SignalStatus(name=name, type="Performance", result=result, reason="r", value=value, message="m")


def calm(*signals) -> object:
    """Return a check without drift, with these signals."""
    return last_check(NOON, CheckResult.NO_DRIFT, signals=list(signals))


def past(hours: int, *breached: str, result=CheckResult.DRIFT, share="0.4000") -> HistoryEntry:
    """Return a check of some hours before noon."""
    breached = breached or (("DataDrift",) if result is CheckResult.DRIFT else ())
    return HistoryEntry(
        scheduled_time=NOON - hours * HOUR, result=result, drift_share=share, breached=list(breached)
    )


QUIET = {"result": CheckResult.NO_DRIFT, "share": "0.1000"}
BLIND = {"result": CheckResult.ERROR, "share": None}


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
    broken = {"broken_columns": ["age"], "columns_broken": 1}
    failed = {"consecutive_failures": 3, "start_times": [NOON - HOUR]}
    everything = evidence(
        verdict=last_check(NOON, CheckResult.NO_DRIFT),
        memory=started(NOON, NOON + HOUR).replaced(**failed),
        outcome=last_retraining(NOON - HOUR, RetrainResult.NOT_IMPROVED, current_identity="same"),
        running=True,
        suspend=True,
        threshold=0.5,
        mode="Observe",
    )
    everything = replace(everything, promoting=True)
    drift = last_check(NOON, current_identity="same")
    rules = {"trigger": {"consecutiveBreaches": 2}, "retraining": {"mode": "Disabled", "maxRunsPerDay": 1}}
    auto = {"retraining": {"maxRunsPerDay": 1}}
    memory = everything.retraining.replaced(last_trigger_time=NOON - HOUR)
    lifted = (
        ("drift is found", {"verdict": drift.replaced(**broken)}, Reason.WITHIN_THRESHOLD),
        (
            "the threshold is lowered",
            {"spec": spec(mode="Observe", suspend=True, **rules)},
            Reason.DRIFT_TRIGGERED,
        ),
        ("it is new drift", {"retraining": memory}, Reason.OBSERVING),
        ("the mode is Enforce", {"spec": spec(suspend=True, **rules)}, Reason.DRIFT_TRIGGERED),
        ("the retraining has ended", {"running": False}, Reason.PROMOTION_RUNNING),
        ("the promotion has ended", {"promoting": False}, Reason.SUSPENDED),
        ("the monitor is resumed", {"spec": spec(**rules)}, Reason.RETRAINING_DISABLED),
        ("retraining is switched on", {"spec": spec(**rules | auto)}, Reason.DATA_NOT_USABLE),
        ("the feed is repaired", {"verdict": drift}, Reason.DEBOUNCING),
        ("one breach is enough", {"spec": spec(**auto)}, Reason.COOLING_DOWN),
        ("the cooldown ends", {"now": NOON + 2 * HOUR}, Reason.DAILY_LIMIT_REACHED),
        ("a day has passed", {"now": NOON + DAY}, Reason.STALLED),
        (
            "a retraining is requested",
            {"retraining": memory.replaced(consecutive_failures=0)},
            Reason.NO_NEW_ROWS,
        ),
        ("rows arrive", {"verdict": drift.replaced(current_identity="other")}, None),
    )
    assert len(lifted) == len(OBJECTIONS)

    given = everything
    for case, change, reason in lifted:
        given = replace(given, **change)
        assert reason_against(given) is reason, case


def test_only_what_holds_drift_back_is_told_in_place_of_the_last_outcome():
    """While there is nothing to answer, the condition keeps saying how the last retraining ended."""
    refused = last_retraining(NOON - HOUR, RetrainResult.NOT_IMPROVED, current_identity="same")
    holds_back = {
        Reason.OBSERVING: evidence(mode="Observe"),
        Reason.SUSPENDED: evidence(suspend=True),
        Reason.RETRAINING_DISABLED: evidence(retraining={"mode": "Disabled"}),
        Reason.AWAITING_REQUEST: evidence(retraining={"mode": "Manual"}),
        Reason.DATA_NOT_USABLE: evidence(verdict=last_check(NOON, broken_columns=["age"])),
        Reason.DEBOUNCING: evidence(trigger={"consecutiveBreaches": 2}),
        Reason.COOLING_DOWN: evidence(memory=started(), now=NOON),
        Reason.DAILY_LIMIT_REACHED: evidence(
            memory=RetrainingStatus(start_times=[NOON]), retraining={"maxRunsPerDay": 1}
        ),
        Reason.STALLED: evidence(memory=RetrainingStatus(consecutive_failures=3)),
        Reason.NO_NEW_ROWS: evidence(verdict=last_check(NOON, current_identity="same"), outcome=refused),
    }
    normal = {Reason.OBSERVING, Reason.SUSPENDED, Reason.DEBOUNCING, Reason.COOLING_DOWN, Reason.NO_NEW_ROWS}
    for reason, given in holds_back.items():
        objection = objection_to_retraining(given)
        assert objection is not None, reason
        assert (objection.reason, objection.holds_back) == (reason, True)
        assert objection.is_expected == (reason in normal), reason
    for given in (evidence(running=True), evidence(memory=started(NOON)), evidence(threshold=0.9)):
        objection = objection_to_retraining(given)
        assert objection is not None
        assert not objection.holds_back


@pytest.mark.parametrize(
    ("case", "trigger", "verdict", "reason"),
    [
        ("drift alone is the default", {}, calm(signal()), Reason.WITHIN_THRESHOLD),
        ("a signal that is named", {"on": ["errors"]}, calm(signal()), None),
        ("another one is breached", {"on": ["errors"]}, calm(signal("nulls")), Reason.WITHIN_THRESHOLD),
        (
            "drift, where only a signal is named",
            {"on": ["errors"]},
            last_check(NOON),
            Reason.WITHIN_THRESHOLD,
        ),
        (
            "nobody could tell",
            {"on": ["errors"]},
            calm(signal(result=SignalResult.UNKNOWN)),
            Reason.WITHIN_THRESHOLD,
        ),
        ("any of two", {"on": ["DataDrift", "errors"]}, calm(signal()), None),
        (
            "all of two, and one is breached",
            {"on": ["DataDrift", "errors"], "policy": "All"},
            calm(signal()),
            Reason.WITHIN_THRESHOLD,
        ),
        (
            "all of two",
            {"on": ["DataDrift", "errors"], "policy": "All"},
            last_check(NOON, signals=[signal()]),
            None,
        ),
        (
            "a check that could not compare the columns, but knows the signal",
            {"on": ["errors"]},
            last_check(NOON, CheckResult.ERROR, signals=[signal()]),
            None,
        ),
    ],
)
def test_a_signal_triggers_where_the_trigger_names_it(case, trigger, verdict, reason):
    """Concept drift shows in the errors alone: the columns and the target stay as they are."""
    assert reason_against(evidence(verdict=verdict, trigger=trigger, **SIGNALS)) is reason, case


@pytest.mark.parametrize(
    ("value", "reason"),
    [("0.29", None), ("0.3", None), ("0.31", Reason.WITHIN_THRESHOLD)],  # 0.3 may be 0.2999999
)
def test_a_limit_that_was_moved_since_is_the_one_that_counts(value, reason):
    """A signal's value is told with six digits: one on the limit may lie beyond it."""
    looser = [ERRORS | {"performance": {"metric": "r2", "minValue": 0.3}}, NULLS]
    given = evidence(
        verdict=calm(signal(value=value)), trigger={"on": ["errors"]}, **SIGNALS | {"signals": looser}
    )

    assert reason_against(given) is reason


@pytest.mark.parametrize(
    ("case", "trigger", "history", "reason"),
    [
        ("one is enough", {}, [], None),
        ("two, and the one before was calm", {"consecutiveBreaches": 2}, [past(1, **QUIET), past(2)], "wait"),
        ("two in a row", {"consecutiveBreaches": 2}, [past(1)], None),
        ("two of three", {"consecutiveBreaches": 2, "withinChecks": 3}, [past(1, **QUIET), past(2)], None),
        (
            "two of three, and the other is the fourth",
            {"consecutiveBreaches": 2, "withinChecks": 3},
            [past(1, **QUIET), past(2, **QUIET), past(3)],
            "wait",
        ),
        ("who could not look is left out", {"consecutiveBreaches": 2}, [past(1, **BLIND), past(2)], None),
        ("no more checks are known", {"consecutiveBreaches": 3}, [past(1)], "wait"),
        (
            "drift of broken columns is no evidence",
            {"consecutiveBreaches": 2},
            [HistoryEntry(scheduled_time=NOON - HOUR, result=CheckResult.DRIFT, drift_share="0.9"), past(2)],
            None,
        ),
        (
            "the share is within today's threshold",
            {"consecutiveBreaches": 2},
            [past(1, share="0.2999")],
            "wait",
        ),
        (
            "the share is on today's threshold, rounded",
            {"consecutiveBreaches": 2},
            [past(1, share="0.3")],
            None,
        ),
        ("the entry of the verdict itself", {"consecutiveBreaches": 2}, [past(0), past(-1)], "wait"),
        (
            "of a signal that is not named",
            {"consecutiveBreaches": 2},
            [past(1, "errors", **QUIET)],
            "wait",
        ),
    ],
)
def test_a_breach_counts_once_there_are_enough_of_them(case, trigger, history, reason):
    """The newest check is one of them; a check without a verdict is evidence of nothing."""
    expected = Reason.DEBOUNCING if reason else None

    assert reason_against(evidence(trigger=trigger, history=history)) is expected, case


def test_breaches_that_a_retraining_has_answered_are_not_counted_again():
    """Otherwise the first breach after a retraining would be enough, where two are asked for."""
    given = evidence(
        trigger={"consecutiveBreaches": 2},
        history=[past(1), past(2)],
        memory=started(NOON - HOUR, NOON - 2 * HOUR),
    )

    assert reason_against(given) is Reason.DEBOUNCING
    earlier = replace(given, retraining=started(NOON - 2 * HOUR, NOON - 2 * HOUR))
    assert reason_against(earlier) is None


@pytest.mark.parametrize(
    ("case", "starts", "now", "until"),
    [
        ("fewer than allowed", [NOON], NOON + HOUR, None),
        ("as many as allowed", [NOON, NOON - HOUR], NOON + HOUR, NOON - HOUR + DAY),
        ("one second before the older one is a day old", [NOON, NOON - HOUR], NOON + 23 * HOUR - SECOND, 1),
        ("a day after the older one", [NOON, NOON - HOUR], NOON + 23 * HOUR, None),
        ("more than allowed: the limit was lowered", [NOON, NOON - HOUR, NOON - 2 * HOUR], NOON + HOUR, 1),
        ("the clock was set back since", [NOON + HOUR, NOON], NOON - HOUR, NOON + DAY),
    ],
)
def test_so_many_retrainings_start_within_any_day(case, starts, now, until):
    """The next one starts when the oldest of them is a day old; whoever waits is woken up then."""
    memory = RetrainingStatus(start_times=starts)
    objection = objection_to_retraining(
        evidence(memory=memory, now=now, retraining={"maxRunsPerDay": 2, "cooldownSeconds": 0})
    )

    if until is None:
        assert objection is None, case
        return
    assert objection is not None, case
    assert objection.reason is Reason.DAILY_LIMIT_REACHED
    assert objection.until == (NOON - HOUR + DAY if until == 1 else until)


@pytest.mark.parametrize(("failures", "reason"), [(2, None), (3, Reason.STALLED), (4, Reason.STALLED)])
def test_after_so_many_failures_none_starts(failures, reason):
    """The default is three."""
    assert reason_against(evidence(memory=RetrainingStatus(consecutive_failures=failures))) is reason


@pytest.mark.parametrize(
    ("case", "outcome", "identity", "reason"),
    [
        ("it was refused, and the data is the same", {"result": "NotImproved"}, "a", Reason.NO_NEW_ROWS),
        ("there is other data", {"result": "NotImproved"}, "b", None),
        ("nobody can tell what the data is", {"result": "NotImproved"}, None, None),
        ("it was not known then", {"result": "NotImproved", "current_identity": None}, None, None),
        ("it registered a version from it", {"result": "Registered"}, "a", Reason.NO_NEW_ROWS),
        ("it registered a version from other data", {"result": "Registered"}, "b", None),
        ("it failed", {"result": "Failed"}, "a", None),
        ("the spec was edited since", {"result": "NotImproved", "observed_generation": 0}, "a", None),
    ],
)
def test_what_was_decided_waits_for_new_rows(case, outcome, identity, reason):
    """The same candidates would learn the same from the same rows."""
    told = {"current_identity": "a"} | outcome | {"result": RetrainResult(outcome["result"])}
    given = evidence(
        verdict=last_check(NOON, current_identity=identity), outcome=last_retraining(NOON - HOUR, **told)
    )

    assert reason_against(given) is reason, case


def test_a_column_that_is_broken_holds_every_trigger_back_and_is_named():
    """What delivers the data is to be repaired; a model that learns zeros is worse than the old one."""
    names = ["age", "income", "tenure", "usage", "plan", "visits"]
    verdict = last_check(NOON, broken_columns=names, columns_broken=12, signals=[signal()])
    for trigger in ({}, {"on": ["errors"]}):
        objection = objection_to_retraining(evidence(verdict=verdict, trigger=trigger, **SIGNALS))

        assert objection is not None
        assert objection.reason is Reason.DATA_NOT_USABLE
        assert "'age', 'income', 'tenure', 'usage', 'plan' and 7 more" in objection.message
        assert "force" in objection.message


def test_observe_says_what_would_have_been_done():
    """A user tries the rules out before anything is trained by them."""
    now = objection_to_retraining(evidence(mode="Observe"))
    later = objection_to_retraining(evidence(mode="Observe", memory=started(), now=NOON + MINUTE))

    assert now is not None
    assert now.message.endswith("With Enforce, a retraining would start now")
    assert later is not None
    assert later.reason is Reason.OBSERVING
    assert "the next retraining may start at 2026-11-23T13:00:00Z" in later.message
    assert later.until == NOON + HOUR


@pytest.mark.parametrize(
    ("case", "fields", "reason"),
    [
        ("nothing is wrong", {}, None),
        ("Observe is never left by a request", {"mode": "Observe"}, Reason.OBSERVING),
        ("suspended", {"suspend": True}, Reason.SUSPENDED),
        ("disabled", {"retraining": {"mode": "Disabled"}}, Reason.RETRAINING_DISABLED),
        ("manual is what requests are for", {"retraining": {"mode": "Manual"}}, None),
    ],
)
def test_a_request_ignores_all_that_avoids_useless_retrainings(case, fields, reason):
    """Cooldown, daily limit, failures, broken columns and old rows are the requester's affair."""
    given = evidence(
        verdict=last_check(NOON, CheckResult.NO_DRIFT, broken_columns=["age"], current_identity="a"),
        memory=started(NOON, NOON).replaced(consecutive_failures=9, start_times=[NOON] * 9),
        outcome=last_retraining(NOON, RetrainResult.NOT_IMPROVED, current_identity="a"),
        now=NOON,
        trigger={"consecutiveBreaches": 10},
        **fields,
    )

    assert reason_against(replace(given, requested=True)) is reason, case
