"""Are equal rows copies of one row, or are they equal by chance? Pure.

Rows of a few categories meet by chance: each is a row of its own. Rows that are delivered twice do not: two
rows that agree in all columns but one agree in this one as well, far more often than rows in general do.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal_jobs.retrain.row_digests import Digests, digests, of_values

_Codes = NDArray[np.intp]

_FEW: Final = 0.1
"""Where no more rows than this share equal another, they stay together, even if chance explains them."""
_MOST_ROWS: Final = 20_000
"""So many rows have 200 million pairs: a chance of 1e-7 is seen."""


def together(rows: pd.DataFrame, columns: Sequence[str], least: int) -> tuple[_Codes | None, bool]:
    """Return a code for each row, equal for equal rows, and whether equal rows are so by chance.

    There is no code where all rows differ, and where more than a few are equal by chance.

    Args:
        rows: The rows.
        columns: The columns that are compared.
        least: With fewer distinct rows, rows are equal by chance if they would be without any dependence
            between the columns: too few groups would be left to divide.
    """
    codes, distinct = pd.factorize(digests(rows, columns))
    if len(distinct) == len(rows):
        return None, False
    are_few = len(distinct) >= (1 - _FEW) * len(rows)
    if are_few or not _by_chance(rows, columns, codes, few=len(distinct) < least):
        return codes, False
    return None, True


def _by_chance(rows: pd.DataFrame, columns: Sequence[str], codes: _Codes, *, few: bool) -> bool:
    """Return whether chance explains at least half of the pairs of equal rows."""
    found = _pairs(codes) / _of_two(len(rows))
    if chance_of_equal_rows(rows, columns) >= found / 2:
        return True
    return few and len(rows) * _chance_if_independent(rows, columns) >= 1


def chance_of_equal_rows(rows: pd.DataFrame, columns: Sequence[str]) -> float:
    """Return an estimate of the probability that two rows are equal by chance in all columns.

    For each column, the pairs of rows form a table of two by two: do they agree in this column, and do they
    agree in all others? If these were independent, b * c / d pairs would agree in both, where b agree only in
    the others, c only in the column, and d in neither. Copies count in the fourth cell only, so they do not
    matter. A column that depends on the others gives too little: the greatest estimate is returned.
    """
    rows = rows.sample(min(len(rows), _MOST_ROWS), random_state=0)
    whole, every = digests(rows, columns), _of_two(len(rows))
    both = _pairs(whole)
    return max(
        (_expected(whole, of_values(rows[c], n), both, every) for n, c in enumerate(columns)), default=0
    )


def _expected(whole: Digests, own: Digests, both: float, every: float) -> float:
    """Return the expected share of pairs that agree in one column and in the others."""
    in_column, in_others = _pairs(own), _pairs(whole - own)
    neither = every - in_column - in_others + both
    return (in_others - both) * (in_column - both) / neither / every if neither else 0.0


def _chance_if_independent(rows: pd.DataFrame, columns: Sequence[str]) -> float:
    every = _of_two(len(rows))
    return float(np.prod([_pairs(of_values(rows[name], 0)) / every for name in columns]))


def _pairs(codes: Digests | _Codes) -> float:
    """Return how many pairs of rows have the same code."""
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)


def _of_two(rows: int) -> float:
    return max(rows * (rows - 1) / 2, 1.0)
