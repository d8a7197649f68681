"""The interval of the difference between two models on the same rows, by a paired bootstrap. Pure.

Both models are resampled together, so what makes a row hard for both cancels out. Ends are percentiles,
expanded as Hesterberg has it (The American Statistician 69, 2015, 4.3.3): plain ones are too narrow for
few units.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import stats

from selfheal_jobs.retrain.fold_score import gain
from selfheal_jobs.retrain.scores import value
from selfheal_jobs.retrain.tallies import Sums

_BEYOND_AN_END: Final = 10
"""Resamples that lie beyond each end of an interval: fewer make it a matter of chance."""
_FEWEST: Final = 2_000
_AT_ONCE: Final = 500


class Interval(Struct, frozen=True, kw_only=True):
    """By how much one model is better than another."""

    difference: float
    lower: float
    upper: float
    """The ends of the two-sided interval."""
    floor: float
    """The lower end of the one-sided interval of the same confidence: positive if enough resamples are."""
    better: float
    """Share of the resamples in which the first model is better."""
    needed: float
    """The share above which the floor is positive: the confidence, and a little more with few units."""


def paired_interval(metric: str, one: Sums, other: Sums, *, confidence: float, seed: int) -> Interval:
    """Return the interval of the gain of `one` over `other`, in the unit of the metric.

    Args:
        metric: Name of a metric.
        one: Tallies of a model, for each unit.
        other: Tallies of another model on the same rows.
        confidence: Of the two-sided interval.
        seed: Makes the resamples repeatable.
    """
    point = float(gain(metric, value(metric, one.sum(axis=0)), value(metric, other.sum(axis=0))))
    gains = np.concatenate(list(_resampled(metric, one, other, _draws(confidence), seed)))
    gains = gains[np.isfinite(gains)]
    if len(one) < 2 or not len(gains):
        return Interval(difference=point, lower=-np.inf, upper=np.inf, floor=-np.inf, better=0.0, needed=1.0)
    two_sided, one_sided = (expanded_tail(tail, len(one)) for tail in ((1 - confidence) / 2, 1 - confidence))
    lower, upper, floor = np.quantile(gains, [two_sided, 1 - two_sided, one_sided]).tolist()
    better = float((gains > 0).mean())
    return Interval(
        difference=point, lower=lower, upper=upper, floor=floor, better=better, needed=1 - one_sided
    )


def expanded_tail(tail: float, units: int) -> float:
    """Return the quantile to read where `tail` is wanted: further out, by Student's t and the bias of n.

    >>> [round(expanded_tail(0.05, units), 3) for units in (10, 1000)]
    [0.027, 0.05]
    """
    reach = np.sqrt(units / (units - 1)) * stats.t.ppf(tail, units - 1)
    return float(stats.norm.cdf(reach))


def _draws(confidence: float) -> int:
    return max(_FEWEST, int(np.ceil(2 * _BEYOND_AN_END / (1 - confidence))))


def _resampled(metric: str, one: Sums, other: Sums, draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng, both = np.random.default_rng(seed), np.hstack([one, other])
    for start in range(0, draws, _AT_ONCE):
        weights = _weights(rng, len(one), min(_AT_ONCE, draws - start))
        mine, others = np.split(weights @ both, 2, axis=1)
        yield gain(metric, value(metric, mine), value(metric, others))


def _weights(rng: np.random.Generator, units: int, draws: int) -> NDArray[np.float64]:
    """Return how often each unit is in each resample, as floats, which BLAS multiplies.

    Counting drawn units takes a fraction of the time of `Generator.multinomial`, which draws a binomial for
    each of them.
    """
    cells = rng.integers(0, units, size=(draws, units)) + units * np.arange(draws)[:, np.newaxis]
    counts = np.bincount(cells.ravel(), minlength=draws * units)
    return counts.reshape(draws, units).astype(np.float64)
