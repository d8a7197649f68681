"""Statistical power: would this sample have shown a shift of half a standard deviation?

A column without drift in a sample without power says nothing: the check is Inconclusive, not NoDrift, if
such columns could have made an alarm. `effect_size` says what has to be seen, and with which power.
"""

import math
from typing import Final

from selfheal_jobs.drift.methods.effect_size import POWER_QUANTILE, SHIFT, normal_quantile
from selfheal_jobs.drift.methods.method import Method

LEAST_ROWS: Final = 20
"""With fewer values on a side there is no power: the p-values are approximations for more."""


def effective_rows(n1: int, n2: int) -> float:
    """Return n1 n2 / (n1 + n2), the size that decides what two samples can show.

    >>> round(effective_rows(1001, 100))
    91
    """
    return n1 * n2 / (n1 + n2)


def rows_needed(method: Method, level: float, categories: int | None) -> float:
    """Return how many effective rows a method needs for the power to see the shift.

    Args:
        method: For numbers, its own need; for categories all are taken for a chi-squared test.
        level: The significance level, between 0 and 1.
        categories: How many there are; None for numbers.
    """
    return method.rows_needed(level) if categories is None else _for_counts(categories - 1, level)


def has_power(n1: int, n2: int, needed: float) -> bool:
    """Return whether samples of these sizes have the effective rows that are needed."""
    return min(n1, n2) >= LEAST_ROWS and effective_rows(n1, n2) >= needed


def _for_counts(degrees: int, level: float) -> float:
    """Solve q(1 - level) = m + x - 1.881 sqrt(2 (m + 2 x)) for x, the non-centrality of chi-squared."""
    if degrees == 0:
        return 0.0
    if degrees == 1:  # the square of one normal number
        return ((normal_quantile(level / 2) + POWER_QUANTILE) / SHIFT) ** 2
    z = normal_quantile(level)
    # Wilson and Hilferty's approximation of the chi-squared quantile.
    critical = degrees * (1 - 2 / (9 * degrees) + z * math.sqrt(2 / (9 * degrees))) ** 3
    # With y = sqrt(m + 2 x): y^2 / 2 - 1.881 sqrt(2) y + m / 2 - critical = 0.
    root = POWER_QUANTILE * math.sqrt(2) + math.sqrt(2 * POWER_QUANTILE**2 + 2 * critical - degrees)
    return (root**2 - degrees) / 2 / SHIFT**2
