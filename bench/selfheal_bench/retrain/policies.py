"""When to retrain, and what it is worth: policies on one real set, slot by slot.

At each slot the newest rows are checked, a policy may retrain on them, and the deployed model is scored on
the slot that follows. Retrainings without gates depend on the slot alone: policies share them, and each pays.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal_bench.errors import BenchError
from selfheal_bench.retrain.decisions import Outcome, retrained
from selfheal_bench.retrain.real_sets import SETS, RealSet
from selfheal_jobs.check.run import look
from selfheal_jobs.check.verdict import of_comparison
from selfheal_jobs.retrain.champion import Champion
from selfheal_jobs.retrain.fold_score import LOWER_IS_BETTER, fold_score
from selfheal_operator.api.reasons import CheckResult, Purpose
from selfheal_operator.api.request import MonitorRef
from testbed.unwatched_monitor import UnwatchedMonitor

POLICIES: Final = ("never", "every breach, no gates", "fixed schedule", "always", "selfheal")
_REFERENCE_SHARE: Final = 0.2
_WINDOW: Final = 3
"""Slots that are checked and learnt from: the newest ones."""
_SCHEDULE: Final = 4
"""Slots from one scheduled retraining to the next."""
_THRESHOLD: Final = 0.3
_RESAMPLES: Final = 10_000
_TIMED: Final = {"columns": {"timestamp": "taken"}}
_UNGATED: Final[dict[str, Any]] = {"promotion": {"baseline": "Ignore"}, "dataset": _TIMED}


@dataclass(frozen=True, kw_only=True)
class Course:
    """What became of one policy on one set."""

    scores: NDArray[np.float64]
    """Of the deployed model on the rows of each following slot."""
    retrainings: int
    registered: int
    cpu_seconds: float
    """Of its checks and retrainings."""


@dataclass(frozen=True, kw_only=True)
class _Timed:
    value: Any
    cpu_seconds: float


def courses(name: str, slots: int, cache: Path) -> tuple[str, Mapping[str, Course]]:
    """Run all policies on a set; return its metric and their courses."""
    given = SETS[name](cache)
    with tempfile.TemporaryDirectory(prefix="selfheal-real-") as folder:
        timeline = _Timeline(given, slots, Path(folder))
        return given.metric, {policy: timeline.course(policy) for policy in POLICIES}


class _Timeline:
    def __init__(self, given: RealSet, slots: int, folder: Path) -> None:
        first = int(len(given.rows) * _REFERENCE_SHARE)
        self.reference, rest = given.rows.iloc[:first], given.rows.iloc[first:]
        self.slots = [rest.iloc[each] for each in np.array_split(np.arange(len(rest)), slots)]
        self.metric, self._folder = given.metric, folder
        self._known: dict[tuple[str, int], _Timed] = {}
        found = retrained(self.reference, self.reference, **_UNGATED)
        if found.champion is None:
            raise BenchError(f"there is no first version: {found.message}")
        self.first = found.champion

    def course(self, policy: str) -> Course:
        deployed, cpu, scores = self.first, 0.0, []
        outcomes: list[Outcome] = []
        for slot in range(_WINDOW - 1, len(self.slots) - 1):
            if policy in ("every breach, no gates", "selfheal"):
                drift = self._once("drift", slot, self._drifts)
                cpu += drift.cpu_seconds
                retrains = drift.value
            else:
                retrains = policy == "always" or (policy == "fixed schedule" and slot % _SCHEDULE == 0)
            if retrains:
                done = self._retrained(policy, slot, deployed)
                cpu += done.cpu_seconds
                outcomes.append(done.value)
                deployed = done.value.champion or deployed
            scores.append(self._score(deployed, slot + 1))
        return Course(
            scores=np.asarray(scores),
            retrainings=len(outcomes),
            registered=sum(each.promoted for each in outcomes),
            cpu_seconds=cpu,
        )

    def _retrained(self, policy: str, slot: int, deployed: Champion) -> _Timed:
        if policy != "selfheal":
            return self._once("ungated", slot, self._ungated)
        return _timed(lambda: retrained(self.reference, self._window(slot), deployed, dataset=_TIMED))

    def _ungated(self, slot: int) -> Outcome:
        return retrained(self.reference, self._window(slot), **_UNGATED)

    def _once(self, kind: str, slot: int, work: Callable[[int], Any]) -> _Timed:
        if (kind, slot) not in self._known:
            self._known[kind, slot] = _timed(lambda: work(slot))
        return self._known[kind, slot]

    def _window(self, slot: int) -> pd.DataFrame:
        return pd.concat(self.slots[slot - _WINDOW + 1 : slot + 1], ignore_index=True)

    def _drifts(self, slot: int) -> bool:
        """Return whether a check of the window finds drift, by the code of a check."""
        paths = {"reference": self._folder / "reference.parquet", "current": self._folder / "now.parquet"}
        self.reference.to_parquet(paths["reference"])
        self._window(slot).to_parquet(paths["current"])
        ref = MonitorRef(namespace="bench", name="bench", uid="bench", generation=1)
        monitor = UnwatchedMonitor(ref=ref, model="bench", mlflow_uri="http://127.0.0.1:9")
        sides = {side: {"uri": str(path)} for side, path in paths.items()}
        spec = {
            "dataset": {**sides, **_TIMED},
            "target": "label",
            "threshold": _THRESHOLD,
            "intervalSeconds": 3600,
        }
        findings = look(monitor.request(Purpose.CHECK, spec, job_name="bench-check"))
        if findings.comparison is None:
            raise BenchError(f"a check found nothing: {findings.problem}")
        return of_comparison(findings.comparison, _THRESHOLD).result is CheckResult.DRIFT

    def _score(self, deployed: Champion, slot: int) -> float:
        rows = self.slots[slot]
        return fold_score(self.metric, rows["label"], deployed.model.predict(rows.drop(columns="label")))


def _timed(work: Callable[[], Any]) -> _Timed:
    began = time.process_time()
    value = work()
    return _Timed(value=value, cpu_seconds=time.process_time() - began)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The courses on one set, beside the best of them."""

    best: str
    behind: Mapping[str, tuple[float, float, float]]
    """By how much a policy is worse than the best on average, and the interval of 95 %."""

    @property
    def within(self) -> list[str]:
        """Return the policies that are not worse than the best beyond chance."""
        return [policy for policy, (_, lower, _) in self.behind.items() if lower <= 0]


