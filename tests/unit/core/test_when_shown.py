"""How the decision whether to retrain shows: in the conditions, and in an Event for each change."""

import pytest

from selfheal_operator.api.reasons import CheckResult, Purpose, Reason
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Observed
from selfheal_operator.core.plan import EventType
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    job,
    last_check,
    monitor,
    observed,
    settled,
    spec_document,
    status,
)
from support.builders.steps import events_told, job_created, status_written

SLEEPY = {"schedule": "0 0 1 1 *"}
"""No slot comes in between."""


def drifted(*jobs, request: str = "", memory=None, check=None, **spec_fields) -> Observed:
    """Return a monitor in which drift was found at noon."""
    told = status(
        last_check=check or last_check(NOON),
        last_schedule_time=NOON,
        missed_checks=0,
        retraining=memory or {"count": 0},
    )
    document = spec_document(**SLEEPY | spec_fields)
    return observed(monitor(document, told, retrain_request=request), *jobs)


def condition(seen: Observed, kind: str, now=NOON + MINUTE) -> tuple[str, str, str]:
    """Return status, reason and message of a condition, once everything is written."""
    conditions = settled(seen, now).monitor.status.conditions
    found = next(each for each in conditions if each.type == kind)
    return found.status, found.reason, found.message


@pytest.mark.parametrize(
    ("triggers", "reason", "message"),
    [
        (["DataDrift"], Reason.DRIFT_TRIGGERED, "answers the drift found at"),
        (["errors"], Reason.SIGNAL_TRIGGERED, "answers the breach of errors found at"),
        (["errors", "nulls"], Reason.SIGNAL_TRIGGERED, "answers the breach of errors, nulls found at"),
        (["DataDrift", "errors"], Reason.DRIFT_TRIGGERED, "answers the drift and the breach of errors found"),
        ([], Reason.DRIFT_TRIGGERED, "answers the drift found at"),  # a Job of an older operator
    ],
)
def test_a_retraining_says_what_triggered_it(triggers, reason, message):
    """From the Job alone, whatever later checks find."""
    running = job(Purpose.RETRAIN, triggers=tuple(triggers))
    seen = drifted(running, check=last_check(NOON + HOUR, CheckResult.NO_DRIFT))

    found = condition(seen, "Retraining", NOON + HOUR)

    assert found[:2] == ("True", reason)
    assert message in found[2]


def test_a_misspelt_option_is_told_once_and_does_not_keep_drift_from_being_answered():
    """A slip in an annotation must not stop the healing; the request is not answered by it either."""
    calm = drifted(request="now;forse", check=last_check(NOON, CheckResult.NO_DRIFT))
    plan = plan_monitor(calm, NOON + MINUTE)

    assert condition(calm, "Retraining")[1:] == (
        Reason.INVALID_REQUEST,
        (
            "The request now;forse is not answered: "
            "forse is none of the options force, ignoreChampion, acceptChampion"
        ),
    )
    assert [
        (event.reason, event.type) for event in events_told(plan) if event.reason == "InvalidRequest"
    ] == [(Reason.INVALID_REQUEST, EventType.WARNING)]
    assert events_told(plan_monitor(settled(calm, NOON + MINUTE), NOON + 2 * MINUTE)) == ()

    order = job_created(plan_monitor(drifted(request="now;forse"), NOON + MINUTE))
    assert order is not None
    assert "selfheal.dev/request" not in order.manifest["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("fields", "reason", "kind"),
    [
        ({"suspend": True}, Reason.SUSPENDED, EventType.NORMAL),
        ({"retraining": {"mode": "Disabled"}}, Reason.RETRAINING_DISABLED, EventType.WARNING),
    ],
)
def test_an_objection_knows_whether_its_event_is_a_warning(fields, reason, kind):
    """One that is part of normal operation is none."""
    events = events_told(plan_monitor(drifted(**fields), NOON + MINUTE))

    assert (reason, kind) in [(event.reason, event.type) for event in events]


def test_a_stall_is_a_condition_of_its_own_and_an_event():
    """An alert reads the condition; it is there whether or not a check is breached now."""
    memory = {"count": 3, "last_trigger_time": NOON - HOUR, "consecutive_failures": 3}

    assert condition(drifted(memory=memory), "Stalled")[:2] == ("True", Reason.TOO_MANY_FAILURES)
    assert condition(drifted(memory=memory), "Retraining")[:2] == ("False", Reason.STALLED)
    events = events_told(plan_monitor(drifted(memory=memory), NOON + MINUTE))
    assert (Reason.STALLED, EventType.WARNING) in [(event.reason, event.type) for event in events]
    calm = drifted(memory=memory, check=last_check(NOON, CheckResult.NO_DRIFT))
    assert condition(calm, "Stalled")[:2] == ("True", Reason.TOO_MANY_FAILURES)
    fewer = drifted(memory=memory | {"consecutive_failures": 2})
    assert job_created(plan_monitor(fewer, NOON + MINUTE)) is not None


def test_the_history_tells_what_each_check_breached():
    """Nothing of a check whose columns are broken: it is no evidence for debouncing."""
    broken = last_check(NOON, broken_columns=["age"], columns_broken=1)

    for check, breached in ((last_check(NOON), ["DataDrift"]), (broken, [])):
        written = status_written(plan_monitor(drifted(check=check, mode="Observe"), NOON + MINUTE))
        assert written is not None
        assert written["history"][0]["breached"] == breached
