"""Two-sample Cramer-von Mises test. Drift is p AT MOST the threshold.

U = n1 sum (r_i - i)^2 + n2 sum (s_j - j)^2 with midranks r and s, T = U / (n1 n2 N) - (4 n1 n2 - 1) / (6 N),
standardised to the limiting distribution's mean and variance (Anderson, "On the distribution of the
two-sample Cramer-von Mises criterion", 1962). The limiting distribution is a series of Bessel functions,
which needs `scipy.special`. With at most twenty rows on each side p is exact, by counting lattice paths with
`scipy.stats`. (Evidently's own copy of that code fails on NumPy 2.)
Source: `evidently...stattests.cramer_von_mises_stattest`, `scipy.stats.cramervonmises_2samp`.
"""

import math

import numpy as np

from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method, UnfitMethodError
from selfheal_jobs.drift.methods.midranks import midranks
from selfheal_jobs.drift.methods.pair import Numbers

EXACT_ROWS = 20
_CERTAIN = 0.003
"""Below this the distribution function is under 1.3e-18."""
_LEAST_TERM = 1e-7


def score(pair: Numbers) -> float:
    """Return the p-value.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 6
    >>> round(score(Numbers(reference, current)), 4)
    0.0353

    Raises:
        UnfitMethodError: A side has a single value.
    """
    n1, n2 = pair.reference_rows, pair.current_rows
    if min(n1, n2) <= 1:
        raise UnfitMethodError("it needs at least two values on each side")
    if max(n1, n2) <= EXACT_ROWS:
        return _exact(pair)
    n, k = n1 + n2, n1 * n2
    ranked = midranks(pair)
    u = n1 * float(np.sum((ranked.reference - np.arange(1, n1 + 1)) ** 2))
    u += n2 * float(np.sum((ranked.current - np.arange(1, n2 + 1)) ** 2))
    t = u / (k * n) - (4 * k - 1) / (6 * n)
    mean = (1 + 1 / n) / 6
    variance = (n + 1.0) * (4 * k * n - 3 * (n1**2 + n2**2) - 2 * k) / (45 * n**2 * 4 * k)
    normed = 1 / 6 + (t - mean) / math.sqrt(45 * variance)
    return 1.0 if normed < _CERTAIN else max(0.0, 1.0 - _limiting_distribution(normed))


def _exact(pair: Numbers) -> float:
    from scipy.stats import cramervonmises_2samp  # noqa: PLC0415  a second of import, for a few rows

    return float(cramervonmises_2samp(pair.reference, pair.current, method="exact").pvalue)


def _limiting_distribution(x: float) -> float:
    """Return the distribution function. Source: Csorgo and Faraway (1996), equation 1.2."""
    from scipy.special import gammaln, kv  # noqa: PLC0415  slow to import; only this method needs it

    total, k, term = 0.0, 0, 1.0
    while abs(term) >= _LEAST_TERM:
        y = 4 * k + 1
        q = y**2 / (16 * x)
        factor = math.exp(gammaln(k + 0.5) - gammaln(k + 1)) / (math.pi**1.5 * math.sqrt(x))
        term = factor * math.sqrt(y) * math.exp(-q) * float(kv(0.25, q))
        total += term
        k += 1
    return total


METHOD = Method(
    id="cramer_von_mises",
    kinds=NUMERICAL_ONLY,
    threshold=0.1,
    criterion=Criterion.P_AT_MOST,
    score=score,
    calibrated=True,
)
