from dataclasses import replace

import pytest

from selfheal_operator.api.reasons import Purpose, Reason
from selfheal_operator.core.jobs import requested_check_job_name
from selfheal_operator.core.monitor import PATIENCE_OF_REQUESTS, plan_monitor
from selfheal_operator.core.observed import Observed, job_from, monitor_from
from selfheal_operator.core.plan import CreateJob
from selfheal_operator.core.requests import requests_of, slot_for_request
from selfheal_operator.core.schedule import IntervalSchedule
from selfheal_operator.core.slots import punctuality_of
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    UID,
    finished_job,
    job,
    last_check,
    last_retraining,
    monitor,
    monitor_body,
    observed,
    settled,
    spec,
    spec_document,
    status,
)
from support.builders.steps import job_created, status_written

HALF_PAST = NOON + 30 * MINUTE
RETRAIN = Purpose.RETRAIN


def asked(*jobs, check: str = "", retrain: str = "", document=None, **fields) -> Observed:
    """Return a monitor that was checked at noon, and of which somebody asks for more."""
    told = {
        "last_check": last_check(NOON),
        "last_schedule_time": NOON,
        "next_check_time": NOON + HOUR,
        "missed_checks": 0,
        "retraining": {"count": 1, "last_trigger_time": NOON, "last_start_time": NOON},
    }
    quiet = spec_document(retraining={"mode": "Manual"}) if document is None else document
    return observed(
        monitor(quiet, status(**told | fields), check_request=check, retrain_request=retrain),
        finished_job(),
        *jobs,
    )


def ordered(seen: Observed, now=HALF_PAST) -> CreateJob | None:
    """Return the Job that is ordered."""
    return job_created(plan_monitor(seen, now))


def retraining_condition(seen: Observed, now=HALF_PAST) -> dict[str, str]:
    """Return the condition that is planned."""
    plan = plan_monitor(seen, now)
    assert status_written(plan) is not None
    return next(c for c in status_written(plan)["conditions"] if c["type"] == "Retraining")


def test_a_request_is_read_from_its_annotation():
    """Any text is a token; white space around it is none, and what is too long is cut."""
    body = monitor_body()
    annotations = {"selfheal.dev/check-requested-at": " now ", "selfheal.dev/retrain-requested-at": "x" * 300}

    read = monitor_from(body | {"metadata": body["metadata"] | {"annotations": annotations}})

    assert (read.check_request, read.retrain_request) == ("now", "x" * 256)


def test_a_check_that_is_asked_for_starts_at_once_and_carries_the_token():
    """Its name is made from the token, so that two operators answer it once."""
    order = ordered(asked(check="please"))

    assert order is not None
    assert order.name == requested_check_job_name("churn", "please")
    assert order.manifest["metadata"]["annotations"]["selfheal.dev/request"] == "please"
    assert order.slot == HALF_PAST


def test_names_of_requested_checks_fit_into_a_label():
    """A Job's name is a label value on its pods."""
    assert len(requested_check_job_name("m" * 45, "x" * 256)) <= 63


def test_the_job_that_is_asked_for_is_the_job_that_is_read():
    """Token and all."""
    order = ordered(asked(check="please"))
    assert order is not None
    server = {"uid": "uid", "creationTimestamp": "2026-11-23T12:30:00Z"}

    read = job_from({"metadata": order.manifest["metadata"] | server})

    assert read is not None
    assert (read.request, read.slot, read.purpose) == ("please", HALF_PAST, Purpose.CHECK)


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        ("no annotation", asked()),
        ("the status says that it was handled", asked(check="a", last_handled_check_request="a")),
        ("its Job is there", asked(job(slot=HALF_PAST - MINUTE, request="a"), check="a")),
        ("a check runs", asked(job(slot=HALF_PAST - MINUTE), check="a")),
        ("suspended", asked(check="a", document=spec_document(suspend=True))),
        ("the spec is wrong", asked(check="a", document=spec_document(timeZone="Mars"))),
    ],
)
def test_a_check_is_not_started_for_a_request(case, seen):
    """Handled is handled; what stands in its way is waited for."""
    assert ordered(seen) is None, case


