"""Upper tail probabilities of the normal and chi-squared distributions, in closed form, without SciPy."""

import math

import numpy as np


def normal(z: float) -> float:
    """Return the probability that a standard normal number is larger than z.

    >>> round(normal(1.96), 4)
    0.025
    """
    return 0.5 * math.erfc(z / math.sqrt(2))


def chi_squared(statistic: float, degrees: int) -> float:
    """Return the upper tail probability; NaN for a statistic of zero with zero degrees of freedom.

    For integer degrees of freedom the incomplete gamma function is a finite sum: of Poisson probabilities if
    they are even; of erfc and such terms at half-integers if odd (Abramowitz and Stegun, 26.4.4-5).

    >>> round(chi_squared(3.841, 1), 4), round(chi_squared(5.991, 2), 4)
    (0.05, 0.05)
    """
    if math.isnan(statistic) or (degrees == 0 and statistic == 0):
        return math.nan
    if degrees == 0 or statistic == math.inf:
        return 0.0
    if statistic <= 0:
        return 1.0
    half = statistic / 2
    odd = degrees % 2
    # Terms half**k / Gamma(k + 1) * exp(-half) for k = 0, 1, ... or 1/2, 3/2, ...; in logarithms, since both
    # factors leave the range of float64 with thousands of categories.
    steps = np.arange(degrees // 2) + odd / 2
    first = -math.lgamma(1.5) if odd else 0.0
    growth = np.log(half) - np.log(steps[1:]) if len(steps) else steps
    logarithms = -half + steps[:1] * math.log(half) + first + np.concatenate([[0.0], np.cumsum(growth)])
    total = float(np.sum(np.exp(logarithms))) if len(steps) else 0.0
    return min(1.0, total + (math.erfc(math.sqrt(half)) if odd else 0.0))
