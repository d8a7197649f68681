"""First Wasserstein distance, in standard deviations of the reference.

integral |F(x) - G(x)| dx / max(sd, 0.001). For samples of the same size it is the mean distance between the
values of the same rank, which needs no merging.
Source: `evidently...stattests.wasserstein_distance_norm`, `scipy.stats.wasserstein_distance`.
"""

import numpy as np

from selfheal_jobs.methods.distribution_functions import difference, gaps
from selfheal_jobs.methods.method import NUMERICAL_ONLY, Drift, Method
from selfheal_jobs.methods.pair import Numbers

LEAST_NORM = 0.001


def score(pair: Numbers) -> float:
    """Return the normed distance."""
    return distance(pair) / max(pair.reference_deviation, LEAST_NORM)


def distance(pair: Numbers) -> float:
    """Return the distance in the column's own unit."""
    if pair.reference_rows == pair.current_rows:
        u, v = (side.astype(np.float64, copy=False) for side in (pair.sorted_reference, pair.sorted_current))
        return float(np.mean(np.abs(u - v)))
    return float(np.dot(np.abs(difference(pair)[:-1]), gaps(pair)))


METHOD = Method(
    name="wasserstein",
    kinds=NUMERICAL_ONLY,
    default_threshold=0.1,
    drift=Drift.DISTANCE_AT_LEAST,
    score=score,
)
