"""May the best candidate replace the champion? A list of gates, all of which have to pass. Pure."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct

from selfheal_jobs.names_shown import some
from selfheal_jobs.retrain.differences import difference, ends, share
from selfheal_jobs.retrain.fold_score import LOWER_IS_BETTER, gain
from selfheal_jobs.retrain.intervals import Interval, paired_interval
from selfheal_jobs.retrain.scores import skill, value
from selfheal_jobs.retrain.tallies import Sums
from selfheal_operator.api.model import format_number
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.promotion import MetricGate, Promotion
from selfheal_operator.api.v1alpha1.status import GateResult

BASELINE_CONFIDENCE: Final = 0.999
"""Of some hundred retrainings with nothing to learn, none is to pass."""
_PROBABLY: Final = 0.95
"""Share of better resamples from which a candidate is probably better than a baseline: rows are too few."""
_SKILL_KEPT: Final = 0.5
"""Share of the champion's skill at its promotion that a successor has to have."""


class Examined(Struct, frozen=True, kw_only=True):
    """A model on the held-out rows."""

    name: str
    sums: Sums
    metrics: Mapping[str, float]


class Slice(Struct, frozen=True, kw_only=True):
    """The held-out rows that have one value in one column."""

    name: str
    rows: int
    winner: Sums
    champion: Sums


class PastScore(Struct, frozen=True, kw_only=True):
    """The champion's score when it was registered, and that of the best baseline then."""

    metric: str
    score: float
    baseline: float


class Evidence(Struct, frozen=True, kw_only=True, dict=True):
    """Everything that the gates depend on."""

    rules: Promotion
    task: Task
    metric: str
    seed: int
    rows: int
    winner: Examined
    champion: Examined | None = None
    running: Examined | None = None
    """The answers in dataset.columns.prediction."""
    running_problem: str = ""
    """Why nobody can tell what these answers are worth."""
    baselines: Mapping[str, Sums]
    past: PastScore | None = None
    slices: tuple[Slice, ...] = ()
    giveaway: str | None = None
    """The column that gives the target away."""
    perfect: bool = False
    """The winner makes no mistake, and nobody has vouched for the columns."""
    vanished: tuple[str, ...] = ()
    """Classes of the reference that the winner has not learnt, since no current row has them."""

    def interval(self, other: Sums, confidence: float | None = None) -> Interval:
        """Return by how much the winner is better than another model."""
        level = self.rules.confidence if confidence is None else confidence
        return paired_interval(self.metric, self.winner.sums, other, confidence=level, seed=self.seed)

    @cached_property
    def over_champion(self) -> Interval | None:
        """By how much the winner is better than the champion; None if there is none. Several ask for it."""
        return self.interval(self.champion.sums) if self.champion else None

    def score(self, sums: Sums) -> float:
        """Return the primary metric."""
        return float(value(self.metric, sums.sum(axis=0)))

    def shown(self, sums: Sums) -> str:
        """Return the primary metric as messages and the status have it."""
        return format_number(self.score(sums))

    def best_baseline(self) -> tuple[str, Sums]:
        """Return the baseline that is hardest to beat."""
        key = max(
            self.baselines, key=lambda name: float(gain(self.metric, self.score(self.baselines[name]), 0))
        )
        return key, self.baselines[key]


def baseline(evidence: Evidence) -> GateResult | None:
    """The winner is better than a model that ignores the columns; otherwise there is nothing to learn."""
    if evidence.rules.baseline == "Ignore":
        return None
    name, sums = evidence.best_baseline()
    found = evidence.interval(sums, BASELINE_CONFIDENCE)
    passed = found.lower > 0
    interval = f"{ends(found)} with confidence {BASELINE_CONFIDENCE:g}"
    said = (
        f"{'better' if passed else 'not better'} than {name} ({evidence.metric} {evidence.shown(sums)}) "
        f"beyond chance: {difference(found.difference)} ({interval})"
    )
    few = not passed and found.better >= _PROBABLY
    return _result(
        "baseline", passed, f"{said}; {evidence.rows} held-out rows may be too few" if few else said
    )


def prediction(evidence: Evidence) -> GateResult | None:
    """The winner is better than the answers of the model that runs."""
    if evidence.rules.baseline == "Ignore" or evidence.running is None:
        return None
    found = evidence.interval(evidence.running.sums)
    passed = _beats(found, evidence, evidence.running)
    return _result("prediction", passed, _compared(evidence, evidence.running, found))


def champion(evidence: Evidence) -> GateResult | None:
    """The winner is better than the present version by the rule of the spec."""
    found = evidence.over_champion
    if evidence.champion is None or found is None:
        return None
    passed = _beats(found, evidence, evidence.champion)
    return _result("champion", passed, _compared(evidence, evidence.champion, found))


def _beats(found: Interval, evidence: Evidence, other: Examined) -> bool:
    return shortfall(found, evidence, other) is None


def shortfall(found: Interval, evidence: Evidence, other: Examined) -> str | None:
    """Return what the difference to another model lacks by the rule of the spec; None if nothing."""
    if found.upper <= 0:
        return "no gain"
    if evidence.rules.rule == "Better":
        return None if found.lower > 0 else "within chance: its interval does not exclude zero"
    if found.floor <= 0:
        return f"within chance: {share(found)}"
    margin = margin_of(evidence, other.sums)
    return None if found.lower >= -margin else f"not safe: a loss of more than {margin:.4g} is not excluded"


def margin_of(evidence: Evidence, sums: Sums) -> float:
    """Return the margin in the unit of the metric: of errors it is a share of the other model's."""
    relative = evidence.metric in LOWER_IS_BETTER
    return evidence.rules.margin * (evidence.score(sums) if relative else 1.0)


