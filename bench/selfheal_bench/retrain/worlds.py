"""Seeded worlds, in each of which it is known what a retraining should do.

Fits are small: logistic or linear regressions of a few columns, so that hundreds of retrainings take minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from selfheal_bench.retrain.decisions import Outcome, retrained, version
from selfheal_jobs.retrain.champion import Champion
from testbed.errors import SetupError

Candidate = dict[str, Any]

LINEAR: Final[Candidate] = {"name": "linear", "estimator": "sklearn.linear_model.LogisticRegression"}
BAYES: Final[Candidate] = {"name": "bayes", "estimator": "sklearn.naive_bayes.GaussianNB"}
TREE: Final[Candidate] = {
    "name": "tree",
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "params": {"max_depth": "4"},
}
LEAST_SQUARES: Final[Candidate] = {"name": "linear", "estimator": "sklearn.linear_model.LinearRegression"}
FOREST: Final[Candidate] = {
    "name": "forest",
    "estimator": "sklearn.ensemble.RandomForestRegressor",
    "params": {"n_estimators": "20"},
}

FRESH: Final = 20_000
"""Rows that tell which of two models is really better."""


def many(count: int) -> Sequence[Candidate]:
    """Return so many candidates, which differ in one parameter."""
    depths = [
        {**TREE, "name": f"tree-{number}", "params": {"max_depth": str(1 + number)}}
        for number in range(count)
    ]
    return depths if count > 1 else [LINEAR]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One retraining in a world."""

    outcome: Outcome
    better: float | None = None
    """By how much the best candidate is better than the champion on fresh rows; None if not compared."""
    errors: Mapping[str, float] = field(default_factory=dict)
    """Of the deployed model on the rows that follow, by policy; empty if policies are not compared."""

    @property
    def promoted(self) -> bool:
        """Return whether a version was registered."""
        return self.outcome.promoted


World = Callable[[int], Run]
"""Takes a seed."""


# --- nothing to learn, and nothing new ----------------------------------------------------------------------


def nothing_to_learn(rows: int, candidates: int) -> World:
    """Labels are coin flips: no version may come of them."""

    def world(seed: int) -> Run:
        rng = np.random.default_rng([1, rows, candidates, seed])

        def table() -> pd.DataFrame:
            made = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("abcd"))
            return made.assign(label=rng.integers(0, 2, rows))

        return Run(outcome=retrained(table(), table(), candidates=many(candidates)))

    return world


def noisy(rng: np.random.Generator, rows: int, *, weight: float = 0.5) -> pd.DataFrame:
    """Return rows of two classes, of which the best model is right in about three of four."""
    made = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("abcd"))
    tendency = made["a"] + weight * made["b"] + rng.normal(size=rows)
    return made.assign(label=(tendency > 0).astype(int))


def unchanged_population(before: int, now: int) -> World:
    """Champion and candidate learn from the same population."""

    def world(seed: int) -> Run:
        rng = np.random.default_rng([2, before, now, seed])
        reference, current = noisy(rng, before), noisy(rng, now)
        champion = first(reference)
        outcome = retrained(reference, current, champion, candidates=[LINEAR, BAYES, TREE])
        return Run(outcome=outcome, better=_gain(outcome, champion, noisy(rng, FRESH)))

    return world


def true_gain(rows: int, *, overlapping: bool) -> World:
    """What the label depends on has changed, so that a new model is better by about .05 of f1_macro.

    Args:
        rows: Newer rows than those of the champion.
        overlapping: The current data holds the champion's rows too, and times that tell which are newer. A
            new model then learns a mixture of both, and the change has to be greater for the same gain.
    """
    weight = 1.6 if overlapping else 1.35

    def world(seed: int) -> Run:
        rng = np.random.default_rng([3, rows, overlapping, seed])
        reference = _timed(noisy(rng, 1_000), first_day=0)
        newer = _timed(noisy(rng, rows, weight=weight), first_day=400)
        champion = first(reference, dataset=TIMED)
        current = pd.concat([reference, newer], ignore_index=True) if overlapping else newer
        outcome = retrained(reference, current, champion, candidates=[LINEAR], dataset=TIMED)
        return Run(outcome=outcome, better=_gain(outcome, champion, noisy(rng, FRESH, weight=weight)))

    return world


TIMED: Final = {"columns": {"timestamp": "taken"}}


