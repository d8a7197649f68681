"""The empirical distribution functions of both sides, on the values of either."""

import numpy as np

from selfheal_jobs.drift.methods.pair import Array, Numbers


def difference(pair: Numbers) -> Array:
    """Return F - G, the shares that are not larger, at each pooled value; of equal ones the last counts."""
    below = pair.reference_below
    current_below = np.arange(1, len(below) + 1) - below
    return below / pair.reference_rows - current_below / pair.current_rows


def gaps(pair: Numbers) -> Array:
    """Return the distance of each pooled value, but the last, from the next; zero between equal ones."""
    return np.diff(pair.pooled.astype(np.float64, copy=False))
