"""Hellinger distance: sqrt(1 - sum sqrt(p q)).

Numbers are binned by Sturges' rule for their DISTINCT values and compared as densities. Every category is a
bin.
Source: `evidently...stattests.hellinger_distance`.

The subtraction from 1 cancels nearly all digits if p and q are close. Below 1e-4 the distance is a rounding
error, here as in Evidently, and depends on the order of the categories, which Evidently takes from a set.
"""

import math

import numpy as np

from selfheal_jobs.drift.methods.bins import shares
from selfheal_jobs.drift.methods.method import BOTH_KINDS, Criterion, Method
from selfheal_jobs.drift.methods.pair import Array, Counts, Numbers, Pair


def score(pair: Pair) -> float:
    """Return the distance, from 0 to 1.

    >>> round(score(Counts(np.array([60, 40]), np.array([45, 55]))), 4)
    0.1065
    """
    overlaps = _of_densities(pair) if isinstance(pair, Numbers) else _of_shares(pair)
    # Sequentially, as Evidently adds them: a pairwise sum rounds differently, and the difference from 1 is
    # sometimes nothing but rounding error.
    overlap = float(np.add.accumulate(overlaps)[-1])
    return math.sqrt(1 - min(max(overlap, 0.0), 1.0))


def _of_shares(counts: Counts) -> Array:
    of = shares(counts)
    overlaps: Array = np.sqrt(of.reference * of.current)
    return overlaps


def _of_densities(pair: Numbers) -> Array:
    edges = np.histogram_bin_edges(_distinct(pair), bins="sturges")
    reference = np.histogram(pair.reference, bins=edges, density=True)[0]
    current = np.histogram(pair.current, bins=edges, density=True)[0]
    width = (edges[-1] - edges[0]) / (len(edges) - 1)
    with np.errstate(over="ignore"):
        overlaps: Array = np.sqrt(reference * current) * width
    return overlaps


def _distinct(pair: Numbers) -> Array:
    pooled = pair.pooled
    distinct: Array = pooled[np.concatenate([[True], pooled[1:] != pooled[:-1]])]
    return distinct


METHOD = Method(
    id="hellinger", kinds=BOTH_KINDS, threshold=0.1, criterion=Criterion.DISTANCE_AT_LEAST, score=score
)