def _compared(evidence: Evidence, other: Examined, found: Interval) -> str:
    scores = f"{evidence.shown(evidence.winner.sums)}, {other.name} {evidence.shown(other.sums)}"
    interval = f"{ends(found)} with confidence {evidence.rules.confidence:g}"
    why = shortfall(found, evidence, other) or (share(found) if evidence.rules.rule == "NotWorse" else "")
    said = f"{evidence.metric} {scores}: {difference(found.difference)} ({interval})"
    return f"{said}; {why}" if why else said


def health(evidence: Evidence) -> GateResult | None:
    """The winner has not lost most of the skill that the champion once had: then a feed may be broken."""
    past = evidence.past
    if past is None or past.metric != evidence.metric:
        return None
    then = skill(past.metric, past.score, past.baseline)
    _, easiest = evidence.best_baseline()
    now = skill(evidence.metric, evidence.score(evidence.winner.sums), evidence.score(easiest))
    passed = now >= _SKILL_KEPT * then
    said = (
        f"{now:.0%} of the way from a model that ignores the columns to a perfect one; the present version "
        f"had gone {then:.0%} when it was registered"
    )
    return _result("health", passed, said if passed else f"{said}: a feed may be broken")


def leak(evidence: Evidence) -> GateResult | None:
    """No column gives the target away, and nothing is predicted without any mistake."""
    if evidence.giveaway is not None:
        return _result(
            "leak",
            False,
            f"the column {evidence.giveaway[:100]!r} alone tells the target: exclude it if it is known only "
            f"afterwards, or name it in spec.dataset.columns.include",
        )
    if evidence.perfect:
        return _result(
            "leak",
            False,
            f"no mistake on {evidence.rows} held-out rows: look for a column that is known only afterwards; "
            f"if there is none, name the columns in spec.dataset.columns.include",
        )
    return _result("leak", True, "no column alone tells the target")


def classes(evidence: Evidence) -> GateResult | None:
    """No class of the reference has vanished: a model would unlearn it, and the scores would not show it."""
    if not evidence.vanished:
        return None
    named = some([repr(name[:40]) for name in evidence.vanished], 3)
    return _result(
        "classes",
        False,
        f"no current row has the class {named} of the reference, so it would be unlearnt: look for a filter, "
        f"or request a retraining with the option force",
    )


def slices(evidence: Evidence) -> GateResult | None:
    """In no slice is the winner worse than the present version by more than the margin, beyond chance."""
    if not evidence.slices:
        return None
    # Each of k slices may be worse by chance: Bonferroni.
    level = 1 - (1 - evidence.rules.confidence) / len(evidence.slices)
    worse = [each.name for each in evidence.slices if _is_worse(each, evidence, level)]
    if worse:
        return _result("slices", False, f"worse than the present version in {some(worse, 3)}")
    return _result("slices", True, f"not worse in any of {len(evidence.slices)} slices")


def _is_worse(each: Slice, evidence: Evidence, level: float) -> bool:
    found = paired_interval(evidence.metric, each.winner, each.champion, confidence=level, seed=evidence.seed)
    return found.difference < -margin_of(evidence, each.champion) and found.upper < 0


def limits(evidence: Evidence) -> GateResult | None:
    """Every metric is within the limits of spec.promotion.gates."""
    if not evidence.rules.gates:
        return None
    broken = [said for gate in evidence.rules.gates for said in _broken(gate, evidence)]
    return _result("limits", not broken, "; ".join(broken) or "all limits of spec.promotion.gates are kept")


def _broken(gate: MetricGate, evidence: Evidence) -> list[str]:
    """Return what a gate complains of, with the meaning of MLflow's MetricThreshold."""
    mine = evidence.winner.metrics.get(gate.metric)
    if mine is None:
        return [f"{gate.metric} is not defined for this target"]
    said = []
    if gate.threshold is not None and gain(gate.metric, mine, gate.threshold) < 0:
        said.append(f"{gate.metric} {format_number(mine)} does not reach {gate.threshold:g}")
    other = evidence.champion.metrics.get(gate.metric) if evidence.champion else None
    if other is None:
        return said
    change = gain(gate.metric, mine, other)
    if gate.min_absolute_change is not None and change < gate.min_absolute_change:
        said.append(f"{gate.metric} is {difference(change)}, and {gate.min_absolute_change:g} is wanted")
    if gate.min_relative_change is not None and change < gate.min_relative_change * abs(other):
        said.append(f"{gate.metric} is {difference(change)}, and {gate.min_relative_change:.0%} is wanted")
    return said


Gate = Callable[[Evidence], GateResult | None]

GATES: Final[tuple[Gate, ...]] = (baseline, prediction, champion, health, leak, classes, slices, limits)
"""A gate that has nothing to say, such as that of the champion where there is none, returns None."""

OF_THE_COMPARISON: Final = frozenset({baseline.__name__, prediction.__name__, champion.__name__})
"""Gates that say whether the winner is an improvement at all."""


FOR_A_PERSON: Final = frozenset({health.__name__, leak.__name__})
"""Gates that a person may overrule, who knows the feed and the columns: the version waits for them."""


def results_of(evidence: Evidence) -> tuple[GateResult, ...]:
    """Return the result of each gate that applies."""
    return tuple(result for gate in GATES if (result := gate(evidence)) is not None)


def _result(name: str, passed: bool, message: str) -> GateResult:  # noqa: FBT001
    return GateResult(name=name, passed=passed, message=message[:_MAX_MESSAGE])


_MAX_MESSAGE: Final = 240
"""Ten gates then fit into the tag of the decision."""
