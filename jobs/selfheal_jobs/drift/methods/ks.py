"""Two-sample Kolmogorov-Smirnov test, two-sided. Drift is p AT MOST the threshold.

D = max |F(x) - G(x)|. Up to 10,000 rows on each side p is exact: the share of lattice paths from (0, 0) to
(n1, n2) that leave the band |x / n1 - y / n2| < D (Hodges, "The significance probability of the Smirnov
two-sample test", 1958). For more rows p is that of the one-sample statistic for n1 n2 / (n1 + n2) rows, which
has no closed form and needs SciPy.
Source: `evidently...stattests.ks_stattest`, `scipy.stats.ks_2samp`.
"""

import math
from functools import lru_cache

import numpy as np

from selfheal_jobs.drift.methods.distribution_functions import difference
from selfheal_jobs.drift.methods.effect_size import STEP
from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.pair import Numbers

EXACT_ROWS = 10_000
_LARGEST_EXPONENT = 600
"""For the binomial coefficients of a row: float64 overflows at exp(709)."""
_SAFE_PIECE = 100
"""The ratio of binomial coefficients this far apart is less than exp(600) for up to 10,000 rows."""
_SCATTER = 0.45
"""3 of 100 simulated samples of 100 to 300 rows per side have a sqrt(n1 n2 / (n1 + n2)) D that is lower than
that of the true step by more than this. (D is the maximum, which lies where noise adds to the step.)"""


def score(pair: Numbers) -> float:
    """Return the p-value.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 12
    >>> round(score(Numbers(reference, current)), 4)
    0.0156
    """
    return p_value(statistic(pair), pair.reference_rows, pair.current_rows)


def statistic(pair: Numbers) -> float:
    """Return the largest difference of the empirical distribution functions."""
    pooled = pair.pooled
    last_of_equals = np.concatenate([pooled[1:] != pooled[:-1], [True]])
    return float(np.abs(difference(pair)[last_of_equals]).max())


def p_value(distance: float, n1: int, n2: int) -> float:
    """Return the probability, under the null hypothesis, of a distance at least as large."""
    if max(n1, n2) > EXACT_ROWS:
        return _asymptotic(distance, n1, n2)
    divisor = math.gcd(n1, n2)
    steps = round(distance * (n1 // divisor) * n2)
    if steps == 0:
        return 1.0
    p = _outside_square(n1, steps) if n1 == n2 else _outside_band(max(n1, n2), min(n1, n2), divisor, steps)
    return min(1.0, max(0.0, p))


def _asymptotic(distance: float, n1: int, n2: int) -> float:
    from scipy.stats import kstwo  # noqa: PLC0415  a second of import, for large samples of a forced method

    large, small = float(max(n1, n2)), float(min(n1, n2))
    rows = np.round(large * small / (large + small))
    return float(np.clip(kstwo.sf(distance, rows), 0, 1))


def _outside_square(n: int, steps: int) -> float:
    """Return the share of paths from (0, 0) to (n, n) that touch |x - y| = steps, by reflection.

    2 sum_k (-1)^(k+1) C(2n, n - k steps) / C(2n, n), as nested products, which do not cancel.
    """
    p = 0.0
    for k in range(n // steps, -1, -1):
        j = np.arange(steps)
        p = float(np.prod((n - k * steps - j) / (n + k * steps + j + 1))) * (1.0 - p)
    return 2 * p


@lru_cache(maxsize=1024)  # columns without gaps have equal sizes; few steps occur
def _outside_band(m: int, n: int, divisor: int, steps: int) -> float:
    """Return the share of paths from (0, 0) to (m, n) that touch |x / m - y / n| = steps / lcm(m, n); m > n.

    B(x, y), the share of paths to (x, y) that have left the band, is 1 outside the band and
    (x B(x - 1, y) + y B(x, y - 1)) / (x + y) inside. Multiplied by the number of paths, C(x + y, y), a row is
    a cumulative sum. Shares are used, not their complements, to keep the digits of the smallest p-values.
    """
    width, height = m // divisor, n // divisor
    share = np.ones(m + 2)  # of x - 1, for the row y - 1 or y
    for y in range(n + 1):
        # Inside: |x height - y width| < steps.
        first = max(0, (y * width - steps) // height + 1)
        last = min(m, -((-y * width - steps) // height) - 1)
        if last < first:
            return 1.0
        left = 1.0 if first else 0.0
        start = first
        while start <= last:
            end = last if _exponent(start, last, y) < _LARGEST_EXPONENT else min(last, start + _SAFE_PIECE)
            x = np.arange(start, end + 1, dtype=np.float64)
            # Paths to (x, y), in multiples of those to (start, y); those to (start - 1, y) are the last term.
            paths = np.cumprod(np.concatenate([[1.0], (x[1:] + y) / x[1:]]))
            before = left * start / (start + y) if start else 0.0
            if y == 0:
                inside = np.zeros(len(x)) if start == 0 else np.full(len(x), left)
            else:
                inside = (before + np.cumsum(y / (x + y) * paths * share[start + 1 : end + 2])) / paths
            share[start + 1 : end + 2] = inside
            left = float(inside[-1])
            start = end + 1
        share[: first + 1] = 1.0
        share[last + 2 :] = 1.0
    return float(share[m + 1])


def _exponent(first: int, last: int, y: int) -> float:
    """Return the logarithm of C(last + y, y) / C(first + y, y)."""
    return (
        math.lgamma(last + y + 1)
        - math.lgamma(last + 1)
        - math.lgamma(first + y + 1)
        + math.lgamma(first + 1)
    )


def rows_needed(level: float) -> float:
    """Return the effective rows that give the test the required power: more than any other method needs.

    >>> round(rows_needed(0.05))
    84
    """
    return ((math.sqrt(-math.log(level / 2) / 2) + _SCATTER) / STEP) ** 2


METHOD = Method(
    id="ks",
    kinds=NUMERICAL_ONLY,
    threshold=0.05,
    criterion=Criterion.P_AT_MOST,
    score=score,
    calibrated=True,
    rows_needed=rows_needed,
)
