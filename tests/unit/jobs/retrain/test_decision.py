from datetime import UTC, datetime
from typing import Any

import pytest

from selfheal_jobs.retrain.champion import Champion
from selfheal_jobs.retrain.decision import Attempt, Decision, LoggedModel, TrainingOutcome, decide
from selfheal_jobs.retrain.training import Trained
from selfheal_operator.api.reasons import Purpose, Reason, RetrainResult, Task
from selfheal_operator.api.v1alpha1.retraining import Candidate
from selfheal_operator.api.v1alpha1.status import TrainingRows
from support.builders.run_requests import run_request

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def trained(name: str, f1: float | None, problem: str = "") -> Trained:
    """Return a candidate with that score, or one that failed."""
    metrics = {} if f1 is None else {"f1_macro": f1, "accuracy": 0.9}
    candidate = Candidate(name=name, estimator="sklearn.dummy.DummyClassifier")
    return Trained(candidate=candidate, metrics=metrics, problem=problem)


def decided(*candidates: Trained, champion: Champion | None = None, request: Any = None) -> Decision:
    """Return what is decided of these candidates at noon."""
    request = request or run_request(Purpose.RETRAIN, job_name="churn-retrain-1")
    outcome = TrainingOutcome(
        candidates=candidates,
        logged={
            each.candidate.name: LoggedModel(run_id=f"run-{each.candidate.name}", uri=f"models:/{number}")
            for number, each in enumerate(candidates)
        },
        champion=champion,
        rows=TrainingRows(train=80, test=20),
        task=Task.CLASSIFICATION,
        parent_run_id="parent",
    )
    return decide(Attempt(request, started=NOON), outcome, NOON)


def version_seven(f1: float) -> Champion:
    """Return a champion with that score."""
    return Champion(version="7", metrics={"f1_macro": f1, "accuracy": 0.8})


def test_the_best_candidate_is_registered_where_there_was_none() -> None:
    """By its own run and model."""
    decision = decided(trained("linear", 0.7), trained("forest", 0.8))

    assert decision.outcome.result is RetrainResult.REGISTERED
    assert (decision.outcome.candidate, decision.model_uri) == ("forest", "models:/1")
    assert decision.model_run_id == "run-forest"
    assert decision.outcome.message == (
        "forest has f1_macro 0.8000 on 20 held-out rows; there was no version before."
    )


@pytest.mark.parametrize(
    ("champion", "result", "reason", "end"),
    [
        (0.6999, RetrainResult.REGISTERED, Reason.MODEL_REGISTERED, "version 7 has 0.6999."),
        (0.7, RetrainResult.NOT_IMPROVED, Reason.NO_IMPROVEMENT, "no improvement, nothing registered."),
        (0.7001, RetrainResult.NOT_IMPROVED, Reason.NO_IMPROVEMENT, "no improvement, nothing registered."),
    ],
)
def test_only_what_is_strictly_better_replaces_the_champion(
    champion: float, result: RetrainResult, reason: Reason, end: str
) -> None:
    """Both models' metrics are shown, whoever wins."""
    decision = decided(trained("linear", 0.7), champion=version_seven(champion))

    assert (decision.outcome.result, decision.outcome.reason) == (result, reason)
    assert decision.outcome.message.endswith(end)
    assert (decision.model_uri is not None) is (result is RetrainResult.REGISTERED)
    assert decision.outcome.champion_version == "7"
    assert [(each.name, each.champion) for each in decision.outcome.metrics] == [
        ("f1_macro", f"{champion:.4f}"),
        ("accuracy", "0.8000"),
    ]


def test_a_champion_that_could_not_be_scored_does_not_stand_in_the_way() -> None:
    """The message says that nothing was compared."""
    broken = Champion(version="7", metrics=None, problem="KeyError: 'plan'")

    decision = decided(trained("linear", 0.1), champion=broken)

    assert decision.outcome.result is RetrainResult.REGISTERED
    assert "version 7 could not be scored (KeyError: 'plan')" in decision.outcome.message


def test_candidates_that_failed_are_named() -> None:
    """The others decide."""
    decision = decided(trained("broken", None, "ValueError"), trained("linear", 0.7))

    assert decision.outcome.candidate == "linear"
    assert decision.outcome.message.endswith("; failed: broken.")


def test_when_all_failed_each_problem_is_told() -> None:
    """And nothing is registered."""
    decision = decided(trained("a", None, "no such estimator"), trained("b", None, "ValueError: C"))

    assert (decision.outcome.result, decision.outcome.reason) == (
        RetrainResult.FAILED,
        Reason.TRAINING_FAILED,
    )
    assert decision.outcome.message == "Every candidate failed. a: no such estimator; b: ValueError: C"
    assert decision.model_uri is None


def test_a_decision_survives_being_stored() -> None:
    """As JSON in a tag of at most 8,000 characters, however much went wrong."""
    decision = decided(*(trained(f"c{number}", None, "x" * 300) for number in range(10)))

    text = decision.to_json()

    assert len(text) < 8000
    assert Decision.from_json(text) == decision


def test_an_outcome_belongs_to_its_job_slot_and_generation() -> None:
    """By them the operator knows whose it is."""
    outcome = decided(trained("linear", 0.7)).outcome

    assert (outcome.job_name, outcome.observed_generation) == ("churn-retrain-1", 3)
    assert (outcome.scheduled_time, outcome.start_time) == (datetime(2026, 11, 23, 6, tzinfo=UTC), NOON)
