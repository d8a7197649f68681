"""Energy distance: sqrt(2 integral (F(x) - G(x))^2 dx), in the square root of the column's unit.

Source: `evidently...stattests.energy_distance`, `scipy.stats.energy_distance`. Drift is a score ABOVE the
threshold.
"""

import math

import numpy as np

from selfheal_jobs.drift.methods.distribution_functions import difference, gaps
from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method
from selfheal_jobs.drift.methods.pair import Numbers


def score(pair: Numbers) -> float:
    """Return the distance.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 12
    >>> round(score(Numbers(reference, current)), 4)
    2.886
    """
    return math.sqrt(2) * math.sqrt(float(np.dot(np.square(difference(pair)[:-1]), gaps(pair))))


METHOD = Method(id="ed", kinds=NUMERICAL_ONLY, threshold=0.1, criterion=Criterion.DISTANCE_ABOVE, score=score)