def judged(metric: str, found: Mapping[str, Course], seed: int = 0) -> Judged:
    """Compare the policies by a bootstrap over the slots, paired by slot."""
    sign = -1 if metric in LOWER_IS_BETTER else 1
    best = max(found, key=lambda policy: sign * float(found[policy].scores.mean()))
    rng = np.random.default_rng(seed)
    count = len(found[best].scores)
    draws = rng.integers(0, count, size=(_RESAMPLES, count))

    def behind(policy: str) -> tuple[float, float, float]:
        each = sign * (found[best].scores - found[policy].scores)
        lower, upper = np.quantile(each[draws].mean(axis=1), (0.025, 0.975))
        return float(each.mean()), float(lower), float(upper)

    return Judged(best=best, behind={policy: behind(policy) for policy in found})


def lines(name: str, metric: str, found: Mapping[str, Course], verdict: Judged) -> Iterator[str]:
    """Yield the table of one set."""
    yield f"{name} ({metric})"
    for policy, each in found.items():
        mean, lower, upper = verdict.behind[policy]
        yield (
            f"  {policy:<24}{each.scores.mean():>10.4f}  behind {mean:.4f} ({lower:.4f} to {upper:.4f})"
            f"{each.retrainings:>4} retrainings, {each.registered} registered, CPU {each.cpu_seconds:.1f} s"
        )
    cheapest = min(verdict.within, key=lambda policy: found[policy].cpu_seconds)
    inside = "yes" if "selfheal" in verdict.within else "no"
    yield f"  best: {verdict.best}; selfheal within its noise: {inside}; least compute: {cheapest}"
