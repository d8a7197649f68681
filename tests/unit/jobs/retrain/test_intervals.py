from typing import Any

import numpy as np
import pytest

from selfheal_jobs.retrain.intervals import Interval, expanded_tail, paired_interval
from selfheal_jobs.retrain.tallies import (
    Units,
    class_tallies,
    of_words,
    quantity_tallies,
    time_blocks,
    units_of,
)


def of_errors(one: Any, other: Any, units: Units | None = None, confidence: float = 0.9) -> Interval:
    """Return the interval of two models' absolute errors around zero."""
    units = units or units_of(None, len(one), seed=0)
    sums = [quantity_tallies(np.asarray(errors, float), np.zeros(len(one)), units) for errors in (one, other)]
    return paired_interval("mean_absolute_error", *sums, confidence=confidence, seed=0)


def test_the_same_answers_differ_by_nothing() -> None:
    """The interval is a point: whatever the rows are, both models have the same."""
    errors = np.random.default_rng(0).normal(size=100)

    found = of_errors(errors, errors)

    assert (found.difference, found.lower, found.upper, found.floor) == (0, 0, 0, 0)


def test_what_makes_a_row_hard_for_both_cancels_out() -> None:
    """Errors of up to a thousand, of which one model has always one less."""
    hard = np.random.default_rng(1).uniform(1, 1000, 50)

    found = of_errors(hard - 1, hard)

    assert found.lower == pytest.approx(1) == found.upper


def test_two_thousand_draws_agree_with_the_normal_distribution() -> None:
    """A mean of 400 differences: its 5 % and 95 % points are 1.645 standard errors away."""
    random = np.random.default_rng(2)
    other = random.uniform(5, 6, 400)
    one = other - random.normal(0.1, 1, 400)

    found = of_errors(one, other)

    error = np.std(other - one) / np.sqrt(400)
    assert (found.upper - found.lower) / (2 * 1.645 * error) == pytest.approx(1, abs=0.06)
    assert found.difference - found.floor == pytest.approx(1.2816 * error, rel=0.08)


def test_rows_that_hang_together_make_the_interval_wide() -> None:
    """Ten copies of each row are not ten rows."""
    random = np.random.default_rng(3)
    other = random.uniform(5, 6, 40)
    one = other - random.normal(0, 1, 40)
    first, second = (np.repeat(errors, 10) for errors in (one, other))

    apart = of_errors(first, second)
    together = of_errors(first, second, units=units_of(np.repeat(np.arange(40), 10), 400, seed=0))

    assert (together.upper - together.lower) / (apart.upper - apart.lower) == pytest.approx(10**0.5, rel=0.15)


@pytest.mark.parametrize("rows", [0, 1])
def test_one_unit_says_nothing(rows: int) -> None:
    """No resample of it differs from it."""
    found = (
        of_errors([1.0] * rows, [2.0] * rows)
        if rows
        else of_errors([1.0, 1.0], [2.0, 2.0], Units(np.zeros(2, int), 1))
    )

    assert (found.lower, found.upper) == (-np.inf, np.inf)


def test_few_units_are_read_further_out() -> None:
    """By Student's t: for many it is the plain percentile."""
    assert expanded_tail(0.05, 10) < expanded_tail(0.05, 100) < 0.05
    assert expanded_tail(0.05, 100_000) == pytest.approx(0.05, rel=1e-3)


def test_a_class_that_a_resample_lacks_is_left_out_of_its_average() -> None:
    """One row of a class is missing in a third of the resamples; perfect answers stay perfect."""
    labels = np.array(["a"] * 30 + ["b"], dtype=object)
    classes, units = of_words(labels), units_of(None, 31, seed=0)
    perfect = class_tallies(classes.codes, classes, units)

    assert paired_interval("f1_macro", perfect, perfect, confidence=0.9, seed=0).lower == 0


def test_many_units_are_put_together_without_changing_the_variance() -> None:
    """The cost of an interval does not depend on the number of rows."""
    random = np.random.default_rng(4)
    other = random.uniform(5, 6, 20_000)
    one = other - random.normal(0, 1, 20_000)

    found = of_errors(one, other)

    error = np.std(other - one) / np.sqrt(20_000)
    assert (found.upper - found.lower) / (2 * 1.645 * error) == pytest.approx(1, abs=0.08)


def test_blocks_of_time_are_of_the_cube_root() -> None:
    """Neighbours in time resemble each other."""
    assert np.bincount(time_blocks(1000)).tolist() == [10] * 100
    assert time_blocks(0).tolist() == []
