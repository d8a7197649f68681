"""Pearson's chi-squared test of the current counts against those that the reference's shares predict.

X2 = sum (o - e)^2 / e with e = reference count * n2 / n1. The degrees of freedom are the number of categories
minus one. If the reference lacks a category, X2 is infinite and p is zero.
Source: `evidently...stattests.chisquare_stattest`, `scipy.stats.chisquare`.
"""

import numpy as np

from selfheal_jobs.drift.methods import tails
from selfheal_jobs.drift.methods.method import CATEGORICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.pair import Pair


def score(pair: Pair) -> float:
    """Return the p-value; NaN for a single category.

    >>> from selfheal_jobs.drift.methods.pair import Counts
    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.0022
    """
    counts = pair.counts
    expected = counts.reference * (counts.current_rows / counts.reference_rows)
    with np.errstate(divide="ignore"):
        statistic = np.sum((counts.current - expected) ** 2 / expected)
    return tails.chi_squared(float(statistic), counts.distinct - 1)


METHOD = Method(
    id="chisquare", kinds=CATEGORICAL_ONLY, threshold=0.05, criterion=Criterion.P_BELOW, score=score
)
