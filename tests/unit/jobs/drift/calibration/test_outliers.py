"""Outliers that blind a distance: the rule Calibrated sees through them, at the same error rates."""

from typing import Any

import numpy as np
import pytest

from selfheal_jobs.drift.calibration.outliers import without_outliers
from selfheal_jobs.drift.calibration.rule import apply_rule, column_test
from selfheal_jobs.drift.methods.catalogue import METHODS
from selfheal_jobs.drift.methods.pair import Numbers

Random = np.random.Generator
ROWS = 1200


def drifts(reference: Any, current: Any, method: str = "wasserstein", columns: int = 1) -> tuple[bool, bool]:
    """Return whether a column drifts, and whether it is the test without outliers that says so."""
    chosen, pair = METHODS[method], Numbers(reference, current)
    test = column_test(chosen, pair, float(chosen.score(pair)), chosen.threshold)
    rows = list(np.random.default_rng(0).normal(size=(columns, 1000)))
    (found, *_) = apply_rule([test] * columns, 0.3, lambda: rows)
    return found.drifted, found.robust


def normal(mean: float = 0.0, seed: int = 1, rows: int = ROWS) -> Any:
    """Return normal numbers."""
    return np.random.default_rng(seed).normal(mean, 1, rows)


def with_outliers(values: Any, count: int, size: float) -> Any:
    """Return values of which the first ones are outliers, on both ends if there are several."""
    made = values.copy()
    made[:count] = size * np.where(np.arange(count) % 2, -1, 1)
    return made


@pytest.mark.parametrize("method", ["wasserstein", "jensenshannon", "psi", "kl_div", "hellinger"])
@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("shift", [0.5, -3.0])
def test_outliers_in_the_reference_do_not_hide_drift(method: str, count: int, shift: float) -> None:
    """One or a hundredth of the rows, for every distance that they blind."""
    reference = with_outliers(normal(), count, 1e6)

    drifted, robust = drifts(reference, normal(shift, seed=2), method)

    assert drifted
    assert robust or count > 1  # twelve of a million are far enough for Wasserstein's distance by themselves


@pytest.mark.parametrize("method", ["jensenshannon", "psi", "hellinger"])
def test_an_outlier_in_the_current_data_does_not_hide_drift(method: str) -> None:
    """It widens the bins, wherever it is."""
    assert drifts(normal(), with_outliers(normal(1, seed=2), 1, 1e6), method) == (True, True)


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (with_outliers(normal(), 1, 1e6), normal(seed=2)),
        (normal(), with_outliers(normal(seed=2), 1, 1e6)),
        (with_outliers(normal(), 5, 1e6), with_outliers(normal(seed=2), 5, 1e9)),
        (with_outliers(np.zeros(ROWS), 5, 1e6), with_outliers(np.zeros(ROWS), 3, 1e6)),
    ],
)
def test_outliers_alone_are_no_drift(reference: Any, current: Any) -> None:
    """The ranks see a few rows only."""
    assert drifts(reference, current) == (False, False)


def test_a_constant_with_an_outlier_that_has_moved_drifts() -> None:
    """There is no width to measure outliers by but that of the move."""
    assert drifts(with_outliers(np.zeros(ROWS), 1, 1e6), np.full(ROWS, 3.0)) == (True, True)


@pytest.mark.parametrize("seed", range(20))
def test_without_outliers_nothing_changes(seed: int) -> None:
    """Normal, uniform, rounded and binary numbers have none."""
    random = np.random.default_rng(seed)
    for draw in (
        random.normal, random.random, lambda size: np.round(random.normal(size=size), 1),
        lambda size: random.integers(0, 2, size).astype(float),
    ):  # fmt: skip
        assert without_outliers(Numbers(draw(size=5000), draw(size=3000) + random.integers(3))) is None


def outlying(random: Random, mean: float) -> Any:
    """Return heavy tails, and outliers of any size in one row of a hundred."""
    values = random.standard_t(3, ROWS) + mean
    chosen = random.random(ROWS) < 0.01
    return np.where(chosen, values * 10 ** random.uniform(2, 8), values)


def test_both_error_rates_with_outliers() -> None:
    """300 pairs each: at most 1 % false alarms of a column, and each shift of half a standard deviation."""
    random = np.random.default_rng(8)
    shift = 0.5 * np.sqrt(3)
    alarms = sum(drifts(outlying(random, 0), outlying(random, 0))[0] for _ in range(300))
    found = sum(drifts(outlying(random, 0), outlying(random, shift))[0] for _ in range(300))

    assert alarms <= 3
    assert found >= 297
