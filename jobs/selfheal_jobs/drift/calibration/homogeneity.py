"""Whether two rows of counts are of one distribution: Pearson's chi-squared test, fit for small counts.

X2 = sum over both sides and all categories of (o - e)^2 / e, with e from both sides together. (Evidently's
`chisquare` takes the reference for the truth instead, so that it finds drift in one of six columns of equal
samples without drift.)

Given both margins, X2 has a known mean and variance (Haldane, "The mean and variance of chi-squared, when
used as a test of homogeneity, when expectations are small", 1940), and is taken for a multiple of a
chi-squared number with these: that of the textbooks where counts are large, and a heavier tail where they are
small. Between two categories p is exact while counts are small.
"""

import math
from typing import Final

import numpy as np

from selfheal_jobs.drift.methods import tails
from selfheal_jobs.drift.methods.pair import Counts

_SMALL = 50
"""Expected on either side, of the rarer of two categories: below, p is exact."""
_MANY_DEGREES: Final = 100_000
"""Above, the approximation is within a thousandth of p, and the sum would have as many terms: where nearly
every value differs, X2 hardly varies, and that makes a billion degrees of freedom."""
_NOTHING = 1e-9
"""A variance of X2 in units of its squared mean that is rounding; for many rows it is two by the degrees of
freedom."""


def p_value(counts: Counts) -> float:
    """Return the p-value; one for a single category."""
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
    if variance <= _NOTHING * mean**2:  # all that these margins allow differs as much
        return 1.0
    degrees = max(1, round(2 * mean**2 / variance))
    return _upper_tail(statistic * degrees / mean, degrees)


def _upper_tail(statistic: float, degrees: int) -> float:
    """Return the probability that a chi-squared number is larger."""
    if degrees <= _MANY_DEGREES:
        return tails.chi_squared(statistic, degrees)
    spread = 2 / (9 * degrees)  # Wilson and Hilferty: the cube root is normal
    return tails.normal(((statistic / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))


def _moments(counts: Counts, n: int) -> tuple[float, float]:
    """Return the mean and variance of X2, given how many rows each side and each category has."""
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
    """Return the probability that n2 of all rows hold a number of rare ones as far from what is expected."""
    least, most = max(0, rare - n1), min(rare, n2)
    possible = np.arange(least, most + 1)
    # Logarithms of C(n2, x) C(n1, rare - x) from one x to the next, and the first one as if it were 0.
    steps = np.log((n2 - possible[:-1]) * (rare - possible[:-1])) - np.log(
        (possible[:-1] + 1) * (n1 - rare + possible[:-1] + 1)
    )
    logarithms = np.concatenate([[0.0], np.cumsum(steps)])
    weights = np.exp(logarithms - logarithms.max())
    expected = rare * n2 / (n1 + n2)
    as_far = np.abs(possible - expected) >= abs(drawn - expected) * (1 - 1e-12)
    return min(1.0, float(weights[as_far].sum() / weights.sum()))
