"""Maximum mean discrepancy with a Gaussian kernel, by its p-value from 100 random exchanges of rows.

MMD^2 = sum kxx / (n1 (n1 - 1)) + sum kyy / (n2 (n2 - 1)) - 2 mean kxy, without the diagonals, and the kernel
as wide as the median distance within the reference. Every row is compared with every other: that is n^2
numbers, so that there is a limit. p is the share of exchanges whose discrepancy is not smaller.
Source: `evidently...stattests.mmd_stattest`.

Evidently draws from NumPy's global generator and never seeds it, so that its p changes from one run to the
next. Here the seed is fixed; with the same seed both draw the same exchanges. Numbers are floats here;
Evidently squares small integers in their own type, in which they overflow.
"""

import numpy as np

from selfheal_jobs.drift.methods.method import NUMERICAL_ONLY, Criterion, Method, UnfitMethodError
from selfheal_jobs.drift.methods.pair import Array, Numbers

EXCHANGES = 100
MOST_ROWS = 5_000
"""Of both sides together: 200 MB for the kernel, and twice as much again while rows are exchanged."""


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
    with np.errstate(over="ignore", invalid="ignore"):  # squares lose all digits far from zero, there as here
        kernel = _kernel(pair.reference.astype(np.float64), pair.current.astype(np.float64))
        observed = _discrepancy(kernel, n2)
        exchanged = (random.permutation(n1 + n2) for _ in range(EXCHANGES))
        reached = [observed <= _discrepancy(kernel[order][:, order], n2) for order in exchanged]
    return sum(reached) / EXCHANGES


def _kernel(x: Array, y: Array) -> Array:
    """Return all pairs' similarities, in the order x, y; nothing is similar to itself."""
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
    # As a product of matrices: other ways of squaring are rounded otherwise, and exchanges that tie would
    # fall on the other side.
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
