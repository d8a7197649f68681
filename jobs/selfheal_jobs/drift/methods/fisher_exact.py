"""Fisher's exact test of a two by two table, two-sided.

p is the sum of the hypergeometric probabilities that are not larger than that of the table. Its terms need
care in the tails: SciPy is imported.
Source: `evidently...stattests.fisher_exact_stattest`, `scipy.stats.fisher_exact`.

Evidently lets two categories of one side meet two others, or a third, and then tests whichever two come first
in a set: the result changes from process to process. That is refused here.
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
