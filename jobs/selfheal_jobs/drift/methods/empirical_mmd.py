"""Permutation test of the maximum mean discrepancy with a Gaussian kernel, with 100 permutations.

MMD^2 = sum kxx / (n1 (n1 - 1)) + sum kyy / (n2 (n2 - 1)) - 2 mean kxy, without the diagonals. The kernel
width is the median distance within the reference. The kernel matrix has n^2 entries, so the number of rows is
limited. p is the share of permutations whose discrepancy is not smaller than the observed one.
Source: `evidently...stattests.mmd_stattest`.

Evidently draws from NumPy's global generator and never seeds it, so its p changes from one run to the next.
Here the seed is fixed; with the same seed both draw the same permutations. Numbers are converted to floats;
Evidently squares small integers in their own type, in which they overflow.
"""

import numpy as np

from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method, UnfitMethodError
from selfheal_jobs.drift.methods.pair import Array, Numbers

EXCHANGES = 100
MOST_ROWS = 5_000
"""Both sides together: 200 MB for the kernel matrix, and 400 MB more while rows are permuted."""


def score(pair: Numbers) -> float:
    """Return the p-value, a multiple of 0.01.

    >>> reference, current = np.arange(30.0), np.arange(30.0) + 6
    >>> round(score(Numbers(reference, current)), 4)
    0.14

    Raises:
        UnfitMethodError: A side has a single value, or both have too many together.
    """
    n1, n2 = pair.reference_rows, pair.current_rows
    if min(n1, n2) == 1:
        raise UnfitMethodError("it needs at least two values on each side")
    if n1 + n2 > MOST_ROWS:
        raise UnfitMethodError(
            f"it compares every row with every other and takes at most {MOST_ROWS:,} rows in all"
        )
    random = np.random.RandomState(0)
    with np.errstate(over="ignore", invalid="ignore"):  # as in Evidently, large squares lose all digits
        kernel = _kernel(pair.reference.astype(np.float64), pair.current.astype(np.float64))
        observed = _discrepancy(kernel, n2)
        exchanged = (random.permutation(n1 + n2) for _ in range(EXCHANGES))
        reached = [observed <= _discrepancy(kernel[order][:, order], n2) for order in exchanged]
    return sum(reached) / EXCHANGES


def _kernel(x: Array, y: Array) -> Array:
    """Return the kernel matrix of x followed by y, with a zero diagonal."""
    within = _squared_distances(x, x)
    width = (0.5 * np.percentile(within.flatten(), 50, method="nearest")) ** 0.5 or 0.5**0.5
    gamma = 1.0 / (2.0 * width**2)
    between = np.exp(-gamma * _squared_distances(x, y))
    kernel = np.block(
        [[np.exp(-gamma * within), between], [between.T, np.exp(-gamma * _squared_distances(y, y))]]
    )
    np.fill_diagonal(kernel, 0.0)
    return kernel


def _squared_distances(x: Array, y: Array) -> Array:
    # As a matrix product: other ways of squaring round differently, and permutations that tie with the
    # observed discrepancy would then be counted differently.
    column, row = x.reshape(-1, 1), y.reshape(-1, 1).T
    squared: Array = row**2 - 2 * np.dot(column, row) + column**2
    return squared


def _discrepancy(kernel: Array, n2: int) -> float:
    n1 = len(kernel) - n2
    within = 1 / (n1 * (n1 - 1)) * kernel[:n1, :n1].sum() + 1 / (n2 * (n2 - 1)) * kernel[n1:, n1:].sum()
    return float(within - 2.0 * kernel[n1:, :n1].mean())


METHOD = Method(
    id="empirical_mmd",
    kinds=NUMERICAL_ONLY,
    threshold=0.1,
    criterion=Criterion.P_BELOW,
    score=score,
    order_matters=True,
)
