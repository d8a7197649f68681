"""Shares of rows per bin: what several distances compare.

Numbers with more than twenty distinct values in the reference are binned over the range of both sides, by
Sturges' rule on all rows together; other numbers and categories are their own bins.
Source: `evidently...stattests.utils.get_binned_data`.
"""

from dataclasses import dataclass

import numpy as np

from selfheal_jobs.drift.methods.pair import Array, Counts, Numbers, Pair, more_distinct_than

FEW_VALUES = 20


def counts_per_bin(pair: Pair) -> Counts:
    """Return how many rows of either side lie in each bin."""
    if isinstance(pair, Counts) or not more_distinct_than(FEW_VALUES, pair.sorted_reference):
        return pair.counts
    return histograms(pair, np.concatenate([pair.reference, pair.current]))


def histograms(pair: Numbers, binned: Array) -> Counts:
    """Return both sides' counts in Sturges' bins of some values."""
    edges = np.histogram_bin_edges(binned, bins="sturges")
    return Counts(np.histogram(pair.reference, edges)[0], np.histogram(pair.current, edges)[0])


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of rows per bin, each side summing to one."""

    reference: Array
    current: Array


def shares(counts: Counts, *, fill_empty: bool = False) -> Shares:
    """Return counts as shares of each side's rows.

    Args:
        counts: Per bin.
        fill_empty: Give empty bins a little, for logarithms: 0.0001, or a millionth of the side's smallest
            share where that is no larger.
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
