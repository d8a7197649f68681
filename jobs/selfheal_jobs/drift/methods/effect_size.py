"""Effect size and power: the shift that a test has to detect, and the sample size that this takes.

The effect size is half a standard deviation, a medium one (Cohen, "Statistical power analysis", 1988). The
power is 97 percent: if three columns have shifted that far, a check detects at least two of them in 997 of
1,000 cases.
"""

import math
from typing import Final

SHIFT: Final = 0.5
"""Standard deviations."""
POWER_QUANTILE: Final = 1.881
"""Standard normal quantile of the power of 97 percent."""
STEP: Final = math.erf(SHIFT / 2 / math.sqrt(2))
"""Largest difference between two normal distribution functions that are SHIFT apart: 0.197."""
_EFFICIENCY: Final = 0.95
"""Relative efficiency of the Anderson-Darling test to a comparison of means, for shifts of normal numbers."""


def rows_to_compare_means(level: float) -> float:
    """Return the effective rows, n1 n2 / (n1 + n2), that give a rank test the required power at a level.

    >>> round(rows_to_compare_means(0.05))
    62
    """
    return ((normal_quantile(level / 2) + POWER_QUANTILE) / SHIFT) ** 2 / _EFFICIENCY


def normal_quantile(upper: float) -> float:
    """Return the standard normal quantile for an upper tail probability below one half, by bisection.

    >>> round(normal_quantile(0.025), 3)
    1.96
    """
    low, high = -10.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if 0.5 * math.erfc(middle / math.sqrt(2)) > upper else (low, middle)
    return low
