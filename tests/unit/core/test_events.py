from dataclasses import replace
from datetime import datetime

import pytest

from selfheal_operator.api.reasons import CheckResult, Purpose, Reason, RetrainResult
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Observed, Rejection
from selfheal_operator.core.plan import EventType
from support.builders.objects import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    finished_job,
    job,
    last_check,
    last_retraining,
    monitor,
    observed,
    settled,
    spec_document,
    status,
)
from support.builders.steps import events_told, job_created, status_written

RETRAIN = Purpose.RETRAIN
DRIFT, NO_DRIFT, ERROR = CheckResult.DRIFT, CheckResult.NO_DRIFT, CheckResult.ERROR
INCONCLUSIVE, WARNING = CheckResult.INCONCLUSIVE, CheckResult.WARNING

QUIET = spec_document(schedule="0 0 1 1 *", retraining={"mode": "Disabled"})
"""No slot comes in between, and drift leads to nothing."""


def told(seen: Observed, now: datetime) -> list[str]:
    """Return the reasons of the Events that are planned."""
    return [str(event.reason) for event in events_told(plan_monitor(seen, now))]


def having(seen: Observed, *jobs, **fields) -> Observed:
    """Return the monitor with more in its status, and these Jobs."""
    new = seen.monitor.status.replaced(**fields)
    return replace(seen, monitor=replace(seen.monitor, status=new), jobs=jobs)


# --- verdicts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("results", "reasons"),
    [
        ([NO_DRIFT, NO_DRIFT, NO_DRIFT], []),
        ([DRIFT], [Reason.DRIFT_DETECTED]),
        ([DRIFT, DRIFT, DRIFT], [Reason.DRIFT_DETECTED]),
        ([DRIFT, NO_DRIFT, NO_DRIFT], [Reason.DRIFT_DETECTED, Reason.DRIFT_RESOLVED]),
        ([DRIFT, WARNING], [Reason.DRIFT_DETECTED, Reason.DRIFT_RESOLVED]),
        ([DRIFT, NO_DRIFT, DRIFT], [Reason.DRIFT_DETECTED, Reason.DRIFT_RESOLVED, Reason.DRIFT_DETECTED]),
        ([DRIFT, ERROR, NO_DRIFT], [Reason.DRIFT_DETECTED, Reason.DRIFT_RESOLVED]),
        ([DRIFT, ERROR, DRIFT], [Reason.DRIFT_DETECTED]),
        ([INCONCLUSIVE, INCONCLUSIVE], [Reason.CHECK_INCONCLUSIVE]),
        (
            [DRIFT, INCONCLUSIVE, NO_DRIFT],
            [Reason.DRIFT_DETECTED, Reason.CHECK_INCONCLUSIVE, Reason.DRIFT_RESOLVED],
        ),
        ([ERROR, ERROR], []),
    ],
)
def test_a_verdict_is_told_when_it_is_news(results, reasons):
    """Nine quiet checks in a row are none; a check that could not look changes nothing."""
    seen, events = settled(observed(monitor(QUIET)), NOON), []
    for number, result in enumerate(results):
        slot = NOON + number * HOUR
        seen = having(seen, finished_job(slot=slot), last_check=last_check(slot, result))
        events += told(seen, NOON + number * HOUR + MINUTE)
        seen = settled(seen, NOON + number * HOUR + MINUTE)
        assert told(seen, NOON + number * HOUR + 2 * MINUTE) == []

    verdicts = {Reason.DRIFT_DETECTED, Reason.DRIFT_RESOLVED, Reason.CHECK_INCONCLUSIVE}
    assert [event for event in events if event in verdicts] == reasons


def test_a_verdict_that_comes_after_its_check_was_given_up_is_told_and_kept():
    """The pod was slow to report: the operator had written an error in its name."""
    seen = settled(observed(monitor(QUIET)), NOON)
    seen = settled(having(seen, finished_job(), last_check=last_check(NOON, ERROR)), NOON + MINUTE)

    late = having(seen, finished_job(), last_check=last_check(NOON, DRIFT))

    assert Reason.DRIFT_DETECTED in told(late, NOON + 2 * MINUTE)
    history = settled(late, NOON + 2 * MINUTE).monitor.status.history
    assert [(entry.scheduled_time, entry.result) for entry in history] == [(NOON, DRIFT)]


# --- readiness ----------------------------------------------------------------------------------------------


