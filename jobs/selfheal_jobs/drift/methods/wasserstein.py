"""First Wasserstein distance, in standard deviations of the reference.

integral |F(x) - G(x)| dx / max(sd, 0.001). For samples of equal size the integral is the mean distance
between values of the same rank, so the samples need not be merged.
Source: `evidently...stattests.wasserstein_distance_norm`, `scipy.stats.wasserstein_distance`.
"""

import math
from collections.abc import Iterator

import numpy as np

from selfheal_jobs.drift.methods.distribution_functions import difference, gaps
from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.pair import Array, Numbers

LEAST_NORM = 0.001
_DOWN = 2.0**-600
"""Makes the squares of the largest floats finite. A power of two changes no digit of a number."""
_PIECE = 1 << 16
"""Numbers per piece, so that a piece fits into the processor's cache."""


def score(pair: Numbers) -> float:
    """Return the normalised distance.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 12
    >>> round(score(Numbers(reference, current)), 4)
    1.3864
    >>> round(score(Numbers(reference * 1e160, current * 1e160)), 4)
    1.3864
    """
    known = pair.known_deviation
    with np.errstate(over="ignore"):
        far, norm = distance(pair), deviation(pair.reference) if known is None else known
    if math.isfinite(far) and math.isfinite(norm):
        return far / max(norm, LEAST_NORM)
    scaled = Numbers(pair.reference * _DOWN, pair.current * _DOWN)
    return distance(scaled) / deviation(scaled.reference)


def distance(pair: Numbers) -> float:
    """Return the distance in the column's own unit."""
    if pair.reference_rows == pair.current_rows:
        return _mean_distance(pair.sorted_reference, pair.sorted_current)
    return float(np.dot(np.abs(difference(pair)[:-1]), gaps(pair)))


def _mean_distance(u: Array, v: Array) -> float:
    total = 0.0
    for piece in _pieces(len(u)):
        differences = np.subtract(u[piece], v[piece], dtype=np.float64)
        total += float(np.abs(differences, out=differences).sum())
    return total / len(u)


def deviation(values: Array) -> float:
    """Return the standard deviation, summed in the order of the rows, as Evidently does.

    For large numbers that are close together, rounding dominates the mean: it depends on the order.
    """
    mean = np.mean(values, dtype=np.float64)
    total = 0.0
    for piece in _pieces(len(values)):
        differences = np.subtract(values[piece], mean, dtype=np.float64)
        total += float(np.square(differences, out=differences).sum())
    return math.sqrt(total / len(values))


def _pieces(length: int) -> Iterator[slice]:
    """Yield slices of long arrays: filling new memory with all differences takes longer than adding them."""
    return (slice(start, start + _PIECE) for start in range(0, length, _PIECE))


METHOD = Method(
    id="wasserstein",
    kinds=NUMERICAL_ONLY,
    threshold=0.1,
    criterion=Criterion.DISTANCE_AT_LEAST,
    score=score,
)
