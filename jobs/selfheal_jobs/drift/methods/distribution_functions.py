"""The empirical distribution functions of both sides, evaluated at the pooled values."""

import numpy as np

from selfheal_jobs.drift.methods.pair import Array, Numbers


def difference(pair: Numbers) -> Array:
    """Return F - G at each pooled value; among equal values only the last entry is valid."""
    below = pair.reference_below
    current_below = np.arange(1, len(below) + 1) - below
    return below / pair.reference_rows - current_below / pair.current_rows


def gaps(pair: Numbers) -> Array:
    """Return the differences between consecutive pooled values."""
    return np.diff(pair.pooled.astype(np.float64, copy=False))
