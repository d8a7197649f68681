"""Epps-Singleton test: compares the empirical characteristic functions at two points.

Epps and Singleton, "An omnibus test for the two-sample problem using the empirical characteristic function"
(1986). The covariance matrix that it inverts is singular for a few distinct values. Its numerical rank, and
with it p, then depends on the order of operations: therefore SciPy's own implementation is called.
Source: `evidently...stattests.epps_singleton_stattest`, `scipy.stats.epps_singleton_2samp`.
"""

import math
import warnings

import numpy as np

from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method, UnfitMethodError
from selfheal_jobs.drift.methods.pair import Numbers

LEAST_ROWS = 5


def score(pair: Numbers) -> float:
    """Return the p-value; NaN for fewer than five values on a side.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 6
    >>> round(score(Numbers(reference, current)), 4)
    0.0182

    Raises:
        UnfitMethodError: The interquartile range of the pooled sample is zero.
    """
    lower, upper = np.percentile(pair.pooled, [25, 75])
    if lower == upper:
        raise UnfitMethodError("it needs values that differ in their middle half")
    if min(pair.reference_rows, pair.current_rows) < LEAST_ROWS:
        return math.nan
    from scipy.stats import epps_singleton_2samp  # noqa: PLC0415  a second of import, for this method only

    with warnings.catch_warnings(action="ignore"):  # about a singular covariance: p takes it into account
        return float(epps_singleton_2samp(pair.reference, pair.current).pvalue)


METHOD = Method(
    id="es",
    kinds=NUMERICAL_ONLY,
    threshold=0.05,
    criterion=Criterion.P_BELOW,
    score=score,
    calibrated=True,
    order_matters=True,
)