@pytest.mark.parametrize(
    ("requests", "more", "waiting"),
    [
        ({}, {}, ""),
        ({"check": "a"}, {}, ". Waiting until it is false: the requested check"),
        ({"retrain": "b"}, {}, ". Waiting until it is false: the requested retraining"),
        (
            {"check": "a", "retrain": "b;force"},
            {},
            ". Waiting until it is false: the requested check and retraining",
        ),
        ({"check": "a", "last_handled_check_request": "a"}, {}, ""),
        ({"retrain": "b;forse"}, {}, ""),
        ({"retrain": "b"}, {"mode": "Observe"}, ""),
    ],
)
def test_a_suspended_monitor_says_which_requests_wait(requests, more, waiting):
    """Otherwise a request would look lost. Observe starts no retraining after the suspension either."""
    seen = asked(**requests, document=spec_document(suspend=True, **more))

    ready = next(c for c in settled(seen, HALF_PAST).monitor.status.conditions if c.type == "Ready")

    assert (ready.status, ready.reason) == ("True", Reason.SUSPENDED)
    assert ready.message == f"No new checks: spec.suspend is true{waiting}"


def test_a_slot_that_is_due_goes_before_a_request():
    """The older one first; the request is answered when that check has ended."""
    order = ordered(asked(check="a"), NOON + HOUR)

    assert order is not None
    assert "selfheal.dev/request" not in order.manifest["metadata"]["annotations"]


def test_a_handled_request_is_echoed_and_is_no_slot_of_the_schedule():
    """It neither moves lastScheduleTime nor makes slots before it count as missed."""
    seen = asked(finished_job(slot=HALF_PAST, request="a"), check="a", last_check=last_check(HALF_PAST))

    written = status_written(plan_monitor(seen, HALF_PAST + MINUTE))

    assert written is not None
    assert written["lastHandledCheckRequest"] == "a"
    assert written["lastScheduleTime"] == "2026-11-23T12:00:00Z"
    assert written["nextCheckTime"] == "2026-11-23T13:00:00Z"
    assert written["missedChecks"] == 0


@pytest.mark.parametrize("check", ["", "b"])
def test_an_echo_stays_when_its_annotation_is_gone(check):
    """And when another token waits for its turn."""
    assert requests_of(asked(check=check, last_handled_check_request="a")).handled_check == "a"


def test_the_slot_of_a_request_is_later_than_any_jobs_and_no_slot_of_the_schedule():
    """Reports are ordered by slots; a slot of the schedule has a Job of its own."""
    minutely = IntervalSchedule(60, 0)

    assert slot_for_request(NOON + 0.5 * SECOND, [], minutely) == NOON + SECOND
    assert slot_for_request(NOON + 5 * SECOND, [job(slot=NOON)], minutely) == NOON + 5 * SECOND
    assert slot_for_request(NOON, [job(slot=NOON + 59 * SECOND)], minutely) == NOON + 61 * SECOND


def test_a_request_while_the_slot_is_delayed_gets_the_second_before_it():
    """Were its slot later, the delayed check would run in vain: a newer slot would have reported already."""
    document = spec_document(spreadSeconds=600, retraining={"mode": "Manual"})
    delay = punctuality_of(spec(spreadSeconds=600), UID).delay
    seen = asked(check="now", document=document)

    request = ordered(seen, NOON + HOUR + delay - SECOND)
    assert request is not None
    assert request.slot == NOON + HOUR - SECOND
    assert request.manifest["metadata"]["name"] == requested_check_job_name("churn", "now")

    ran = finished_job(slot=request.slot, request="now", name=requested_check_job_name("churn", "now"))
    reported = asked(ran, check="now", document=document, last_check=last_check(request.slot))
    scheduled = ordered(reported, NOON + HOUR + delay)
    assert scheduled is not None
    assert scheduled.slot == NOON + HOUR


def test_a_second_request_while_the_slot_is_delayed_waits_for_its_check():
    """There is no second slot before it that the reports of both could keep."""
    document = spec_document(spreadSeconds=600, retraining={"mode": "Manual"})
    ran = finished_job(slot=NOON + HOUR - SECOND, request="first", name="churn-check-r0a1b2c3d")
    seen = asked(ran, check="second", document=document, last_handled_check_request="first")

    assert ordered(seen, NOON + HOUR + SECOND) is None


