"""How often are two rows equal in all columns by chance? Pure.

Rows of a few categories meet by chance: each is a row of its own. Rows that are delivered twice do not: two
rows that agree in all columns but one agree in this one as well, far more often than rows in general do.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


def chance_of_equal_rows(whole: Hashes, columns: Iterable[Hashes]) -> float:
    """Return an estimate of the probability that two rows are equal by chance in all columns.

    For each column, the pairs of rows form a table of two by two: do they agree in this column, and do they
    agree in all others? If these were independent, b * c / d pairs would agree in both, where b agree only in
    the others, c only in the column, and d in neither. Copies count in the fourth cell only, so they do not
    matter. A column that depends on the others gives too little: the greatest estimate is returned.

    Args:
        whole: For each row, the sum of the hashes of its values.
        columns: For each column, the hash of each row's value.
    """
    both, every = equal_pairs(whole), pairs_of(len(whole))
    return max((_expected(whole, own, both, every) for own in columns), default=0.0)


def _expected(whole: Hashes, own: Hashes, both: float, every: float) -> float:
    """Return the expected share of pairs that agree in one column and in the others."""
    in_column, in_others = equal_pairs(own), equal_pairs(whole - own)
    neither = every - in_column - in_others + both
    return (in_others - both) * (in_column - both) / neither / every if neither else 0.0


def equal_pairs(codes: NDArray[Any]) -> float:
    """Return how many pairs of rows have the same code."""
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)


def pairs_of(rows: int) -> float:
    """Return how many pairs so many rows have; at least 1."""
    return max(rows * (rows - 1) / 2, 1.0)
