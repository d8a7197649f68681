"""Whether a monitor did what its scenario expects: the exit code of `make demo EXIT=1`."""

from dataclasses import dataclass

from demo.scenarios import Scenario
from demo.scores import Scores, improved
from selfheal_operator.api.reasons import CheckResult, Purpose, RetrainResult
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus


@dataclass(frozen=True)
class Outcome:
    """What came of one monitor."""

    scenario: Scenario
    status: ModelMonitorStatus
    before: Scores
    """Of version 1, on held-out current data."""
    after: Scores | None
    """Of the version that the loop registered, on the same rows; None if it registered none."""


def is_settled(scenario: Scenario, status: ModelMonitorStatus) -> bool:
    """Say whether there is nothing to wait for: no verdict, and where drift is expected, no retraining."""
    if scenario.drifts:
        return (
            status.last_retraining is not None and not is_retraining(status) and not awaits_promotion(status)
        )
    return status.last_check is not None and status.last_check.result is not CheckResult.ERROR


def awaits_promotion(status: ModelMonitorStatus) -> bool:
    """Say whether a version was registered and is not the champion yet."""
    retraining, model = status.last_retraining, status.model
    if retraining is None or retraining.result is not RetrainResult.REGISTERED:
        return False
    return model is None or model.version != retraining.version


def is_retraining(status: ModelMonitorStatus) -> bool:
    """Say whether a retraining Job is at work, as far as the operator knows."""
    return any(job.purpose is Purpose.RETRAIN for job in status.active)


def disappointment(outcome: Outcome) -> str | None:
    """Return a sentence on what is not as expected; None if all is."""
    found = _not_retrained(outcome) if outcome.scenario.drifts else _not_quiet(outcome.status)
    return f"{outcome.scenario.name}: {found}" if found else None


def _not_quiet(status: ModelMonitorStatus) -> str | None:
    if status.last_check is None:
        return "was never checked"
    if status.last_check.result is not CheckResult.NO_DRIFT:
        check = status.last_check
        return f"should not drift, but its last check says {check.result}: {check.message}"
    if status.retraining.count:
        return f"should stay quiet, but was retrained {status.retraining.count} times"
    return None


def _not_retrained(outcome: Outcome) -> str | None:
    retraining = outcome.status.last_retraining
    if retraining is None:
        return "was never retrained"
    if retraining.result is not RetrainResult.REGISTERED:
        return f"its retraining ended as {retraining.result}: {retraining.message}"
    if outcome.after is None:
        return "no new version can be found in MLflow"
    metric = outcome.scenario.primary_metric
    if not improved(metric, before=outcome.before, after=outcome.after):
        return (
            f"is no better on held-out current data: "
            f"{metric} was {outcome.before[metric]:.4f} and is {outcome.after[metric]:.4f}"
        )
    return None
