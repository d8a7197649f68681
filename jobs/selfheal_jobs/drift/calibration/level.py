"""Per-column significance level at which k dependent columns reject together in 0.4 % of simulated tables.

An alarm needs k columns at once: the share of drifted columns has to exceed the threshold. If the columns
were independent, the number of false rejections would have a binomial distribution. Columns of one table are
dependent: temperature and dew point move together. Therefore p-values are simulated with a Gaussian copula
that has the rank correlations of the columns. The level is the 0.4 % quantile of the k-th smallest p-value of
a simulated table.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from selfheal_jobs.drift.methods.pair import Array

FALSE_ALARMS: Final = 0.004
"""Less than half of the promised false alarm rate: p-values are approximate and correlations estimated."""

_MOST_DRAWS: Final = 20_000
_LEAST_DRAWS: Final = 4_000
_MOST_NUMBERS: Final = 2_000_000


def columns_for_alarm(columns: int, threshold: float) -> int:
    """Return the least number of drifted columns whose share is greater than the threshold.

    >>> columns_for_alarm(10, 0.3), columns_for_alarm(6, 0.3), columns_for_alarm(3, 1.0)
    (4, 2, 4)
    """
    needed = math.floor(threshold * columns)
    while needed / columns <= threshold:
        needed += 1
    return needed


def strictest_level(columns: int, needed: int) -> float:
    """Return a level valid under any dependence, by Markov's inequality for the number of rejections."""
    return min(1.0, FALSE_ALARMS * needed / columns)


def level(correlations: Array, needed: int) -> float:
    """Return the significance level for each column.

    Args:
        correlations: Correlation matrix of the columns.
        needed: Number of rejections that raise an alarm.
    """
    columns = len(correlations)
    if needed > columns:
        return 1.0
    draws = min(_MOST_DRAWS, max(_LEAST_DRAWS, _MOST_NUMBERS // columns))
    values, vectors = np.linalg.eigh(correlations)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = _normal(draws, columns) @ root.T
    scale = np.sqrt(np.maximum(np.diag(root @ root.T), 1e-12))
    least_of_needed = np.partition(np.abs(normal / scale), columns - needed, axis=1)[:, columns - needed]
    found = math.erfc(_quantile(least_of_needed, 1 - FALSE_ALARMS) / math.sqrt(2))
    return max(found, strictest_level(columns, needed))


def _quantile(values: Array, share: float) -> float:
    """Return a linearly interpolated quantile. `np.quantile` would import masked arrays: 10 ms."""
    ascending = np.sort(values)
    position = share * (len(values) - 1)
    below = math.floor(position)
    low, high = ascending[below], ascending[math.ceil(position)]
    return float(low + (high - low) * (position - below))


@lru_cache(maxsize=1)
def _normal(draws: int, columns: int) -> Array:
    """Draw independent standard normal numbers with a fixed seed, so that a repeated check agrees."""
    return np.random.default_rng(0).standard_normal((draws, columns))


def rank_correlations(columns: Sequence[Array]) -> Array:
    """Return Spearman's rank correlation matrix of columns of the same rows; NaN takes the middle rank.

    The correlations of a constant column are zero.
    """
    ranks = np.array([_ranks(column) for column in columns])
    spread = np.sqrt((ranks**2).sum(axis=1, keepdims=True))
    ranks = np.divide(ranks, spread, out=np.zeros_like(ranks), where=spread > 0)
    correlations: Array = ranks @ ranks.T
    np.fill_diagonal(correlations, 1.0)
    return correlations


def _ranks(column: Array) -> Array:
    there = ~np.isnan(column)
    values, positions, counts = np.unique(column[there], return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - counts / 2
    ranks = np.zeros(len(column))
    if len(values):
        ranks[there] = middles[positions] - there.sum() / 2
    return ranks
