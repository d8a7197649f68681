"""Are equal rows copies of one row, or are they equal by chance? Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal_jobs.retrain.row_digests import digests, of_values
from selfheal_jobs.tables.equal_pairs import chance_of_equal_rows as by_chance
from selfheal_jobs.tables.equal_pairs import equal_pairs, pairs_of

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
    found = equal_pairs(codes) / pairs_of(len(rows))
    if chance_of_equal_rows(rows, columns) >= found / 2:
        return True
    return few and len(rows) * _chance_if_independent(rows, columns) >= 1


def chance_of_equal_rows(rows: pd.DataFrame, columns: Sequence[str]) -> float:
    """Return an estimate of the probability that two rows are equal by chance in all columns."""
    rows = rows.sample(min(len(rows), _MOST_ROWS), random_state=0)
    own = (of_values(rows[name], number) for number, name in enumerate(columns))
    return by_chance(digests(rows, columns), own)


def _chance_if_independent(rows: pd.DataFrame, columns: Sequence[str]) -> float:
    every = pairs_of(len(rows))
    return float(np.prod([equal_pairs(of_values(rows[name], 0)) / every for name in columns]))
