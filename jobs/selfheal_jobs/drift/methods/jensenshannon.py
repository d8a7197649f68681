"""Jensen-Shannon distance: the square root of the divergence, with natural logarithms.

sqrt((KL(p, m) + KL(q, m)) / 2) with m = (p + q) / 2 over the bins of `bins.counts_per_bin`.
Source: `evidently...stattests.jensenshannon`, `scipy.spatial.distance.jensenshannon`.

The two sums nearly cancel if p and q are close. Below 1e-5 the distance is a rounding error, here as in
Evidently, and depends on the order of the categories, which Evidently takes from a set.
"""

import math

from selfheal_jobs.drift.methods.bins import counts_per_bin, shares
from selfheal_jobs.drift.methods.method import BOTH_KINDS, Criterion, Method
from selfheal_jobs.drift.methods.pair import Counts, Pair
from selfheal_jobs.drift.methods.relative_entropy import relative_entropy


def score(pair: Pair) -> float:
    """Return the distance, from 0 to sqrt(ln 2).

    >>> import numpy as np
    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.1064
    """
    return distance(counts_per_bin(pair))


def distance(counts: Counts) -> float:
    """Return the distance of counts per bin."""
    of = shares(counts)
    p, q = of.reference / of.reference.sum(), of.current / of.current.sum()
    middle = (p + q) / 2
    divergence = relative_entropy(p, middle).sum() + relative_entropy(q, middle).sum()
    return math.sqrt(max(divergence, 0.0) / 2)


METHOD = Method(
    id="jensenshannon",
    kinds=BOTH_KINDS,
    threshold=0.1,
    criterion=Criterion.DISTANCE_AT_LEAST,
    score=score,
)
