"""What is remembered of promotions: which one is next, and when one is tried again."""

from typing import Any

import pytest

from selfheal_operator.api.names import ENV_REQUEST
from selfheal_operator.api.reasons import (
    ConditionStatus,
    ConditionType,
    PromotionDirection,
    PromotionResult,
    Purpose,
    Reason,
    RetrainResult,
)
from selfheal_operator.api.request import PromotionOrder, RunRequest
from selfheal_operator.api.v1alpha1.status import PromotionIntent, PromotionStatus
from selfheal_operator.core.jobs import promote_job, promote_job_name
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import JobDefaults
from selfheal_operator.core.promotion_record import promotion_record, retry_time
from selfheal_operator.core.situation import assess
from selfheal_operator.core.status import operator_status
from support.builders.objects import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    finished_job,
    job,
    last_promotion,
    last_retraining,
    model_version,
    monitor,
    observed,
    settled,
    spec_document,
    status,
)
from support.builders.steps import events_told, job_created, status_written

FAILED, STOPPED, PROMOTED = PromotionResult.FAILED, PromotionResult.STOPPED, PromotionResult.PROMOTED
RETRAINED = NOON - 10 * MINUTE


def rare(**fields):
    """Return a spec whose checks are not due here."""
    return spec_document(schedule="0 0 1 1 *", **fields)


def intent(**fields) -> PromotionIntent:
    """Return the intent to move the alias from version 7 to version 8."""
    told: dict[str, Any] = {
        "version": "8",
        "expected_version": "7",
        "approved_by": "the gates",
        "decided_time": NOON,
    }
    return PromotionIntent(**(told | fields))


def registered(*, document=None, outcome=None, alias_version="7", **fields):
    """Return a monitor whose retraining has registered version 8 over version 7."""
    told = {
        "last_retraining": last_retraining(RETRAINED, version="8", alias_version=alias_version),
        "challenger": model_version("8"),
        "retraining": {"count": 1, "last_start_time": RETRAINED, "last_trigger_time": RETRAINED},
    }
    return monitor(
        document or rare(), status(**(told | ({"last_retraining": outcome} if outcome else {}) | fields))
    )


def record(monitor_, *jobs, now=NOON) -> PromotionStatus:
    """Return the record at noon."""
    return promotion_record(monitor_, jobs, monitor_.read_spec(), now)


def test_a_version_that_passed_its_gates_is_promoted_from_the_one_that_it_was_compared_with():
    """The intent has the number of the Job, the version, and where the alias was at the comparison."""
    seen = record(registered())

    assert (seen.count, seen.last_retraining_time) == (1, RETRAINED)
    assert seen.intent == intent(approved_by="the gates of churn-retrain-1")


def test_a_first_version_expects_that_there_is_no_alias():
    """An alias that somebody sets meanwhile is then left where it is."""
    seen = record(registered(alias_version=None)).intent

    assert seen is not None
    assert seen.expected_version is None


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        ("mode None", registered(document=rare(promotion={"mode": "None"}))),
        ("suspended", registered(document=rare(suspend=True))),
        ("Observe", registered(document=rare(mode="Observe"))),
        ("refused", registered(outcome=last_retraining(RETRAINED, RetrainResult.NOT_IMPROVED))),
        ("an image that knows of no promotion", registered(challenger=None)),
        ("the challenger of an earlier retraining", registered(challenger=model_version("6"))),
        ("another target since", registered(challenger=model_version("8", target="revenue"))),
        ("decided before", registered(promotion=PromotionStatus(last_retraining_time=RETRAINED))),
    ],
)
def test_nothing_is_promoted(case, seen):
    """Each case has a version, and a reason to leave the alias where it is."""
    assert record(seen).intent is None, case


