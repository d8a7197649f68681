"""When the demo is over, and when it may say that all went well."""

import pytest

from demo.expectations import Outcome, disappointment, is_settled
from demo.scenarios import FLIGHTS_AIRTIME, FLIGHTS_DELAY, SYNTHETIC, Scenario
from selfheal_operator.api.reasons import CheckResult, Purpose, RetrainResult
from selfheal_operator.api.v1alpha1.status import ActiveJob, ModelMonitorStatus
from support.builders.objects import model_version

TIME = "2026-01-01T00:00:00Z"


def status(
    *, check: CheckResult | None = None, retraining: RetrainResult | None = None, count: int = 0
) -> ModelMonitorStatus:
    """Return a status with these outcomes."""
    run = {
        "scheduledTime": TIME,
        "jobName": "job",
        "reason": "Some",
        "message": "why",
        "observedGeneration": 1,
    }
    return ModelMonitorStatus.from_wire(
        {
            "lastCheck": run | {"result": check} if check else None,
            "lastRetraining": run | {"result": retraining} if retraining else None,
            "retraining": {"count": count},
        }
    )


def retrained(scenario: Scenario, *, before: float, after: float) -> Outcome:
    """Return the outcome of a registered retraining with these scores in every metric."""
    metric = scenario.primary_metric
    done = status(check=CheckResult.DRIFT, retraining=RetrainResult.REGISTERED, count=1)
    return Outcome(scenario, done, before={metric: before}, after={metric: after})


@pytest.mark.parametrize(
    ("scenario", "seen", "settled"),
    [
        (SYNTHETIC, status(), False),
        (SYNTHETIC, status(check=CheckResult.ERROR), False),
        (SYNTHETIC, status(check=CheckResult.NO_DRIFT), True),
        (SYNTHETIC, status(check=CheckResult.DRIFT), True),
        (FLIGHTS_DELAY, status(check=CheckResult.DRIFT), False),
        (FLIGHTS_DELAY, status(check=CheckResult.DRIFT, retraining=RetrainResult.FAILED), True),
    ],
)
def test_the_story_is_over_when_nothing_more_is_expected(
    scenario: Scenario, seen: ModelMonitorStatus, *, settled: bool
) -> None:
    """A verdict ends the quiet monitor's story; a finished retraining, good or bad, the others'."""
    assert is_settled(scenario, seen) is settled


def test_a_retraining_is_waited_for_until_the_operator_has_seen_its_end() -> None:
    """The report comes first; a moment later its Job is no longer active, and the status is at rest."""
    refused = status(check=CheckResult.DRIFT, retraining=RetrainResult.NOT_IMPROVED, count=1)
    job = ActiveJob(name="m-retrain-1", uid="1", purpose=Purpose.RETRAIN)

    assert not is_settled(FLIGHTS_DELAY, refused.replaced(active=[job]))
    assert is_settled(FLIGHTS_DELAY, refused)


def test_a_registered_version_is_waited_for_until_it_is_promoted() -> None:
    """Before that, `status.model` shows the version before, or none."""
    reported = status(check=CheckResult.DRIFT, retraining=RetrainResult.REGISTERED, count=1)
    assert reported.last_retraining is not None
    reported = reported.replaced(last_retraining=reported.last_retraining.replaced(version="2"))

    assert not is_settled(FLIGHTS_DELAY, reported)
    assert not is_settled(FLIGHTS_DELAY, reported.replaced(model=model_version("1")))
    assert is_settled(FLIGHTS_DELAY, reported.replaced(model=model_version("2")))


def test_a_quiet_monitor_is_as_expected() -> None:
    """No drift, no retraining."""
    assert disappointment(Outcome(SYNTHETIC, status(check=CheckResult.NO_DRIFT), {}, None)) is None


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (status(), "was never checked"),
        (status(check=CheckResult.DRIFT), "should not drift, but its last check says Drift"),
        (status(check=CheckResult.INCONCLUSIVE), "says Inconclusive: why"),
        (status(check=CheckResult.NO_DRIFT, count=1), "should stay quiet, but was retrained 1 times"),
    ],
)
def test_a_monitor_that_was_not_quiet_is_told(seen: ModelMonitorStatus, sentence: str) -> None:
    """The sentence names the monitor and what it did."""
    told = disappointment(Outcome(SYNTHETIC, seen, {}, None))

    assert told is not None
    assert told.startswith("synthetic: ")
    assert sentence in told


@pytest.mark.parametrize(
    ("scenario", "before", "after", "good"),
    [
        (FLIGHTS_DELAY, 0.5, 0.51, True),
        (FLIGHTS_DELAY, 0.5, 0.5, False),
        (FLIGHTS_DELAY, 0.5, 0.49, False),
        (FLIGHTS_AIRTIME, 10.0, 9.9, True),
        (FLIGHTS_AIRTIME, 10.0, 10.0, False),
        (FLIGHTS_AIRTIME, 10.0, 10.1, False),
    ],
)
def test_a_retrained_model_must_be_strictly_better(
    scenario: Scenario, before: float, after: float, *, good: bool
) -> None:
    """By its primary metric: more F1, or less error. As good as before is not better."""
    assert (disappointment(retrained(scenario, before=before, after=after)) is None) is good


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (status(check=CheckResult.DRIFT), "was never retrained"),
        (status(retraining=RetrainResult.FAILED), "ended as Failed: why"),
        (status(retraining=RetrainResult.NOT_IMPROVED), "ended as NotImproved: why"),
        (status(retraining=RetrainResult.REGISTERED), "no new version"),
    ],
)
def test_a_retraining_that_did_not_come_to_its_end_is_told(seen: ModelMonitorStatus, sentence: str) -> None:
    """Each way to fail has its own sentence."""
    told = disappointment(Outcome(FLIGHTS_DELAY, seen, {"f1_macro": 0.5}, None))

    assert told is not None
    assert sentence in told