def _timed(table: pd.DataFrame, *, first_day: int) -> pd.DataFrame:
    taken = pd.Timestamp("2025-01-01") + pd.to_timedelta(
        first_day * 24 + np.arange(len(table)) / 60, unit="h"
    )
    return table.assign(taken=taken)


# --- windows that overlap -----------------------------------------------------------------------------------


def trend(*, growing: bool) -> Callable[[int], Sequence[Run]]:
    """Prices fall month by month, and each window holds months that the champion has learnt.

    Eight retrainings, one every second month. `better` is relative to the champion's error on the two months
    that follow. `errors` are those of the deployed models on these months: of the first version (never), of
    one that replaces it every time, without gates (always), and of the one that the gates let through.
    """

    def world(seed: int) -> Sequence[Run]:
        rng = np.random.default_rng([4, growing, seed])
        table = _monthly(rng, 34)
        runs: list[Run] = []
        never = always = champion = first(_months(table, 1, 16), FOREST, dataset=WINDOW)
        for month in range(18, 34, 2):
            start = 1 if growing else month - 7
            reference, current = _months(table, 1, 16), _months(table, start, month)
            outcome = _retrained_in_trend(reference, current, champion)
            always = _retrained_in_trend(reference, current, promotion=UNGATED).champion or always
            fresh = _months(table, month + 1, month + 2)
            better = _relative(outcome, champion, fresh)
            champion = outcome.champion or champion
            deployed = {"never": never, "always": always, "selfheal": champion}
            errors = {policy: rmse(each.model, fresh) for policy, each in deployed.items()}
            runs.append(Run(outcome=outcome, better=better, errors=errors))
        return runs

    return world


def _retrained_in_trend(
    reference: pd.DataFrame, current: pd.DataFrame, champion: Champion | None = None, **spec: Any
) -> Outcome:
    candidates = [FOREST, LEAST_SQUARES]
    return retrained(reference, current, champion, candidates=candidates, dataset=WINDOW, **spec)


UNGATED: Final = {"baseline": "Ignore"}
WINDOW: Final = {"window": {"timestampColumn": "taken", "lookbackSeconds": 315_360_000}}


def _monthly(rng: np.random.Generator, months: int) -> pd.DataFrame:
    month = np.repeat(np.arange(1, months + 1), 40)
    size, weight = rng.normal(size=(2, month.size))
    label = 1000 - 13 * month + 20 * size + rng.normal(0, 20, month.size)
    taken = pd.Timestamp("2024-01-01") + pd.to_timedelta(30 * (month - 1), unit="D")
    return pd.DataFrame({"month": month, "size": size, "weight": weight, "taken": taken, "label": label})


def _months(table: pd.DataFrame, start: int, end: int) -> pd.DataFrame:
    return table[(table["month"] >= start) & (table["month"] <= end)].reset_index(drop=True)


# --- broken feeds, champions that cannot be scored, labels of another type ----------------------------------


def broken(spoil: Callable[[np.random.Generator, pd.DataFrame], pd.DataFrame]) -> World:
    """The current data is spoilt, and the champion is good."""

    def world(seed: int) -> Run:
        rng = np.random.default_rng([5, seed])
        reference, current = noisy(rng, 400), noisy(rng, 400)
        champion = first(reference)
        return Run(outcome=retrained(reference, spoil(rng, current), champion, candidates=[LINEAR]))

    return world


