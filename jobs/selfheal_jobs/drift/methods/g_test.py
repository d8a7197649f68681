"""G-test: the log-likelihood ratio of the current counts against the reference counts.

G = 2 sum o ln(o / e) with e the unscaled reference count. The degrees of freedom are the number of categories
minus one. Since Evidently does not scale the reference, SciPy accepts only samples of the same size.
Source: `evidently...stattests.g_stattest`, `scipy.stats.power_divergence`.
"""

import numpy as np

from selfheal_jobs.drift.methods import tails
from selfheal_jobs.drift.methods.method import CATEGORICAL_ONLY, Criterion, Method, UnfitMethodError
from selfheal_jobs.drift.methods.pair import Pair

_TOLERANCE = np.finfo(np.float64).eps ** 0.5
"""SciPy's tolerance for the relative difference of the two sample sizes."""


def score(pair: Pair) -> float:
    """Return the p-value; NaN for a single category.

    >>> from selfheal_jobs.drift.methods.pair import Counts
    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.0025

    Raises:
        UnfitMethodError: The sides have different sizes.
    """
    counts = pair.counts
    sizes = counts.reference_rows, counts.current_rows
    if abs(sizes[0] - sizes[1]) / min(sizes) > _TOLERANCE:
        raise UnfitMethodError(
            f"it needs as many values in the current data as in the reference ({sizes[1]} and {sizes[0]})"
        )
    observed = counts.current.astype(np.float64)
    seen = observed > 0  # a term with o = 0 is zero
    with np.errstate(divide="ignore"):
        terms = 2.0 * observed[seen] * np.log(observed[seen] / counts.reference[seen])
    return tails.chi_squared(float(np.sum(terms)), counts.distinct - 1)


METHOD = Method(id="g_test", kinds=CATEGORICAL_ONLY, threshold=0.1, criterion=Criterion.P_BELOW, score=score)
