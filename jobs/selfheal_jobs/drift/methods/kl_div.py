"""Kullback-Leibler divergence of the reference from the current data: sum p ln(p / q), empty bins filled.

Source: `evidently...stattests.kl_div`, `scipy.stats.entropy`.
"""

from selfheal_jobs.drift.methods.bins import counts_per_bin, shares
from selfheal_jobs.drift.methods.method import BOTH_KINDS, Criterion, Method
from selfheal_jobs.drift.methods.pair import Pair
from selfheal_jobs.drift.methods.relative_entropy import relative_entropy


def score(pair: Pair) -> float:
    """Return the divergence.

    >>> import numpy as np
    >>> from selfheal_jobs.drift.methods.pair import Counts
    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.0452
    """
    of = shares(counts_per_bin(pair), fill_empty=True)
    p, q = of.reference / of.reference.sum(), of.current / of.current.sum()
    return float(relative_entropy(p, q).sum())


METHOD = Method(
    id="kl_div", kinds=BOTH_KINDS, threshold=0.1, criterion=Criterion.DISTANCE_AT_LEAST, score=score
)
