"""Rules for the gate `baseline`, side by side on the same held-out rows of worlds whose truth is known.

A logistic regression learns, another one is the present version, and the gates of the product decide. No
tables are read: thousands of decisions take minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from selfheal_bench.arena import say
from selfheal_jobs.retrain import gates
from selfheal_jobs.retrain.baselines import baselines
from selfheal_jobs.retrain.fold_score import fold_score
from selfheal_jobs.retrain.gates import BASELINE_CONFIDENCE, Evidence, Examined, PastScore
from selfheal_jobs.retrain.intervals import Interval
from selfheal_jobs.retrain.scores import tallies
from selfheal_jobs.retrain.tallies import Sums, Units, time_blocks, units_of
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.promotion import Promotion

METRIC: Final = "f1_macro"
MARGIN: Final = 0.01
CLEARLY: Final = 0.02
"""A new model that is better by this is refused wrongly."""
HELD_OUT: Final = 400
FRESH: Final = 20_000

_Weights = tuple[float, float]
_NONE: Final[_Weights] = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Population:
    """What the label depends on."""

    weights: _Weights
    """Of two of four columns."""
    intercept: float = 0.0
    """-0.84 gives a fifth of positive labels where the weights are zero."""

    def rows(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.float64], pd.Series]:
        """Draw columns and labels."""
        columns = rng.normal(size=(count, 4))
        tendency = self.intercept + columns[:, :2] @ np.asarray(self.weights) + rng.normal(size=count)
        return columns, pd.Series((tendency > 0).astype(int))


@dataclass(frozen=True, kw_only=True)
class World:
    """What the present version has learnt, and what there is now."""

    now: Population
    before: Population | None = None
    """None: there is no present version."""
    rows: int = 1_000


_SIGNAL, _RARE = Population(weights=(1.0, 0.5)), Population(weights=_NONE, intercept=-0.84)
_COIN, _WEAK = Population(weights=_NONE), Population(weights=(0.3, 0.0))
_RARE_BEFORE = Population(weights=(0.5, 0.0), intercept=-1.43)
_FIFTH_WEAK = Population(weights=(0.4, 0.0), intercept=-0.84)
_COMMONER = Population(weights=(0.4, 0.2), intercept=-0.6)

WORLDS: Final[Mapping[str, World]] = {
    "nothing to learn, no version": World(now=_COIN),
    "nothing to learn, a fifth, no version": World(now=_RARE),
    "nothing to learn, version of coins": World(now=_COIN, before=_COIN),
    "nothing to learn, a fifth, version of coins": World(now=_RARE, before=_RARE),
    "nothing to learn any more": World(now=_COIN, before=_SIGNAL),
    "nothing to learn, other shares than before": World(now=_COIN, before=_RARE_BEFORE),
    "weak signal, no version": World(now=_WEAK),
    "weak signal, no version, 2,000 rows": World(now=_WEAK, rows=2_000),
    "weak signal, version of coins": World(now=_WEAK, before=_COIN),
    "weak signal, unchanged": World(now=_WEAK, before=_WEAK),
    "weak signal of a fifth, unchanged": World(now=_FIFTH_WEAK, before=_FIFTH_WEAK),
    "weak signal, reversed": World(now=_WEAK, before=Population(weights=(-0.3, 0.0))),
    "version below the baseline, gain": World(now=_COMMONER, before=_RARE_BEFORE),
    "true gain of .05": World(now=Population(weights=(1.0, 1.35)), before=_SIGNAL),
    "unchanged": World(now=_SIGNAL, before=_SIGNAL),
}


def _over_baseline(evidence: Evidence, confidence: float) -> Interval:
    return evidence.interval(evidence.best_baseline()[1], confidence)


def _as_it_is(evidence: Evidence) -> bool:
    return _over_baseline(evidence, BASELINE_CONFIDENCE).lower > 0


def _point(evidence: Evidence) -> bool:
    return _over_baseline(evidence, 0.9).difference > 0


def _below_baseline(evidence: Evidence) -> bool:
    easiest = evidence.score(evidence.best_baseline()[1])
    return evidence.champion is not None and evidence.score(evidence.champion.sums) <= easiest


def _far_over_champion(evidence: Evidence) -> bool:
    if evidence.champion is None or not _point(evidence):
        return False
    return evidence.interval(evidence.champion.sums, BASELINE_CONFIDENCE).lower > 0


RULES: Final[Mapping[str, Callable[[Evidence], bool]]] = {
    "99.9 %": _as_it_is,
    "99.9 %, one-sided": lambda found: _over_baseline(found, BASELINE_CONFIDENCE).floor > 0,
    "99 %": lambda found: _over_baseline(found, 0.99).lower > 0,
    "95 %, one-sided": lambda found: _over_baseline(found, 0.95).floor > 0,
    "point estimate": _point,
    "only without a version": lambda found: found.champion is not None or _as_it_is(found),
    "with a version: point": lambda found: _point(found) if found.champion else _as_it_is(found),
    "with a version: 90 %, one-sided": lambda found: (
        _over_baseline(found, 0.9).floor > 0 if found.champion else _as_it_is(found)
    ),
    "version below baseline: point": lambda found: (
        _point(found) if _below_baseline(found) else _as_it_is(found)
    ),
    "or 99.9 % over the version": lambda found: _as_it_is(found) or _far_over_champion(found),
}
"""The first one is the product's."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What each rule decides of one retraining, and what is true."""

    promoted: Mapping[str, bool]
    winner: float
    champion: float
    """The score of what is deployed without the retraining: random answers where there is no version."""

    @property
    def better(self) -> float:
        """Return by how much the new model is really better."""
        return self.winner - self.champion


