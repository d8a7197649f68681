from datetime import UTC, datetime
from typing import Any

import pytest

from selfheal_jobs.retrain.decision import Decision
from selfheal_jobs.retrain.version_description import description_of
from selfheal_operator.api.reasons import Purpose, Reason, RetrainResult
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import LastRetraining, MetricComparison, TrainingRows
from support.builders.run_requests import run_request

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMPARED = MetricComparison(
    name="f1_macro",
    candidate="0.7571",
    champion="0.7093",
    difference="0.0478",
    lower="0.0196",
    upper="0.0772",
)


def asked(**more: Any) -> RunRequest:
    """Return the request for a retraining."""
    return run_request(Purpose.RETRAIN, job_name="churn-retrain-2").replaced(**more)


def decision(compared: MetricComparison = COMPARED) -> Decision:
    """Return the decision to register a linear model."""
    outcome = LastRetraining(
        scheduled_time=NOON,
        job_name="churn-retrain-2",
        result=RetrainResult.REGISTERED,
        reason=Reason.MODEL_REGISTERED,
        message="better",
        candidate="linear",
        champion_version="1" if compared.champion else None,
        metrics=[compared, MetricComparison(name="accuracy", candidate="0.9000")],
        rows=TrainingRows(train=2000, test=400),
        observed_generation=3,
    )
    return Decision(outcome=outcome, learnt_rows=2400)


def test_a_description_says_who_trained_the_version_why_its_score_and_its_rows() -> None:
    """The score stands beside the champion's, on the same rows."""
    assert description_of(asked(triggers=("DataDrift", "errors")), decision()) == (
        "Trained by the ModelMonitor team-a/churn (Job churn-retrain-2), because its check of "
        "2026-11-23T06:00:00Z breached DataDrift, errors. "
        "On 400 held-out rows its f1_macro is 0.7571, that of version 1 is 0.7093: better by 0.0478 "
        "(0.0196 to 0.0772). The candidate linear has learnt 2400 rows."
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "as requested at 2026-11-23T06:00:00Z."),
        ({"force": True}, "as requested at 2026-11-23T06:00:00Z with force."),
        (
            {"force": True, "ignore_champion": True},
            "as requested at 2026-11-23T06:00:00Z with force and ignoreChampion.",
        ),
    ],
)
def test_a_request_is_the_reason_of_a_requested_retraining(options: dict[str, bool], said: str) -> None:
    """With its options: they explain a version that the gates would have refused."""
    assert f"(Job churn-retrain-2), {said} On 400" in description_of(asked(**options), decision())


def test_a_version_without_a_champion_was_compared_with_none() -> None:
    """It is the first one, or its request had the option ignoreChampion."""
    alone = MetricComparison(name="f1_macro", candidate="0.7571")

    assert "its f1_macro is 0.7571; it was compared with no earlier version. The candidate" in description_of(
        asked(), decision(alone)
    )
