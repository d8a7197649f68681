"""Kullback-Leibler divergence of the reference from the current data: sum p ln(p / q), empty bins filled.

Source: `evidently...stattests.kl_div`, `scipy.stats.entropy`.
"""

from selfheal_jobs.drift.methods.bins import counts_per_bin, shares
from selfheal_jobs.drift.methods.method import BOTH_KINDS, Criterion, Method
from selfheal_jobs.drift.methods.pair import Pair
from selfheal_jobs.drift.methods.relative_entropy import relative_entropy


def score(pair: Pair) -> float:
    """Return the divergence."""
    of = shares(counts_per_bin(pair), fill_empty=True)
    p, q = of.reference / of.reference.sum(), of.current / of.current.sum()
    return float(relative_entropy(p, q).sum())


METHOD = Method(
    name="kl_div", kinds=BOTH_KINDS, default_threshold=0.1, drift=Criterion.DISTANCE_AT_LEAST, score=score
)