@dataclass(frozen=True)
class _Learnt:
    model: LogisticRegression
    past: PastScore


def decided(name: str, seed: int) -> Decided:
    """Run one retraining of a world."""
    world, rng = WORLDS[name], np.random.default_rng([12, list(WORLDS).index(name), seed])
    units = units_of(time_blocks(HELD_OUT), HELD_OUT, seed=0)
    present = _learnt(*world.before.rows(rng, 1_000), units) if world.before else None
    columns, labels = world.now.rows(rng, world.rows)
    model = LogisticRegression().fit(columns[:-HELD_OUT], labels[:-HELD_OUT])
    evidence = _evidence(model, present, columns, labels, units)
    others = all(
        result is None or result.passed for result in (gates.champion(evidence), gates.health(evidence))
    )
    fresh, truth = world.now.rows(rng, FRESH)
    deployed = present.model.predict(fresh) if present else rng.random(FRESH) < truth.mean()
    return Decided(
        promoted={rule: others and passes(evidence) for rule, passes in RULES.items()},
        winner=fold_score(METRIC, truth, model.predict(fresh)),
        champion=fold_score(METRIC, truth, deployed),
    )


def _learnt(columns: NDArray[np.float64], labels: pd.Series, units: Units) -> _Learnt:
    model = LogisticRegression().fit(columns[:-HELD_OUT], labels[:-HELD_OUT])
    found = _evidence(model, None, columns, labels, units)
    score, baseline = found.score(found.winner.sums), found.score(found.best_baseline()[1])
    return _Learnt(model, PastScore(metric=METRIC, score=score, baseline=baseline))


def _evidence(
    model: LogisticRegression,
    present: _Learnt | None,
    columns: NDArray[np.float64],
    labels: pd.Series,
    units: Units,
) -> Evidence:
    train, test = labels[:-HELD_OUT], labels[-HELD_OUT:].reset_index(drop=True)

    def examined(name: str, asked: LogisticRegression) -> Examined:
        answers = asked.predict(columns[-HELD_OUT:])
        sums: Sums = tallies(answers, test, Task.CLASSIFICATION, units, frozenset({"0", "1"}))
        return Examined(name=name, sums=sums, metrics={})

    return Evidence(
        rules=Promotion(),
        task=Task.CLASSIFICATION,
        metric=METRIC,
        seed=0,
        rows=HELD_OUT,
        winner=examined("new", model),
        champion=examined("version 1", present.model) if present else None,
        baselines=baselines(train, test, Task.CLASSIFICATION, units),
        past=present.past if present else None,
    )


def measure(runs: int, processes: int) -> dict[str, Any]:
    """Run each world so many times; print and return the shares of each rule's decisions."""
    say(f"{'world and rule':<46}{'promoted':>10}{'worse':>8}{'refused':>9}{'deployed':>10}")
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return {name: _measured(name, runs, pool) for name in WORLDS}


def _measured(name: str, runs: int, pool: ProcessPoolExecutor) -> dict[str, Any]:
    found = list(pool.map(decided, [name] * runs, range(runs), chunksize=5))
    say(f"{name}: the new model is better by {np.mean([each.better for each in found]):.3f}")
    rates = {rule: Shares.of(rule, found) for rule in RULES}
    for rule, each in rates.items():
        say(each.line(rule))
    return {rule: asdict(each) for rule, each in rates.items()}


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of all retrainings of a world, by one rule."""

    promoted: float
    worse: float
    """Promoted, and really worse by more than the margin."""
    refused: float
    """Not promoted, and really better by 0.02 or more."""
    deployed: float
    """Mean by which the deployed model becomes really better."""

    @classmethod
    def of(cls, rule: str, found: Sequence[Decided]) -> "Shares":
        """Return the shares of what a rule decided."""
        promoted = np.array([each.promoted[rule] for each in found])
        better = np.array([each.better for each in found])
        return cls(
            promoted=float(promoted.mean()),
            worse=float((promoted & (better < -MARGIN)).mean()),
            refused=float((~promoted & (better >= CLEARLY)).mean()),
            deployed=float((promoted * better).mean()),
        )

    def line(self, rule: str) -> str:
        """Return a line of the table."""
        return (
            f"  {rule:<44}{self.promoted:>10.2%}{self.worse:>8.2%}{self.refused:>9.2%}{self.deployed:>10.4f}"
        )