def zeros(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the best column set to zero."""
    del rng
    return table.assign(a=0.0)


def noise(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the rows of its good columns in another order: no objection sees it."""
    return table.assign(a=rng.permutation(table["a"]), b=rng.permutation(table["b"]))


def gaps(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with nine in ten values of the best column missing."""
    return table.assign(a=table["a"].where(rng.random(len(table)) < 0.1))


def stray_word(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with one label that is a word among numbers."""
    labels = table["label"].astype(str)
    labels.iloc[int(rng.integers(len(labels)))] = "unknown"
    return table.assign(label=labels)


def other_words(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with labels in other words."""
    del rng
    return table.assign(label=np.where(table["label"] == 1, "yes", "no"))


class _Rule:
    """A perfect champion whose answers are spoilt."""

    def __init__(self, answer: Callable[[pd.DataFrame, Any], Any]) -> None:
        self._answer = answer

    def predict(self, rows: pd.DataFrame) -> Any:
        return self._answer(rows, (rows["a"] > 0).astype(int).to_numpy())


def _fails(*_: Any) -> Any:
    raise LookupError("it needs the column 'plan', which the data lacks")


UNSCORABLE: Final[Mapping[str, Callable[[pd.DataFrame, Any], Any]]] = {
    "raises an error": _fails,
    "answers two columns": lambda _, right: np.column_stack([1 - right, right]),
    "answers probabilities": lambda _, right: 0.1 + 0.8 * right,
    "answers one row less": lambda _, right: right[1:],
    "answers NaN": lambda _, right: np.full(len(right), np.nan),
    "one answer is NaN": lambda _, right: np.where(np.arange(len(right)) == 3, np.nan, right),
    "answers other words": lambda _, right: np.where(right == 1, "yes", "no"),
    "answers words": lambda _, right: right.astype(str),
}


def unscorable(answer: Callable[[pd.DataFrame, Any], Any]) -> World:
    """The champion is perfect and its answers are spoilt; the only candidate is a poor one."""

    def world(seed: int) -> Run:
        rng = np.random.default_rng([6, seed])

        def table() -> pd.DataFrame:
            made = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
            return made.assign(label=(made["a"] > 0).astype(int), weak=made["a"] + rng.normal(0, 2, 400))

        champion = Champion(version=version("1"), model=_Rule(answer))
        columns = {"columns": {"include": ["weak", "d"]}}
        return Run(outcome=retrained(table(), table(), champion, candidates=[LINEAR], dataset=columns))

    return world


COLUMNS: Final[Mapping[str, Callable[[np.random.Generator, int], Any]]] = {
    "fractions": lambda rng, rows: rng.normal(size=(rows, 4)),
    "integers": lambda rng, rows: rng.integers(0, 40, size=(rows, 4)),
    "words": lambda rng, rows: rng.choice(list("abcdefghijklmnopqrst"), size=(rows, 4)),
}


def copied_rows(deliveries: int, kind: str = "fractions") -> World:
    """Labels are coin flips, and each row is delivered several times: a deep tree knows them by heart."""

    def world(seed: int) -> Run:
        rng = np.random.default_rng([7, deliveries, seed])

        def table() -> pd.DataFrame:
            made = pd.DataFrame(COLUMNS[kind](rng, 150), columns=list("abcd"))
            return made.assign(label=rng.integers(0, 2, 150))

        deep = {**TREE, "params": {}}
        return Run(outcome=retrained(table(), pd.concat([table()] * deliveries), candidates=[deep, LINEAR]))

    return world


def leaking(seed: int) -> Run:
    """A column is filled in once the outcome is known."""
    rng = np.random.default_rng([8, seed])

    def table() -> pd.DataFrame:
        made = noisy(rng, 400)
        reason = pd.Series(rng.choice(["price", "service"], 400))
        return made.assign(reason=reason.where(made["label"] == 1))

    return Run(outcome=retrained(table(), table(), candidates=[LINEAR]))


# --- what a world is made of --------------------------------------------------------------------------------


def first(table: pd.DataFrame, candidate: Candidate = LINEAR, **spec: Any) -> Champion:
    """Return the version that a first retraining registers, whatever it has learnt."""
    outcome = retrained(table, table, candidates=[candidate], promotion=UNGATED, **spec)
    if outcome.champion is None:
        raise SetupError(f"there is no first version: {outcome.message}")
    return outcome.champion


def _gain(outcome: Outcome, champion: Champion, fresh: pd.DataFrame) -> float | None:
    """Return by how much f1_macro of the new model is better on fresh rows."""
    model = outcome.champion.model if outcome.champion else outcome.examined
    if model is None:
        return None
    return _f1(model, fresh) - _f1(champion.model, fresh)


def _f1(model: Any, fresh: pd.DataFrame) -> float:
    right, said = fresh["label"].to_numpy(), np.asarray(model.predict(fresh))
    return float(
        np.mean(
            [
                2 * ((said == c) & (right == c)).sum() / ((said == c).sum() + (right == c).sum())
                for c in (0, 1)
            ]
        )
    )


def _relative(outcome: Outcome, champion: Champion, fresh: pd.DataFrame) -> float | None:
    """Return by which share the error of the new model is less on the rows that follow."""
    model = outcome.champion.model if outcome.champion else outcome.examined
    if model is None:
        return None
    return 1 - rmse(model, fresh) / rmse(champion.model, fresh)


def rmse(model: Any, fresh: pd.DataFrame) -> float:
    """Return the error of a model."""
    return float(np.sqrt(np.mean((np.asarray(model.predict(fresh)) - fresh["label"]) ** 2)))
