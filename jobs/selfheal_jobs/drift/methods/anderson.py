"""Two-sample Anderson-Darling test with midranks.

A2 is equation 7 of Scholz and Stephens, "K-sample Anderson-Darling tests" (1987), standardised by its mean
and standard deviation; ln p is a quadratic fit to their critical values, and p is clipped to 0.001 to 0.25.
Source: `evidently...stattests.anderson_darling_stattest`, `scipy.stats.anderson_ksamp`.
"""

import math

import numpy as np

from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method, UnfitMethodError
from selfheal_jobs.drift.methods.pair import Array, Numbers

_LEVELS = np.array([0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001])
_CRITICAL = (
    np.array([0.675, 1.281, 1.645, 1.96, 2.326, 2.573, 3.085])
    + np.array([-0.245, 0.25, 0.678, 1.149, 1.822, 2.364, 3.615])
    + np.array([-0.105, -0.305, -0.362, -0.391, -0.396, -0.345, -0.154])
)
"""Table 2 of Scholz and Stephens for two samples."""


def score(pair: Numbers) -> float:
    """Return the p-value; NaN for three values in total, for which the variance of A2 is undefined.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 6
    >>> round(score(Numbers(reference, current)), 4)
    0.0151

    Raises:
        UnfitMethodError: All values are equal, or there are at most two.
    """
    if pair.pooled[0] == pair.pooled[-1] or len(pair.pooled) == 2:
        raise UnfitMethodError("it needs at least two distinct values, and more than two in all")
    if len(pair.pooled) == 3:
        return math.nan
    normalised = (_statistic(pair) - 1) / math.sqrt(_variance(pair.reference_rows, pair.current_rows))
    if normalised < _CRITICAL.min():
        return float(_LEVELS.max())
    if normalised > _CRITICAL.max():
        return float(_LEVELS.min())
    parabola = np.polyfit(_CRITICAL, np.log(_LEVELS), 2)
    return math.exp(np.polyval(parabola, normalised))


def _statistic(pair: Numbers) -> float:
    pooled = pair.pooled
    n = len(pooled)
    starts = np.concatenate([[0], np.flatnonzero(pooled[1:] != pooled[:-1]) + 1])
    values, sizes = pooled[starts], np.diff(starts, append=n)
    middle = starts + sizes / 2
    weights = sizes / float(n) / (middle * (n - middle) - n * sizes / 4)
    total = sum(
        (weights * (n * _midcount(side, values) - middle * len(side)) ** 2).sum() / len(side)
        for side in (pair.sorted_reference, pair.sorted_current)
    )
    return float(total * (n - 1) / n)


def _midcount(side: Array, values: Array) -> Array:
    return (np.searchsorted(side, values, side="right") + np.searchsorted(side, values, side="left")) / 2


def _variance(n1: int, n2: int) -> float:
    """Return the variance of A2, equation 4 of Scholz and Stephens, for two samples."""
    n, k = n1 + n2, 2
    inverse = 1 / n1 + 1 / n2
    ascending = 1.0 / np.arange(1, n)
    harmonic = float(ascending.sum())
    # sum over i < j of 1 / ((n - i) j)
    double = float(np.sum(np.cumsum(ascending[::-1])[:-1] * ascending[1:]))
    a = (4 * double - 6) * (k - 1) + (10 - 6 * double) * inverse
    b = (2 * double - 4) * k**2 + 8 * harmonic * k
    b += (2 * double - 14 * harmonic - 4) * inverse - 8 * harmonic + 4 * double - 6
    c = (6 * harmonic + 2 * double - 2) * k**2 + (4 * harmonic - 4 * double + 6) * k
    c += (2 * harmonic - 6) * inverse + 4 * harmonic
    d = (2 * harmonic + 6) * k**2 - 4 * harmonic * k
    return (a * n**3 + b * n**2 + c * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0))


METHOD = Method(id="anderson", kinds=NUMERICAL_ONLY, threshold=0.1, criterion=Criterion.P_BELOW, score=score)
