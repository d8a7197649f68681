"""Whether two samples of numbers have one distribution: the Anderson-Darling test of their ranks, on a grid.

A2 = n1 n2 / (n1 + n2) integral (F - G)^2 / (H (1 - H)) dH, with H the distribution function of both together.
It is valid for every distribution, since ranks have no outliers, and sees shifts about as well as a t-test
does.

Here the integral is a sum over some sixty values, closer to each other towards both tails, with the mass
between them for weights. Under one distribution it is sum l_j z_j^2 with normal z_j, and l_j the eigenvalues
of their covariance on this very grid: half of all values being zero, as rain is, makes one of them large. The
largest one decides the upper tail (Zolotarev, "Concerning a certain probability problem", 1961).
"""

import math

import numpy as np

from selfheal_jobs.drift.methods.pair import Array, Numbers

_GRID = 60


def p_value(pair: Numbers) -> float:
    """Return the p-value: within a tenth of itself below 0.05, and too large above, where nobody asks."""
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
    """Return how many pooled values, and how many of the reference, are not larger than those of the grid."""
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
    """Return those of the covariance of the sum's terms, the largest first."""
    odds = share / (1 - share)
    correlations = np.sqrt(np.minimum.outer(odds, odds) / np.maximum.outer(odds, odds))
    values: Array = np.linalg.eigvalsh(np.sqrt(np.outer(weights, weights)) * correlations)[::-1]
    return values


def _upper_tail(square: float, eigenvalues: Array) -> float:
    largest, others = float(eigenvalues[0]), eigenvalues[1:] / eigenvalues[0]
    # Two that are nearly equal make the factor infinite. It is bounded, and p too large, not too small.
    factor = float(np.prod(1 - np.clip(others, 0.0, 0.95)) ** -0.5)
    return min(1.0, factor * math.erfc(math.sqrt(square / largest / 2)))
