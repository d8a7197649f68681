"""Z-test for the difference of two proportions.

With p1 and p2 the shares of rows that are NOT in the first category, and P the share of both together,
z = (p1 - p2) / sqrt(P (1 - P) (1/n1 + 1/n2)), and p = 2 (1 - Phi(|z|)).
Source: `evidently...stattests.z_stattest`, which accepts any number of categories but uses only the first.

Evidently's difference 1 - Phi(|z|) is a multiple of 1.1e-16. Ours is rounded in the same way, but its last
step may differ: p-values below 1e-7 may differ from Evidently's by 2.2e-16.
"""

import math

from selfheal_jobs.drift.methods import tails
from selfheal_jobs.drift.methods.method import CATEGORICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.pair import Pair


def score(pair: Pair) -> float:
    """Return the p-value.

    >>> import numpy as np
    >>> from selfheal_jobs.drift.methods.pair import Counts
    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.0337
    """
    counts = pair.counts
    if counts.distinct == 1:
        return 1.0
    n1, n2 = counts.reference_rows, counts.current_rows
    p1 = (n1 - int(counts.reference[0])) / n1
    p2 = (n2 - int(counts.current[0])) / n2
    together = (p1 * n1 + p2 * n2) / (n1 + n2)
    z = abs((p1 - p2) / math.sqrt(together * (1 - together) * (1 / n1 + 1 / n2)))
    return 2 * (1 - (1 - tails.normal(z)))


METHOD = Method(id="z", kinds=CATEGORICAL_ONLY, threshold=0.05, criterion=Criterion.P_BELOW, score=score)
