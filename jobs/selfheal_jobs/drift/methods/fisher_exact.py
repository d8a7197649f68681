"""Fisher's exact test of a 2x2 contingency table, two-sided.

p is the sum of the hypergeometric probabilities that are not larger than that of the table. SciPy is imported
because the terms are hard to compute accurately in the tails.
Source: `evidently...stattests.fisher_exact_stattest`, `scipy.stats.fisher_exact`.

Evidently also accepts sides that have more than two categories together, and then tests the first two of a
set: the result changes from process to process. This module rejects such columns.
"""

from selfheal_jobs.drift.methods.method import CATEGORICAL_ONLY, Criterion, Method, UnfitMethodError
from selfheal_jobs.drift.methods.pair import Pair


def score(pair: Pair) -> float:
    """Return the p-value.

    >>> import numpy as np
    >>> from selfheal_jobs.drift.methods.pair import Counts
    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.0472

    Raises:
        UnfitMethodError: There are more than two categories, or the sides have different sizes.
    """
    counts = pair.counts
    if counts.distinct > 2:
        raise UnfitMethodError(f"it needs at most two categories (there are {counts.distinct})")
    if counts.reference_rows != counts.current_rows:
        raise UnfitMethodError(
            f"it needs as many values in the current data as in the reference "
            f"({counts.current_rows} and {counts.reference_rows})"
        )
    if counts.distinct == 1:
        return 1.0
    from scipy.stats import fisher_exact  # noqa: PLC0415  a second of import, for this method only

    return float(fisher_exact([counts.current, counts.reference]).pvalue)


METHOD = Method(
    id="fisher_exact", kinds=CATEGORICAL_ONLY, threshold=0.1, criterion=Criterion.P_BELOW, score=score
)