def test_what_was_registered_while_the_mode_was_none_is_not_promoted_later():
    """The decision to promote nothing is a decision."""
    seen = settled(observed(registered(document=rare(promotion={"mode": "None"}))))
    later = registered(promotion=seen.monitor.status.promotion)

    assert seen.monitor.status.promotion.last_retraining_time == RETRAINED
    assert record(later).intent is None


def test_what_a_suspension_held_back_is_promoted_afterwards():
    """Unlike mode None, it only delays."""
    seen = settled(observed(registered(document=rare(suspend=True))))
    later = registered(promotion=seen.monitor.status.promotion)

    assert record(later).intent is not None


def test_the_intent_is_stored_before_its_job_is_created():
    """Two operators cannot both store one: the write fails where the status has changed."""
    seen = observed(registered(), finished_job(Purpose.RETRAIN, RETRAINED))
    first = plan_monitor(seen, NOON)
    assert job_created(first) is None
    assert status_written(first)["promotion"]["intent"]["version"] == "8"

    created = job_created(plan_monitor(settled(seen), NOON + MINUTE))
    assert created is not None
    assert (created.purpose, created.name, created.slot) == (
        Purpose.PROMOTE,
        promote_job_name("churn", 1),
        NOON,
    )


def promoting(*jobs, **fields):
    """Return a monitor whose promotion is decided."""
    told = PromotionStatus(count=1, intent=intent(), last_retraining_time=RETRAINED)
    return observed(registered(promotion=told, **fields), finished_job(Purpose.RETRAIN, RETRAINED), *jobs)


def test_a_promotion_that_runs_is_not_created_again_and_holds_up_retrainings():
    """The champion that a retraining would be compared with is about to change."""
    seen = promoting(job(Purpose.PROMOTE))
    assert record(seen.monitor, *seen.jobs).intent == intent()
    assert job_created(plan_monitor(settled(seen), NOON)) is None

    situation = assess(seen, NOON)
    assert situation.objection is not None
    found = operator_status(situation).conditions
    promoted = next(each for each in found if each.type == ConditionType.PROMOTED)
    assert (promoted.status, promoted.reason) == (ConditionStatus.UNKNOWN, Reason.PROMOTION_RUNNING)
    assert promoted.message == (
        "Job churn-promote-1 sets the alias to version 8, if the alias is on version 7; decided by the gates"
    )


@pytest.mark.parametrize("result", [STOPPED, PROMOTED])
def test_a_promotion_with_an_end_is_settled(result):
    """Also one that was stopped: trying again would not help."""
    seen = promoting(last_promotion=last_promotion(result=result))

    assert record(seen.monitor, now=NOON + HOUR).count == 1
    assert retry_time(seen.monitor.status.promotion, seen.monitor.status) is None


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 30), (2, 60), (8, 3600)])
def test_a_promotion_without_an_end_is_tried_again_after_a_pause_that_doubles(attempts, seconds):
    """At most an hour. The Job has the next number, and everything else of the decision stays."""
    failed = last_promotion(result=FAILED)
    told = PromotionStatus(count=4, intent=intent(attempts=attempts), last_retraining_time=RETRAINED)
    seen = registered(promotion=told, last_promotion=failed)
    due = failed.completion_time + seconds * SECOND

    assert retry_time(told, seen.status) == due
    assert record(seen, now=due - SECOND) == told
    again = record(seen, now=due)
    assert (again.count, again.intent) == (5, intent(attempts=attempts + 1, decided_time=due))


def test_what_is_recorded_of_the_version_before_is_kept_for_a_way_back():
    """Also when the promotion is tried again, after the present version was found to be another."""
    before = model_version("7", digest="a" * 64)
    first = record(registered(model=before))
    assert first.previous == before

    told = first.replaced(intent=intent())
    seen = registered(promotion=told, last_promotion=last_promotion(result=FAILED), model=model_version("8"))
    again = record(seen, now=NOON + HOUR)
    assert again.intent is not None
    assert again.intent.attempts == 2
    assert again.previous == before