def test_requests_and_slots_take_turns_where_checks_take_longer_than_their_interval():
    """One slot is always due then, and a request would wait for ever."""
    late = NOON + HOUR + PATIENCE_OF_REQUESTS
    seen = asked(check="now")

    scheduled = ordered(seen, late - SECOND)
    assert scheduled is not None
    assert scheduled.slot == NOON + HOUR

    request = ordered(seen, late)
    assert request is not None
    assert request.slot == NOON + HOUR - SECOND

    ran = finished_job(slot=request.slot, request="before", name="churn-check-r0a1b2c3d")
    after = asked(ran, check="now", last_check=last_check(request.slot), last_handled_check_request="before")
    scheduled = ordered(after, late + MINUTE)
    assert scheduled is not None
    assert scheduled.slot == NOON + HOUR


def test_a_request_without_a_free_slot_lets_the_scheduled_check_go_first():
    """A retraining was requested meanwhile, with a later slot: neither check may wait for the other."""
    late = NOON + HOUR + PATIENCE_OF_REQUESTS
    retrained = finished_job(RETRAIN, slot=late - SECOND, request="retrain")
    seen = asked(retrained, check="now", last_retraining=last_retraining(late - SECOND))

    scheduled = ordered(seen, late)

    assert scheduled is not None
    assert (scheduled.slot, scheduled.name) == (NOON + HOUR, job(slot=NOON + HOUR).name)


# --- retrainings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "document", "fields"),
    [
        ("within the cooldown", spec_document(), {}),
        ("mode Manual", None, {}),
        ("never checked", None, {"last_check": None}),
    ],
)
def test_a_retraining_that_is_asked_for_starts_at_once(case, document, fields):
    """Whoever asks has reasons of their own."""
    seen = replace(asked(retrain="please", document=document, **fields), jobs=())
    order = ordered(seen)

    assert order is not None, case
    assert (order.name, order.slot) == ("churn-retrain-2", HALF_PAST)
    assert order.manifest["metadata"]["annotations"]["selfheal.dev/request"] == "please"


@pytest.mark.parametrize(
    ("case", "seen", "reason"),
    [
        ("suspended", asked(retrain="a", document=spec_document(suspend=True)), Reason.SUSPENDED),
        (
            "disabled",
            asked(retrain="a", document=spec_document(retraining={"mode": "Disabled"})),
            Reason.RETRAINING_DISABLED,
        ),
        ("another one runs", asked(job(RETRAIN, number=2), retrain="a"), Reason.DRIFT_TRIGGERED),
    ],
)
def test_what_stands_in_the_way_of_a_requested_retraining_is_told(case, seen, reason):
    """It is waited for, as long as the request stands."""
    assert ordered(seen) is None, case
    assert retraining_condition(seen)["reason"] == reason, case


def test_a_requested_retraining_is_echoed_and_answers_the_drift_before_it():
    """The drift that was found before it is not answered once more."""
    eager = spec_document(retraining={"cooldownSeconds": 0})
    running = job(RETRAIN, slot=HALF_PAST, number=2, request="a", created=HALF_PAST)
    seen = asked(running, retrain="a", document=eager)

    plan = plan_monitor(seen, HALF_PAST + SECOND)
    assert status_written(plan) is not None
    assert status_written(plan)["lastHandledRetrainRequest"] == "a"
    assert status_written(plan)["retraining"]["count"] == 2
    assert retraining_condition(seen)["reason"] == Reason.RETRAINING_REQUESTED

    told = last_retraining(HALF_PAST, job_name="churn-retrain-2")
    ended = asked(replace(running, finished=True), retrain="a", document=eager, last_retraining=told)
    assert ordered(ended, HALF_PAST + MINUTE) is None


def test_a_handled_retraining_is_not_started_again():
    """The echo is all that is left of it by then."""
    assert ordered(asked(retrain="a", last_handled_retrain_request="a")) is None
