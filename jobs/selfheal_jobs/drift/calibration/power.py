"""Whether drift could have been seen at all: a silence that means nothing is no verdict.

What has to be seen is a shift of half a standard deviation, which the literature calls a medium effect
(Cohen, "Statistical power analysis", 1988): of a number's mean, or as much in the shares of categories. A
method sees it if it would find it in 97 of 100 samples of these sizes, at the level that counts. Then of
three such columns in six two are found in 997 of 1,000.
"""

import math
from typing import Final

from selfheal_jobs.drift.methods.method import Method

SHIFT: Final = 0.5
"""Standard deviations."""
_FOUND: Final = 1.881
"""The normal quantile of 97 percent."""
_STEP: Final = math.erf(SHIFT / 2 / math.sqrt(2))
"""The largest difference between the distribution functions of two normal numbers so far apart: 0.197."""
_EFFICIENCY: Final = 0.95
"""Of the Anderson-Darling test for shifts of normal numbers, beside a comparison of their means."""
_KS_SCATTER: Final = 0.45
"""By so much sqrt(n1 n2 / (n1 + n2)) D stays below that of the step in 3 of 100 samples, drawn for 100 to 300
rows on either side. (The largest difference lies where chance adds to the step.)"""
LEAST_ROWS: Final = 20
"""Fewer values on a side show nothing: the p-values are approximations for more."""


def effective_rows(n1: int, n2: int) -> float:
    """Return n1 n2 / (n1 + n2), the size that decides what two samples can show.

    >>> round(effective_rows(1001, 100))
    91
    """
    return n1 * n2 / (n1 + n2)


def rows_needed(method: Method, level: float, categories: int | None) -> float:
    """Return how many effective rows a method needs to see the shift.

    Args:
        method: A test needs more than a comparison of means, the Kolmogorov-Smirnov test most of all.
        level: The p-value from which on a difference counts, between 0 and 1.
        categories: How many there are; None for numbers.
    """
    if categories is not None:
        return _for_counts(categories - 1, level)
    if method.name == "ks":
        return ((math.sqrt(-math.log(level / 2) / 2) + _KS_SCATTER) / _STEP) ** 2
    return ((_quantile(level / 2) + _FOUND) / SHIFT) ** 2 / _EFFICIENCY


def has_power(n1: int, n2: int, needed: float) -> bool:
    """Return whether samples of these sizes have the effective rows that are needed."""
    return min(n1, n2) >= LEAST_ROWS and effective_rows(n1, n2) >= needed


def _for_counts(degrees: int, level: float) -> float:
    """Solve q(1 - level) = m + x - 1.881 sqrt(2 (m + 2 x)) for x, the non-centrality of chi-squared."""
    if degrees == 0:
        return 0.0
    if degrees == 1:  # the square of one normal number
        return ((_quantile(level / 2) + _FOUND) / SHIFT) ** 2
    z = _quantile(level)
    # Wilson and Hilferty's approximation of the chi-squared quantile.
    critical = degrees * (1 - 2 / (9 * degrees) + z * math.sqrt(2 / (9 * degrees))) ** 3
    # With y = sqrt(m + 2 x): y^2 / 2 - 1.881 sqrt(2) y + m / 2 - critical = 0.
    root = _FOUND * math.sqrt(2) + math.sqrt(2 * _FOUND**2 + 2 * critical - degrees)
    return (root**2 - degrees) / 2 / SHIFT**2


def _quantile(upper: float) -> float:
    """Return the normal number that is exceeded with a probability below one half; by bisection."""
    low, high = -10.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if 0.5 * math.erfc(middle / math.sqrt(2)) > upper else (low, middle)
    return low
