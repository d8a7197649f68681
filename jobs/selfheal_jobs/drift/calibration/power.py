"""Statistical power: would this sample have shown a shift of half a standard deviation?

A test without power that does not reject is no evidence of no drift: the check is Inconclusive, not NoDrift,
if such columns could have raised an alarm. `effect_size` defines the effect size and the required power.
"""

import math
from typing import Final

from selfheal_jobs.drift.methods.effect_size import POWER_QUANTILE, SHIFT, normal_quantile
from selfheal_jobs.drift.methods.method import Method

LEAST_ROWS: Final = 20
"""With fewer values on a side a column never has power: the p-value approximations need more."""


def effective_rows(n1: int, n2: int) -> float:
    """Return n1 n2 / (n1 + n2), the effective sample size on which the power of two-sample tests depends.

    >>> round(effective_rows(1001, 100))
    91
    """
    return n1 * n2 / (n1 + n2)


def rows_needed(method: Method, level: float, categories: int | None) -> float:
    """Return how many effective rows a method needs to detect the shift with the required power.

    Args:
        method: Used for numbers; for categories every method is treated as a chi-squared test.
        level: The significance level, between 0 and 1.
        categories: The number of categories; None for numbers.
    """
    return method.rows_needed(level) if categories is None else _for_counts(categories - 1, level)


def has_power(n1: int, n2: int, needed: float) -> bool:
    """Return whether samples of these sizes have at least the needed effective rows."""
    return min(n1, n2) >= LEAST_ROWS and effective_rows(n1, n2) >= needed


def _for_counts(degrees: int, level: float) -> float:
    """Solve q(1 - level) = m + x - 1.881 sqrt(2 (m + 2 x)) for x, the non-centrality of chi-squared."""
    if degrees == 0:
        return 0.0
    if degrees == 1:  # chi-squared is then the square of a normal number
        return ((normal_quantile(level / 2) + POWER_QUANTILE) / SHIFT) ** 2
    z = normal_quantile(level)
    # Wilson and Hilferty's approximation of the chi-squared quantile.
    critical = degrees * (1 - 2 / (9 * degrees) + z * math.sqrt(2 / (9 * degrees))) ** 3
    # With y = sqrt(m + 2 x): y^2 / 2 - 1.881 sqrt(2) y + m / 2 - critical = 0.
    root = POWER_QUANTILE * math.sqrt(2) + math.sqrt(2 * POWER_QUANTILE**2 + 2 * critical - degrees)
    return (root**2 - degrees) / 2 / SHIFT**2
