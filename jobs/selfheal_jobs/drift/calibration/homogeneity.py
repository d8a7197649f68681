"""Pearson's chi-squared test of homogeneity for two samples of categories, corrected for small counts.

X2 = sum over both sides and all categories of (o - e)^2 / e, with e estimated from the pooled sample.
(Evidently's `chisquare` treats the reference's shares as known instead of estimated. For samples of equal
size without drift it therefore reports drift in one of six columns.)

Given both margins, X2 has a known mean and variance (Haldane, "The mean and variance of chi-squared, when
used as a test of homogeneity, when expectations are small", 1940). Its null distribution is approximated by a
scaled chi-squared distribution with this mean and variance: the usual one for large counts, one with a
heavier tail for small counts. For two categories with small counts the p-value is exact.
"""

import math
from typing import Final

import numpy as np

from selfheal_jobs.drift.methods import tails
from selfheal_jobs.drift.methods.pair import Counts

_SMALL = 50
"""Expected count of the rarer of two categories on the smaller side; below this the p-value is exact."""
_MANY_DEGREES: Final = 100_000
"""Above this many degrees of freedom the approximation is within a thousandth of p, and the exact sum would
have as many terms. If nearly all values are distinct, X2 hardly varies: that means a billion degrees."""
_NOTHING = 1e-9
"""Variance of X2 over its squared mean that is a rounding error. For many rows this ratio is two divided by
the degrees of freedom."""


def p_value(counts: Counts) -> float:
    """Return the p-value; 1 for a single category."""
    together = counts.reference + counts.current
    n1, n2 = counts.reference_rows, counts.current_rows
    if counts.distinct == 1 or n1 + n2 < 4:
        return 1.0
    if counts.distinct == 2 and min(n1, n2) * int(together.min()) < _SMALL * (n1 + n2):
        rare = int(together.argmin())
        return _exact(int(counts.current[rare]), int(together[rare]), n1, n2)
    n = n1 + n2
    expected = together * (n2 / n)
    statistic = float(np.sum((counts.current - expected) ** 2 / expected)) * n / n1
    mean, variance = _moments(counts, n)
    if variance <= _NOTHING * mean**2:  # all tables with these margins have the same X2
        return 1.0
    degrees = max(1, round(2 * mean**2 / variance))
    return _upper_tail(statistic * degrees / mean, degrees)


def _upper_tail(statistic: float, degrees: int) -> float:
    """Return the upper tail probability of the chi-squared distribution."""
    if degrees <= _MANY_DEGREES:
        return tails.chi_squared(statistic, degrees)
    spread = 2 / (9 * degrees)  # Wilson and Hilferty: the cube root is nearly normal
    return tails.normal(((statistic / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))


def _moments(counts: Counts, n: int) -> tuple[float, float]:
    """Return the mean and variance of X2, given both margins."""
    together = (counts.reference + counts.current).astype(np.float64)
    sides = np.array([counts.reference_rows, counts.current_rows], dtype=np.float64)
    parts = []
    for margin in (sides, together):
        groups = len(margin)
        spread = (float(np.sum(n / margin)) - groups**2) / (n - 2)
        parts.append(((groups - 1) * (n - groups) / (n - 1), spread))
    (freedom1, spread1), (freedom2, spread2) = parts
    mean = n / (n - 1) * (counts.distinct - 1)
    variance = (
        2 * n / (n - 3) * (freedom1 - spread1) * (freedom2 - spread2) + n * n / (n - 1) * spread1 * spread2
    )
    return mean, variance


def _exact(drawn: int, rare: int, n1: int, n2: int) -> float:
    """Return the two-sided hypergeometric p-value of `drawn` rows of the rare category among n2 rows."""
    least, most = max(0, rare - n1), min(rare, n2)
    possible = np.arange(least, most + 1)
    # Logarithms of C(n2, x) C(n1, rare - x), as a cumulative sum of differences; the first is set to 0.
    steps = np.log((n2 - possible[:-1]) * (rare - possible[:-1])) - np.log(
        (possible[:-1] + 1) * (n1 - rare + possible[:-1] + 1)
    )
    logarithms = np.concatenate([[0.0], np.cumsum(steps)])
    weights = np.exp(logarithms - logarithms.max())
    expected = rare * n2 / (n1 + n2)
    as_far = np.abs(possible - expected) >= abs(drawn - expected) * (1 - 1e-12)
    return min(1.0, float(weights[as_far].sum() / weights.sum()))
