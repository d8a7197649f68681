"""Histograms of both sides: the shares of rows per bin that several distances compare.

Numbers with more than twenty distinct values in the reference are binned over the range of the pooled sample,
by Sturges' rule for all rows. Otherwise every distinct number or category is a bin.
Source: `evidently...stattests.utils.get_binned_data`.
"""

import numpy as np
from msgspec import Struct

from selfheal_jobs.drift.methods.pair import Array, Counts, Numbers, Pair, more_distinct_than

FEW_VALUES = 20


def counts_per_bin(pair: Pair) -> Counts:
    """Return the number of rows of either side per bin."""
    if isinstance(pair, Counts) or not more_distinct_than(FEW_VALUES, pair.sorted_reference):
        return pair.counts
    return histograms(pair, np.concatenate([pair.reference, pair.current]))


def histograms(pair: Numbers, binned: Array) -> Counts:
    """Return both sides' counts in Sturges' bins of some values."""
    edges = np.histogram_bin_edges(binned, bins="sturges")
    return Counts(np.histogram(pair.reference, edges)[0], np.histogram(pair.current, edges)[0])


class Shares(Struct, frozen=True):
    """Shares of rows per bin, each side summing to one."""

    reference: Array
    current: Array


def shares(counts: Counts, *, fill_empty: bool = False) -> Shares:
    """Return counts as shares of each side's rows.

    Args:
        counts: Per bin.
        fill_empty: Replace zeros, for logarithms: by 0.0001, or by a millionth of the side's smallest
            share if that share is at most 0.0001.
    """
    reference = counts.reference / counts.reference_rows
    current = counts.current / counts.current_rows
    if fill_empty:
        _fill(reference)
        _fill(current)
    return Shares(reference, current)


def _fill(side: Array) -> None:
    least = side[side != 0].min()
    side[side == 0] = least / 10**6 if least <= 0.0001 else 0.0001
