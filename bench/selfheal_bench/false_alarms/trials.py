"""Many checks of one pair of sizes, judged by both rules with the functions that a check uses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from selfheal_bench.false_alarms.samples import Column, Kind, Random, Side, moved
from selfheal_jobs.columns.kind import Kind as ColumnKind
from selfheal_jobs.drift.calibration.rule import ColumnTest, apply_rule, column_test
from selfheal_jobs.drift.methods.catalogue import default_method
from selfheal_jobs.drift.methods.pair import Array, Counts, Numbers, Pair

THRESHOLD: Final = 0.3
"""Of the share of drifted columns."""
MANY_ROWS: Final = 20_000
USED_AGAIN: Final = 20
"""A large side is compared with this many others before it is drawn again: sorting it dominates the time, and
its sampling variance is small compared to that of a smaller side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The checks' outcomes, as shares of all checks."""

    reference_rows: int
    current_rows: int
    false_alarms: float
    """Calibrated, without drift: the result is Drift."""
    inconclusive: float
    """Calibrated, without drift."""
    detected: float | None
    """Calibrated, with drift: the result is Drift, of those that are not Inconclusive; None if all are."""
    inconclusive_with_drift: float
    evidently_false_alarms: float
    evidently_detected: float

    def to_json(self) -> dict[str, Any]:
        """Return all rates, rounded to what so many checks can tell."""
        return {
            "referenceRows": self.reference_rows,
            "currentRows": self.current_rows,
            "calibrated": {
                "falseAlarms": round(self.false_alarms, 4),
                "inconclusive": round(self.inconclusive, 4),
                "detected": None if self.detected is None else round(self.detected, 4),
                "inconclusiveWithDrift": round(self.inconclusive_with_drift, 4),
            },
            "evidently": {
                "falseAlarms": round(self.evidently_false_alarms, 4),
                "detected": round(self.evidently_detected, 4),
            },
        }


def rates(kind: Kind, sizes: tuple[int, int], checks: int) -> Rates:
    """Run so many checks without drift, and as many with it."""
    seed = [*kind.name.encode(), *sizes]
    quiet = _results(kind, sizes, checks, np.random.default_rng([*seed, 0]), drift=False)
    drifting = _results(kind, sizes, checks, np.random.default_rng([*seed, 1]), drift=True)
    conclusive = checks - drifting["Inconclusive"]
    return Rates(
        reference_rows=sizes[0],
        current_rows=sizes[1],
        false_alarms=quiet["Drift"] / checks,
        inconclusive=quiet["Inconclusive"] / checks,
        detected=drifting["Drift"] / conclusive if conclusive else None,
        inconclusive_with_drift=drifting["Inconclusive"] / checks,
        evidently_false_alarms=quiet["Evidently: Drift"] / checks,
        evidently_detected=drifting["Evidently: Drift"] / checks,
    )


def _results(kind: Kind, sizes: tuple[int, int], checks: int, random: Random, *, drift: bool) -> Counter[str]:
    results: Counter[str] = Counter()
    references, currents = (_sides(kind, random, rows) for rows in sizes)
    for _ in range(checks):
        reference, current = next(references), next(currents)
        calibrated, evidently = check(reference, moved(random, current) if drift else current)
        results[calibrated] += 1
        results[f"Evidently: {evidently}"] += 1
    return results


def _sides(kind: Kind, random: Random, rows: int) -> Iterator[Side]:
    while True:
        side = kind.draw(random, rows)
        for _ in range(USED_AGAIN if rows >= MANY_ROWS else 1):
            yield side


def check(reference: Side, current: Side) -> tuple[str, str]:
    """Return the results by the rules Calibrated and Evidently, by Evidently's default methods."""
    tests = [_column_test(*sides) for sides in zip(reference, current, strict=True)]
    outcomes = apply_rule(tests, THRESHOLD, lambda: _thinned(reference))
    drifted = sum(each.drifted for each in outcomes)
    underpowered = sum(each.rows_needed > 0 for each in outcomes)
    alarm, quiet = drifted / len(tests) > THRESHOLD, (drifted + underpowered) / len(tests) <= THRESHOLD
    calibrated = "Drift" if alarm else "NoDrift" if quiet else "Inconclusive"
    evidently = sum(each.evidently for each in tests) / len(tests) > THRESHOLD
    return calibrated, "Drift" if evidently else "NoDrift"


def _column_test(reference: Column, current: Column) -> ColumnTest:
    pair = _pair(reference, current)
    method = default_method(
        pair, ColumnKind.CATEGORICAL if reference.deviation is None else ColumnKind.NUMERICAL
    )
    return column_test(method, pair, float(method.score(pair)), method.threshold)


def _pair(reference: Column, current: Column) -> Pair:
    if reference.deviation is not None:
        return Numbers(_present(reference.values), _present(current.values))
    most = max(int(reference.values.max()), int(current.values.max())) + 1
    before, now = (np.bincount(side.values, minlength=most) for side in (reference, current))
    there = before + now > 0
    return Counts(before[there], now[there])


def _present(values: Array) -> Array:
    return values[~np.isnan(values)] if np.isnan(values).any() else values


def _thinned(side: Side) -> Sequence[Array]:
    """Return some rows as a check reads them: categories by whether they are the commonest one."""
    rows = [each.values[:1_000] for each in side]
    return [
        values if each.deviation is not None else (values == np.bincount(values).argmax()).astype(np.float64)
        for each, values in zip(side, rows, strict=True)
    ]
