"""P-values by which chance is judged: they must be small as rarely as they say, whatever the data."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from selfheal_jobs.drift.calibration import homogeneity, rank_test
from selfheal_jobs.drift.methods.pair import Counts, Numbers

SHAPES: dict[str, Callable[[Any, int], Any]] = {
    "normal": lambda random, rows: random.normal(size=rows),
    "heavy tails": lambda random, rows: random.standard_cauchy(rows),
    "skewed": lambda random, rows: np.exp(3 * random.normal(size=rows)),
    "mostly zero, as rain is": lambda random, rows: np.where(
        random.random(rows) < 0.6, 0.0, random.exponential(size=rows)
    ),
    "cut off above": lambda random, rows: np.minimum(random.normal(size=rows), 0.3),
    "rounded": lambda random, rows: np.round(random.normal(size=rows), 1),
    "counts": lambda random, rows: random.poisson(8, rows).astype(float),
    "two values": lambda random, rows: random.integers(0, 2, rows).astype(float),
}
SIZES = [(1001, 100), (30, 60)]
TRIALS = 1_500
LEVEL = 0.02


def standard_errors(found: list[float]) -> float:
    """Return by how many standard errors p-values are below the level too often."""
    share = float(np.mean(np.array(found) <= LEVEL))
    return float((share - LEVEL) / np.sqrt(LEVEL * (1 - LEVEL) / len(found)))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_ranks_of_one_distribution_differ_as_rarely_as_the_p_value_says(shape: str, sizes: Any) -> None:
    """Ties, gaps and tails change nothing; a quarter more often is what the approximation may cost."""
    random = np.random.default_rng(7)
    draw = SHAPES[shape]

    found = [
        rank_test.p_value(Numbers(draw(random, sizes[0]), draw(random, sizes[1]))) for _ in range(TRIALS)
    ]

    assert np.mean(np.array(found) <= LEVEL) < 1.25 * LEVEL or standard_errors(found) < 3.5


SHARES = {
    "even": [0.5, 0.5],
    "rare": [0.98, 0.02],
    "very rare": [0.998, 0.002],
    "five": [0.4, 0.3, 0.2, 0.08, 0.02],
    "many": [1 / 200] * 200,
}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("shares", SHARES)
def test_counts_of_one_distribution_differ_as_rarely_as_the_p_value_says(shares: str, sizes: Any) -> None:
    """However rare a category is; Evidently's own chi-squared test fails this even where all are frequent."""
    random = np.random.default_rng(7)
    found = []
    for _ in range(TRIALS):
        sides = [random.multinomial(rows, SHARES[shares]) for rows in sizes]
        there = (sides[0] + sides[1]) > 0
        found.append(homogeneity.p_value(Counts(sides[0][there], sides[1][there])))

    assert np.mean(np.array(found) <= LEVEL) < 1.25 * LEVEL or standard_errors(found) < 3.5


def test_two_categories_are_exact_while_counts_are_small() -> None:
    """Fisher's exact test would order the tables by probability, this one by distance: here both are one."""
    assert homogeneity.p_value(Counts(np.array([10, 0]), np.array([5, 5]))) == pytest.approx(0.03250774)


def test_categories_that_were_all_replaced_are_no_chance_however_rare_each_is() -> None:
    """None of four hundred cities is met again."""
    before, now = np.repeat([3, 0], 400), np.repeat([0, 1], 400)

    assert homogeneity.p_value(Counts(before, now)) < 1e-6


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_next_to_no_rows_are_never_rare(rows: int) -> None:
    """No division by zero either."""
    assert rank_test.p_value(Numbers(np.arange(rows) * 1.0, np.arange(1) + 9.0)) > 0.1
    assert homogeneity.p_value(Counts(np.array([rows, 0]), np.array([0, 1]))) > 0.1


def test_constant_numbers_are_never_rare() -> None:
    """There is nothing to rank."""
    assert rank_test.p_value(Numbers(np.ones(50), np.ones(50))) == 1.0


def test_the_smallest_samples_have_a_p_value() -> None:
    """Given the margins of some, nothing can vary: whatever is found then is no surprise."""
    for categories in (2, 3, 4):
        sides = [np.array(each) for each in product(range(4), repeat=categories) if any(each)]
        for reference, current in product(sides, sides):
            if (reference + current).all():
                assert 0 <= homogeneity.p_value(Counts(reference, current)) <= 1


def test_where_nearly_every_value_differs_x2_has_a_p_value_all_the_same() -> None:
    """Its variance is next to nothing: as a multiple of chi-squared it has 15 billion degrees of freedom."""
    once = np.ones(60_000, dtype=np.int64)
    nothing = np.zeros(60_000, dtype=np.int64)
    both = np.array([7, 7])
    counts = Counts(np.concatenate([both[:1], once, nothing]), np.concatenate([both[1:], nothing, once]))

    assert 0 <= homogeneity.p_value(counts) <= 1


@pytest.mark.parametrize("deviations", [0, 1, 2, 3])
def test_of_many_degrees_of_freedom_the_approximation_is_as_good_as_the_sum(deviations: int) -> None:
    """On either side of the limit between them, so many standard deviations above the mean."""
    limit = homogeneity._MANY_DEGREES
    exact, close = (
        homogeneity._upper_tail(degrees + deviations * (2 * degrees) ** 0.5, degrees)
        for degrees in (limit, limit + 1)
    )

    assert close == pytest.approx(exact, rel=1e-3)