def test_of_a_version_that_the_status_does_not_know_nothing_is_kept():
    """A rollback to it then shows it without a digest."""
    assert record(registered(model=model_version("6"))).previous is None


def test_a_rollback_knows_the_version_that_it_goes_back_to():
    """Its Job shows it with the digest that was recorded."""
    before = model_version("7", digest="a" * 64)
    told = PromotionStatus(
        count=2,
        intent=intent(version="7", expected_version="8", direction=PromotionDirection.ROLLBACK),
        previous=before,
    )
    back = told.intent
    assert back is not None

    seen = registered(promotion=told, model=model_version("8"))
    job_ = promote_job(seen, seen.read_spec(), 2, back, JobDefaults(tracking_uri="http://mlflow"))
    assert order_in(job_).known == before


def order_in(manifest: dict[str, Any]) -> PromotionOrder:
    """Return what a Job is asked to do."""
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    text = next(each["value"] for each in container["env"] if each["name"] == ENV_REQUEST)
    order = RunRequest.from_json(text).promotion
    assert order is not None
    return order


def test_a_newer_version_takes_the_place_of_one_that_waits_for_its_next_attempt():
    """It was compared with the version that has the alias, whichever that is by now."""
    newer = last_retraining(NOON, version="9", alias_version="7", job_name="churn-retrain-2")
    told = PromotionStatus(count=1, intent=intent(), last_retraining_time=RETRAINED)
    seen = registered(
        outcome=newer,
        challenger=model_version("9"),
        promotion=told,
        last_promotion=last_promotion(result=FAILED),
    )

    found = record(seen, now=NOON + 2 * SECOND)
    assert found.intent is not None
    assert (found.count, found.intent.version, found.intent.attempts) == (2, "9", 1)


def test_each_intent_is_later_than_all_others():
    """Reports are ordered by it, and a clock may have gone back."""
    told = PromotionStatus(count=1, intent=intent(), last_retraining_time=RETRAINED - HOUR)
    seen = registered(promotion=told, last_promotion=last_promotion())

    found = record(seen, now=NOON - HOUR).intent
    assert found is not None
    assert found.decided_time == NOON + SECOND


def test_a_number_that_a_job_has_is_not_given_again():
    """Where a status was restored from a backup, the Jobs are the record."""
    assert record(registered(), finished_job(Purpose.PROMOTE, number=6)).count == 7


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (PROMOTED, ("True", "ModelPromoted", "Normal")),
        (STOPPED, ("False", "AliasMovedElsewhere", "Warning")),
        (FAILED, ("False", "MLflowUnavailable", "Warning")),
    ],
)
def test_the_end_of_a_promotion_is_told_once(result, expected):
    """In the condition Promoted, and by one Event."""
    seen = settled(promoting(job(Purpose.PROMOTE)), NOON)
    ended = registered(
        conditions=seen.monitor.status.conditions,
        promotion=seen.monitor.status.promotion,
        last_promotion=last_promotion(result=result),
    )
    plan = plan_monitor(observed(ended, finished_job(Purpose.PROMOTE)), NOON + SECOND)

    condition = next(each for each in status_written(plan)["conditions"] if each["type"] == "Promoted")
    told = [each for each in events_told(plan) if each.reason == expected[1]]
    assert [(condition["status"], each.reason, each.type) for each in told] == [expected]


def test_a_forged_report_of_a_promotion_ends_none():
    """One of a Job that never was, or of the year 9999, would leave the version where it is for good."""
    forged = last_promotion(NOON + 9 * HOUR, job_name=promote_job_name("churn", 9))
    seen = observed(
        registered(
            promotion=PromotionStatus(count=1, intent=intent(), last_retraining_time=RETRAINED),
            last_promotion=forged,
        )
    )

    created = job_created(plan_monitor(settled(seen), NOON))
    assert created is not None
    assert created.purpose is Purpose.PROMOTE
