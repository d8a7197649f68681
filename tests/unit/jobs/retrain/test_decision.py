from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from selfheal_jobs.retrain.decision import Attempt, Decision, Findings, all_failed, decide
from selfheal_jobs.retrain.gates import Evidence, Examined
from selfheal_jobs.retrain.scores import all_metrics
from selfheal_jobs.retrain.tallies import Sums, class_tallies, of_words, units_of
from selfheal_operator.api.reasons import Purpose, Reason, RetrainResult, Task
from selfheal_operator.api.v1alpha1.promotion import Promotion
from selfheal_operator.api.v1alpha1.status import GateResult, LastRetraining, TrainingRows
from support.builders.run_requests import run_request

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ATTEMPT = Attempt(run_request(Purpose.RETRAIN, job_name="churn-retrain-1"), started=NOON)
LABELS = of_words(np.array(["no", "yes"] * 100, dtype=object))


def right_in(rows: int) -> Sums:
    """Return a classifier that is right in the first rows, so many of 200."""
    answers = np.where(np.arange(200) < rows, LABELS.codes, 1 - LABELS.codes)
    return class_tallies(answers, LABELS, units_of(None, 200, seed=0))


def examined(name: str, rows: int) -> Examined:
    """Return a classifier by its name."""
    sums = right_in(rows)
    return Examined(name=name, sums=sums, metrics=all_metrics(Task.CLASSIFICATION, sums))


def decided(
    *failed: str,
    champion: int | None = None,
    problems: Mapping[str, str] | None = None,
    mode: Any = "None",
    **more: Any,
) -> LastRetraining:
    """Return the outcome of a winner that is right in 180 of 200 rows, and fails these gates."""
    evidence = Evidence(
        rules=Promotion(mode=mode),
        task=Task.CLASSIFICATION,
        metric="accuracy",
        seed=1,
        rows=200,
        winner=examined("forest", 180),
        champion=None if champion is None else examined("version 7", champion),
        baselines={"the most frequent class": right_in(100)},
    )
    names = ["baseline", "champion", "leak"]
    findings = Findings(
        evidence=evidence,
        gates=[GateResult(name=name, passed=name not in failed, message="why") for name in names],
        rows=TrainingRows(train=800, test=200),
        parent_run_id="parent",
        champion_version=None if champion is None else "7",
        problems=problems,
        **more,
    )
    return decide(ATTEMPT, findings, NOON)


def test_what_passes_all_gates_is_registered() -> None:
    """The first version too."""
    outcome = decided()

    assert (outcome.result, outcome.reason) == (RetrainResult.REGISTERED, Reason.MODEL_REGISTERED)
    assert outcome.candidate == "forest"
    assert outcome.message == "forest has accuracy 0.9000 on 200 held-out rows; there was no version before."


def test_the_difference_to_the_champion_is_told_with_its_interval() -> None:
    """In the message, and beside the primary metric, which comes first."""
    outcome = decided(champion=160)

    assert outcome.message.startswith(
        "forest has accuracy 0.9000 on 200 held-out rows, version 7 has 0.8000: better by 0.1000 (0.0"
    )
    first = outcome.metrics[0]
    assert (first.name, first.candidate, first.champion) == ("accuracy", "0.9000", "0.8000")
    assert float(str(first.lower)) < float(str(first.difference)) == 0.1 < float(str(first.upper))
    assert [each.difference for each in outcome.metrics[1:]] == [None] * 3


def test_the_same_answers_are_no_gain() -> None:
    """And not better by -0.0000."""
    outcome = decided("champion", champion=180)

    assert "version 7 has 0.9000: equal (0.0000 to 0.0000); no improvement" in outcome.message
    assert outcome.message.endswith("; the difference to the present version is no gain.")


def test_a_version_that_is_ignored_as_requested_is_named() -> None:
    """It is there, and its place in the row of versions is known."""
    outcome = decided(ignored_version="2")

    assert outcome.message.endswith("; compared with none, as requested (version 2 is present).")


def test_one_failed_gate_is_enough() -> None:
    """A gate that is not about an improvement has a reason of its own."""
    worse, suspicious = decided("champion", champion=179), decided("leak", champion=160)

    assert (worse.result, worse.reason) == (RetrainResult.NOT_IMPROVED, Reason.NO_IMPROVEMENT)
    assert "; no improvement, nothing registered; the difference to the present version is" in worse.message
    assert "within chance: better in 6" in worse.message
    assert worse.message.endswith("% of the resamples, 90.1% needed.")
    assert (suspicious.result, suspicious.reason) == (RetrainResult.NOT_IMPROVED, Reason.GATE_FAILED)
    assert suspicious.message.endswith("; nothing registered; leak: why.")


@pytest.mark.parametrize("mode", ["Auto", "Manual"])
def test_what_only_a_gate_for_a_person_refuses_is_registered_for_them_to_decide(mode: str) -> None:
    """They know the columns; where nobody is asked, it is refused."""
    asked = decided("leak", champion=160, mode=mode)

    assert (asked.result, asked.reason) == (RetrainResult.REGISTERED, Reason.MODEL_REGISTERED)
    assert asked.message.endswith("; a person has to decide; leak: why.")
    assert [gate.name for gate in asked.gates if not gate.passed] == ["leak"]
    assert decided("leak", "champion", champion=179, mode=mode).result is RetrainResult.NOT_IMPROVED


def test_remarks_and_candidates_that_failed_are_told() -> None:
    """The failed ones last."""
    outcome = decided(problems={"broken": "ValueError"}, remarks=("the held-out rows are the newest",))

    assert outcome.message.endswith("; the held-out rows are the newest; failed: broken.")


def test_when_all_failed_each_problem_is_told() -> None:
    """And nothing is registered."""
    problems = {"a": "no such estimator", "b": "ValueError: C"}
    decision = all_failed(ATTEMPT, problems, "parent", NOON, remarks=("one value is odd",))

    assert (decision.outcome.result, decision.outcome.reason) == (
        RetrainResult.FAILED,
        Reason.TRAINING_FAILED,
    )
    assert decision.outcome.message == (
        "Every candidate failed. a: no such estimator; b: ValueError: C; one value is odd"
    )
    assert decision.model_uri is None


def test_too_few_new_rows_are_inconclusive() -> None:
    """Nobody failed, and nothing was compared."""
    early = ATTEMPT.failed(NOON, Reason.TOO_FEW_NEW_ROWS, "18 of 318").last_retraining
    failed = ATTEMPT.failed(NOON, Reason.TOO_FEW_ROWS, "12 rows").last_retraining

    assert (early.result, failed.result) == (RetrainResult.INCONCLUSIVE, RetrainResult.FAILED)


def test_a_decision_survives_being_stored() -> None:
    """As JSON in a tag of at most 8,000 characters, however much there is to tell."""
    remarks = tuple("x" * 300 for _ in range(10))
    outcome = decided(champion=160, remarks=remarks).replaced(
        gates=[GateResult(name=f"gate-{number}", passed=True, message="y" * 240) for number in range(7)]
    )
    decision = Decision(outcome=outcome, version_tags={"selfheal.score": "0.9"}, trained_until_time=NOON)

    text = decision.to_json()

    assert len(text) < 8000
    assert Decision.from_json(text) == decision


def test_an_outcome_belongs_to_its_job_slot_and_generation() -> None:
    """By them the operator knows whose it is."""
    outcome = decided()

    assert (outcome.job_name, outcome.observed_generation) == ("churn-retrain-1", 3)
    assert (outcome.scheduled_time, outcome.start_time) == (datetime(2026, 11, 23, 6, tzinfo=UTC), NOON)
