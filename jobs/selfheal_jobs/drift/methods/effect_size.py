"""The shift that has to be seen, and how many rows a comparison of two means needs to see it.

The shift is half a standard deviation, a medium effect size (Cohen, "Statistical power analysis", 1988). The
power is 97 percent: of three columns that have moved so far, two are then found in 997 of 1,000 checks.
"""

import math
from typing import Final

SHIFT: Final = 0.5
"""Standard deviations."""
POWER_QUANTILE: Final = 1.881
"""The normal quantile of the power, 97 percent."""
STEP: Final = math.erf(SHIFT / 2 / math.sqrt(2))
"""The largest difference between the distribution functions of two normal numbers so far apart: 0.197."""
_EFFICIENCY: Final = 0.95
"""Of the Anderson-Darling test for shifts of normal numbers, beside a comparison of their means."""


def rows_to_compare_means(level: float) -> float:
    """Return the effective rows, n1 n2 / (n1 + n2), with which a rank test has the power at a level.

    >>> round(rows_to_compare_means(0.05))
    62
    """
    return ((normal_quantile(level / 2) + POWER_QUANTILE) / SHIFT) ** 2 / _EFFICIENCY


def normal_quantile(upper: float) -> float:
    """Return the normal number that is exceeded with a probability below one half; by bisection.

    >>> round(normal_quantile(0.025), 3)
    1.96
    """
    low, high = -10.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if 0.5 * math.erfc(middle / math.sqrt(2)) > upper else (low, middle)
    return low
