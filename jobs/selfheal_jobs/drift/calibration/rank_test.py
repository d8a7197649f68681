"""Two-sample Anderson-Darling test of the ranks, evaluated on a grid.

A2 = n1 n2 / (n1 + n2) integral (F - G)^2 / (H (1 - H)) dH, with H the empirical distribution function of the
pooled sample. It is valid for every distribution, since ranks have no outliers, and its power against shifts
is about that of a t-test.

The integral is computed as a sum over some sixty values, closer to each other towards both tails, weighted
by the probability mass between them. Under the null hypothesis it is distributed as sum l_j z_j^2 with
standard normal z_j, where the l_j are the eigenvalues of the covariance on this grid. If half of all values
are zero, as for rainfall, one eigenvalue is large. The largest eigenvalue determines the upper tail
(Zolotarev, "Concerning a certain probability problem", 1961).
"""

import math

import numpy as np

from selfheal_jobs.drift.methods.pair import Array, Numbers

_GRID = 60


def p_value(pair: Numbers) -> float:
    """Return the p-value; its relative error is at most 10 % below 0.05. Above, it is too large."""
    n1, n2 = pair.reference_rows, pair.current_rows
    not_larger, references = _grid(pair)
    if not len(not_larger):
        return 1.0
    share = not_larger / (n1 + n2)
    difference = references / n1 - (not_larger - references) / n2
    weights = (np.append(share[1:], 1.0) - np.insert(share[:-1], 0, 0.0)) / 2
    square = n1 * n2 / (n1 + n2) * float(np.sum(weights * difference**2 / (share * (1 - share))))
    return _upper_tail(square, _eigenvalues(share, weights))


def _grid(pair: Numbers) -> tuple[Array, Array]:
    """Return how many pooled and how many reference values are less than or equal to each grid value."""
    pooled = pair.pooled
    n = len(pooled)
    logits = np.linspace(-math.log(n), math.log(n), _GRID)
    at = pooled[np.minimum((n / (1 + np.exp(-logits))).astype(np.int64), n - 1)]
    references = np.searchsorted(pair.sorted_reference, at, side="right")
    not_larger, first = np.unique(
        references + np.searchsorted(pair.sorted_current, at, side="right"), return_index=True
    )
    inside = not_larger < n
    return not_larger[inside], references[first][inside]


def _eigenvalues(share: Array, weights: Array) -> Array:
    """Return the eigenvalues of the covariance of the sum's terms, the largest first."""
    odds = share / (1 - share)
    correlations = np.sqrt(np.minimum.outer(odds, odds) / np.maximum.outer(odds, odds))
    values: Array = np.linalg.eigvalsh(np.sqrt(np.outer(weights, weights)) * correlations)[::-1]
    return values


def _upper_tail(square: float, eigenvalues: Array) -> float:
    largest, others = float(eigenvalues[0]), eigenvalues[1:] / eigenvalues[0]
    # If the two largest are nearly equal, the factor diverges. The bound errs on the side of a larger p.
    factor = float(np.prod(1 - np.clip(others, 0.0, 0.95)) ** -0.5)
    return min(1.0, factor * math.erfc(math.sqrt(square / largest / 2)))