def test_what_keeps_checks_from_running_is_told_when_it_changes():
    """Once per sentence, and once more when it is over."""
    good, bad, worse = QUIET, QUIET | {"timeZone": "Mars"}, QUIET | {"timeZone": "Venus"}
    seen, events = settled(observed(monitor(good)), NOON), []
    for document in (bad, bad, worse, good, good):
        seen = replace(seen, monitor=replace(seen.monitor, spec=document))
        events.append(told(seen, NOON + MINUTE))
        seen = settled(seen, NOON + MINUTE)

    assert events == [[Reason.INVALID_SPEC], [], [Reason.INVALID_SPEC], [Reason.MONITOR_ACTIVE], []]


def test_a_new_monitor_that_cannot_run_is_told_at_once():
    """`kubectl describe` is the first thing that its author tries."""
    (event,) = events_told(plan_monitor(observed(monitor(QUIET | {"timeZone": "Mars"})), NOON))

    assert (event.type, event.reason) == (EventType.WARNING, Reason.INVALID_SPEC)
    assert "Mars" in event.message


def test_a_refused_job_is_told_with_the_servers_words():
    """Quota and admission explain themselves."""
    seen = settled(observed(monitor(created=NOON - HOUR)), NOON - 30 * MINUTE)
    refused = Rejection(
        job_name="churn-check-29923920",
        generation=1,
        reason=Reason.JOB_REJECTED,
        message="exceeded quota: pods=10",
        time=NOON,
    )

    (event,) = events_told(plan_monitor(replace(seen, rejection=refused), NOON + MINUTE / 60))

    assert (event.type, event.reason) == (EventType.WARNING, Reason.JOB_REJECTED)
    assert event.message == "exceeded quota: pods=10"


@pytest.mark.parametrize(("hours", "sentence"), [(1, "1 check was missed"), (3, "3 checks were missed")])
def test_missed_checks_are_told_with_their_number(hours, sentence):
    """Only the newest one is started."""
    told_at = status(last_schedule_time=NOON - (hours + 1) * HOUR, next_check_time=NOON - hours * HOUR)
    seen = observed(monitor(status=told_at, created=NOON - DAY), job(slot=NOON))

    events = events_told(plan_monitor(seen, NOON + MINUTE))

    assert [event.message for event in events if event.reason == Reason.CHECKS_MISSED] == [
        f"{sentence}; only the newest one is started"
    ]


# --- retrainings --------------------------------------------------------------------------------------------


def drifted(slot: datetime = NOON, **retraining) -> Observed:
    """Return a monitor that has told of its drift, and does nothing else for a year."""
    document = spec_document(schedule="0 0 1 1 *", retraining=retraining or None)
    promise = datetime(2027, 1, 1, tzinfo=NOON.tzinfo)
    told_of = status(last_check=last_check(slot), last_schedule_time=slot, next_check_time=promise)
    seen = observed(monitor(document, told_of))
    return settled(replace(seen, jobs=(job(RETRAIN, slot, created=slot + MINUTE),)), slot + MINUTE)


def ended(**fields):
    """Return the first retraining's Job when it has ended."""
    return finished_job(RETRAIN, created=NOON + MINUTE, **fields)


def test_the_start_of_a_retraining_is_told():
    """With the name of its Job, for whoever wants to follow its log."""
    seen = settled(observed(monitor(QUIET, status(last_check=last_check(NOON)))), NOON)

    events = events_told(plan_monitor(replace(seen, jobs=(job(RETRAIN),)), NOON + MINUTE))

    (event,) = [event for event in events if event.reason == Reason.RETRAINING_STARTED]
    assert event.message == "Job churn-retrain-1 answers the drift found at 2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    ("result", "reason", "kind"),
    [
        (RetrainResult.REGISTERED, Reason.MODEL_REGISTERED, EventType.NORMAL),
        (RetrainResult.NOT_IMPROVED, Reason.NO_IMPROVEMENT, EventType.NORMAL),
        (RetrainResult.FAILED, Reason.TRAINING_FAILED, EventType.WARNING),
    ],
)
def test_the_end_of_a_retraining_is_told(result, reason, kind):
    """Once."""
    seen = having(drifted(), ended(), last_retraining=last_retraining(NOON, result))

    (event,) = events_told(plan_monitor(seen, NOON + 10 * MINUTE))

    assert (event.reason, event.type) == (reason, kind)
    assert told(settled(seen, NOON + 10 * MINUTE), NOON + 11 * MINUTE) == []


