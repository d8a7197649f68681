"""Population stability index: sum (p - q) ln(p / q), empty bins filled.

Source: `evidently...stattests.psi`.
"""

import numpy as np

from selfheal_jobs.drift.methods.bins import counts_per_bin, shares
from selfheal_jobs.drift.methods.method import BOTH_KINDS, Criterion, Method
from selfheal_jobs.drift.methods.pair import Pair


def score(pair: Pair) -> float:
    """Return the index.

    >>> from selfheal_jobs.drift.methods.pair import Counts
    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.0909
    """
    of = shares(counts_per_bin(pair), fill_empty=True)
    return float(np.sum((of.reference - of.current) * np.log(of.reference / of.current)))


METHOD = Method(id="psi", kinds=BOTH_KINDS, threshold=0.1, criterion=Criterion.DISTANCE_AT_LEAST, score=score)
