"""Ranks in the pooled sample; tied values share their mean rank."""

import numpy as np
from msgspec import Struct

from selfheal_jobs.drift.methods.pair import Array, Numbers


class Midranks(Struct, frozen=True):
    """Ranks of either side in ascending order, from 1, and how often each distinct value occurs."""

    reference: Array
    current: Array
    ties: Array


def midranks(pair: Numbers) -> Midranks:
    """Rank both sides together."""
    pooled = pair.pooled
    ends = np.concatenate([np.flatnonzero(pooled[1:] != pooled[:-1]) + 1, [len(pooled)]])
    return Midranks(
        _ranks(pair.sorted_reference, pooled), _ranks(pair.sorted_current, pooled), np.diff(ends, prepend=0)
    )


def _ranks(values: Array, pooled: Array) -> Array:
    below = np.searchsorted(pooled, values, side="left")
    return (below + 1 + np.searchsorted(pooled, values, side="right")) / 2