def test_an_end_that_another_operator_has_told_of_is_not_undone():
    """Monitors and Jobs come by two watches: the Job may look unfinished when the status has its end."""
    running = drifted()
    told_by_the_other = settled(
        having(running, ended(), last_retraining=last_retraining(NOON)), NOON + 10 * MINUTE
    )

    plan = plan_monitor(replace(told_by_the_other, jobs=running.jobs), NOON + 10 * MINUTE)

    assert (events_told(plan), status_written(plan), job_created(plan)) == ((), None, None)


def test_a_retraining_that_was_removed_is_told_as_failed():
    """Somebody has deleted its Job."""
    (event,) = events_told(plan_monitor(having(drifted()), NOON + 10 * MINUTE))

    assert (event.reason, event.type) == (Reason.RETRAINING_FAILED, EventType.WARNING)
    assert event.message == "Job churn-retrain-1 was removed before it reported"


def test_a_retraining_that_began_and_ended_while_the_operator_was_away_is_told():
    """The Job that the status did not know is the record."""
    seen = settled(observed(monitor(QUIET, status(last_check=last_check(NOON)))), NOON)

    events = told(having(seen, ended(), last_retraining=last_retraining(NOON)), NOON + 10 * MINUTE)

    assert events == [Reason.MODEL_REGISTERED]


def test_drift_during_the_cooldown_is_told_and_the_outcome_before_it_is_not_told_again():
    """The condition goes back to how the last retraining ended; that is no news."""
    seen = having(drifted(), ended(), last_retraining=last_retraining(NOON))
    seen, events = settled(seen, NOON + 10 * MINUTE), []
    for minutes, result in ((20, DRIFT), (25, DRIFT), (30, NO_DRIFT), (35, DRIFT)):
        slot = NOON + minutes * MINUTE
        seen = having(seen, ended(), finished_job(slot=slot), last_check=last_check(slot, result))
        events.append(told(seen, NOON + (minutes + 1) * MINUTE))
        seen = settled(seen, NOON + (minutes + 1) * MINUTE)

    assert events == [
        [Reason.COOLING_DOWN],
        [],
        [Reason.DRIFT_RESOLVED],
        [Reason.DRIFT_DETECTED, Reason.COOLING_DOWN],
    ]


def test_two_retrainings_without_a_pause_are_told_apart():
    """Without a cooldown the second one may be there before the status knew of the first one's end."""
    seen = having(
        drifted(cooldownSeconds=0),
        ended(),
        job(RETRAIN, NOON + HOUR, number=2),
        last_retraining=last_retraining(NOON),
        last_check=last_check(NOON + HOUR),
    )

    events = events_told(plan_monitor(seen, NOON + HOUR + MINUTE))

    assert [(event.reason, event.message) for event in events] == [
        (Reason.MODEL_REGISTERED, "It ended: Registered"),
        (Reason.RETRAINING_STARTED, "Job churn-retrain-2 answers the drift found at 2026-11-23T13:00:00Z"),
    ]


def test_nothing_is_told_of_a_monitor_that_sleeps():
    """Looking at it again and again is no event."""
    seen = settled(observed(monitor(QUIET)), NOON)

    assert [told(seen, NOON + n * DAY) for n in range(5)] == [[]] * 5


def while_it_runs() -> Observed:
    """Return a monitor whose drift at noon is being answered."""
    drifted = monitor(status=status(last_check=last_check(), next_check_time=NOON + HOUR))
    return settled(
        observed(drifted, finished_job(), job(Purpose.RETRAIN, created=NOON + 2 * MINUTE)), NOON + 2 * MINUTE
    )


def test_the_end_of_a_retraining_is_told_even_if_drift_was_found_again_meanwhile() -> None:
    """The condition speaks of the cooldown by then; the Event speaks of what became of the retraining."""
    seen = while_it_runs()
    new = seen.monitor.status.replaced(
        last_retraining=last_retraining(),
        last_check=last_check(NOON + HOUR),
        next_check_time=NOON + 2 * HOUR,
    )
    later = replace(
        seen,
        monitor=replace(seen.monitor, status=new),
        jobs=(finished_job(Purpose.RETRAIN, created=NOON + 2 * MINUTE), finished_job(slot=NOON + HOUR)),
    )

    # One minute before the end of the default cooldown of an hour.
    plan = plan_monitor(later, NOON + HOUR + MINUTE)

    assert status_written(plan) is not None
    condition = next(c for c in status_written(plan)["conditions"] if c["type"] == "Retraining")
    assert condition["reason"] == Reason.COOLING_DOWN
    assert [event.reason for event in events_told(plan) if "It ended" in event.message] == [
        Reason.MODEL_REGISTERED
    ]
