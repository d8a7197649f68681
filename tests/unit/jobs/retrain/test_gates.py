import re
from typing import Any

import numpy as np
import pytest

from selfheal_jobs.retrain.gates import Evidence, Examined, PastScore, Slice, results_of
from selfheal_jobs.retrain.scores import all_metrics
from selfheal_jobs.retrain.tallies import Sums, class_tallies, of_words, quantity_tallies, units_of
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.promotion import Promotion
from selfheal_operator.api.v1alpha1.status import GateResult

ROWS = 400
LABELS = of_words(np.array(["no", "yes"] * (ROWS // 2), dtype=object))
UNITS = units_of(None, ROWS, seed=0)


def right_in(rows: int, first: int = 0) -> Sums:
    """Return a classifier that is right in so many rows, and wrong in as many before and all after them."""
    answers = 1 - LABELS.codes
    chosen = np.roll(np.arange(ROWS) < rows, first)
    return class_tallies(np.where(chosen, LABELS.codes, answers), LABELS, UNITS)


def with_error(error: float) -> Sums:
    """Return a regressor that errs by this or its opposite."""
    signs = np.array([1, -1] * (ROWS // 2))
    return quantity_tallies(error * signs, np.zeros(ROWS), UNITS)


def examined(name: str, sums: Sums, task: Task = Task.CLASSIFICATION) -> Examined:
    """Return a model by its tallies."""
    return Examined(name=name, sums=sums, metrics=all_metrics(task, sums))


def gates(winner: int = 360, champion: int | None = None, **more: Any) -> dict[str, GateResult]:
    """Return the gates of a winner that is right in so many of 400 rows."""
    rules = more.pop("rules", {})
    present = None if champion is None else examined("version 7", right_in(champion))
    running = more.pop("running", None)
    evidence = Evidence(
        rules=Promotion.from_wire(rules),
        task=Task.CLASSIFICATION,
        metric="accuracy",
        seed=1,
        rows=ROWS,
        winner=examined("linear", right_in(winner)),
        champion=present,
        running=None if running is None else examined("the column 'said'", right_in(running)),
        baselines={"the most frequent class": right_in(200, first=200)},
        **more,
    )
    return {result.name: result for result in results_of(evidence)}


@pytest.mark.parametrize(("right", "passed"), [(200, False), (220, False), (300, True), (400, True)])
def test_a_first_version_is_better_than_a_model_that_ignores_the_columns(right: int, *, passed: bool) -> None:
    """Beyond chance: 220 of 400 are what a coin reaches now and then."""
    found = gates(right)

    assert found["baseline"].passed is passed
    assert set(found) == {"baseline", "leak"}


def test_the_baseline_can_be_ignored() -> None:
    """Also that of the model that runs."""
    assert set(gates(200, running=390, rules={"baseline": "Ignore"})) == {"leak"}


@pytest.mark.parametrize(
    ("rule", "winner", "champion", "passed"),
    [
        ("NotWorse", 360, 360, False),
        ("NotWorse", 361, 360, False),
        ("NotWorse", 372, 360, True),
        ("NotWorse", 348, 360, False),
        ("Better", 361, 360, False),
        ("Better", 372, 360, True),
    ],
)
def test_a_champion_is_replaced_by_what_is_better_beyond_chance(
    rule: str, winner: int, champion: int, *, passed: bool
) -> None:
    """One row more is chance; twelve of 400, all others the same, are not."""
    assert gates(winner, champion, rules={"rule": rule})["champion"].passed is passed


def test_better_asks_for_more_than_not_worse() -> None:
    """A few rows more, of which the interval excludes a loss of a hundredth and not zero."""
    both = {rule: gates(363, 360, rules={"rule": rule})["champion"].passed for rule in ("NotWorse", "Better")}

    assert both == {"NotWorse": True, "Better": False}


@pytest.mark.parametrize(
    ("rules", "winner", "said"),
    [
        (
            {},
            361,
            r"better by 0.0025 \(0.0000 to 0.0075 .*\); within chance: better in 6\d.\d% of .*, 90.1% needed",
        ),
        ({}, 363, r"\); better in 9\d.\d% of the resamples, 90.1% needed"),
        ({"rule": "Better"}, 361, "within chance: its interval does not exclude zero"),
        ({"rule": "Better"}, 380, r"with confidence 0.9\)"),
        ({}, 350, r"worse by 0.0250 .*; no gain"),
    ],
)
def test_the_gate_shows_what_decides(rules: dict[str, Any], winner: int, said: str) -> None:
    """NotWorse asks for a share of the resamples, Better for an interval."""
    message = gates(winner, 360, rules=rules)["champion"].message

    assert re.search(f"{said}$", message), message


def test_a_loss_that_is_not_excluded_is_told_with_the_margin() -> None:
    """Better in most resamples, and perhaps much worse: right in other rows than the champion."""
    evidence = Evidence(
        rules=Promotion.from_wire({"margin": 0.001}),
        task=Task.CLASSIFICATION,
        metric="accuracy",
        seed=1,
        rows=ROWS,
        winner=examined("linear", right_in(292, first=100)),
        champion=examined("version 7", right_in(270)),
        baselines={"the most frequent class": right_in(100)},
    )

    (found,) = (each for each in results_of(evidence) if each.name == "champion")

    assert not found.passed
    assert found.message.endswith("; not safe: a loss of more than 0.001 is not excluded"), found.message


def test_the_baseline_shows_its_interval_and_whether_the_rows_may_be_too_few() -> None:
    """248 of 400 are better than 200 in most resamples, and 200 are not."""
    enough, few, nothing = (gates(right)["baseline"].message for right in (300, 248, 200))

    assert re.fullmatch(
        r"better than the most frequent class \(accuracy 0.5000\) beyond chance: "
        r"better by 0.2500 \(0.\d{4} to 0.\d{4} with confidence 0.999\)",
        enough,
    )
    assert few.endswith("with confidence 0.999); 400 held-out rows may be too few"), few
    assert nothing.endswith("with confidence 0.999)")


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (1.0, "version 7 2000.0000: better by 1000.0000 (1000.0000 to 1000.0000 with"),
        (1e100, "version 7 2e+103: better by 1e+103 (1e+103 to 1e+103 with"),
    ],
)
def test_a_margin_of_an_error_is_relative(unit: float, said: str) -> None:
    """A hundredth of the champion's error, whatever the unit; a huge one is written with an exponent."""
    evidence = Evidence(
        rules=Promotion(),
        task=Task.REGRESSION,
        metric="root_mean_squared_error",
        seed=1,
        rows=ROWS,
        winner=examined("linear", with_error(1000.0 * unit), Task.REGRESSION),
        champion=examined("version 7", with_error(2000.0 * unit), Task.REGRESSION),
        baselines={"the mean": with_error(5000.0 * unit)},
    )

    found = {result.name: result for result in results_of(evidence)}

    assert found["champion"].passed
    assert said in found["champion"].message


@pytest.mark.parametrize(("running", "passed"), [(392, False), (360, False), (300, True)])
def test_the_model_that_runs_counts_by_its_answers_in_the_data(running: int, *, passed: bool) -> None:
    """Before there is a version in the registry."""
    assert gates(360, running=running)["prediction"].passed is passed


@pytest.mark.parametrize(
    ("winner", "then", "passed"),
    [(300, 0.75, True), (300, 1.0, True), (299, 1.0, False), (280, 0.95, False)],
)
def test_most_of_the_skill_of_the_champion_has_to_be_kept(winner: int, then: float, *, passed: bool) -> None:
    """Half of the way from the baseline, 0.5, to what it had when it was registered."""
    past = PastScore(metric="accuracy", score=then, baseline=0.5)

    found = gates(winner, 200, past=past)

    assert found["health"].passed is passed
    assert ("a feed may be broken" in found["health"].message) is not passed


def test_a_score_by_another_metric_says_nothing_of_health() -> None:
    """The spec may have changed."""
    assert "health" not in gates(300, 200, past=PastScore(metric="f1_macro", score=1.0, baseline=0.5))


def test_a_column_that_gives_the_target_away_is_named() -> None:
    """With what to do about it."""
    found = gates(giveaway="closed_because")["leak"]

    assert not found.passed
    assert "'closed_because' alone tells the target" in found.message


def test_no_mistake_at_all_is_suspicious() -> None:
    """Unless somebody has vouched for the columns."""
    assert not gates(400, perfect=True)["leak"].passed
    assert gates(400, perfect=False)["leak"].passed


def test_a_slice_where_the_winner_is_worse_is_named() -> None:
    """Better as a whole does not outweigh it."""
    bad = Slice(name="plan=basic", rows=400, winner=right_in(300), champion=right_in(380))
    good = Slice(name="plan=pro", rows=400, winner=right_in(380), champion=right_in(300))

    found = gates(380, 360, slices=(bad, good))["slices"]

    assert not found.passed
    assert "plan=basic" in found.message
    assert "plan=pro" not in found.message


@pytest.mark.parametrize(
    ("gate", "passed"),
    [
        ({"threshold": 0.9}, True),
        ({"threshold": 0.901}, False),
        ({"minAbsoluteChange": 0.05}, True),
        ({"minAbsoluteChange": 0.051}, False),
        ({"minRelativeChange": 0.058}, True),
        ({"minRelativeChange": 0.06}, False),
    ],
)
def test_limits_have_the_meaning_of_metric_threshold(gate: dict[str, float], *, passed: bool) -> None:
    """Accuracy 0.9 against 0.85."""
    found = gates(360, 340, rules={"gates": [{"metric": "accuracy", **gate}]})

    assert found["limits"].passed is passed


def test_changes_need_a_champion() -> None:
    """As in MLflow, where there is no baseline model."""
    assert gates(360, rules={"gates": [{"metric": "accuracy", "minAbsoluteChange": 0.5}]})["limits"].passed


def test_a_winner_that_unlearns_a_class_is_refused() -> None:
    """Its scores are over the classes that are left."""
    found = gates(400 - 5, vanished=("fraud",))["classes"]

    assert not found.passed
    assert "no current row has the class 'fraud' of the reference" in found.message
