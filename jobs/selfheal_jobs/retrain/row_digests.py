"""Digests of rows and of their values, by which equal rows are recognised across tables. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Digests = NDArray[np.uint64]

_STEP: Final = np.uint64(2)


def digests(rows: pd.DataFrame, columns: Sequence[str]) -> Digests:
    """Return a digest of each row: equal for equal values, whatever type a file stores them in.

    It is the sum of the digests of its values: without a column, it is less by those of the column.
    """
    whole = np.zeros(len(rows), dtype=np.uint64)
    for number, name in enumerate(columns):
        whole += of_values(rows[name], number)
    return whole


def of_values(values: pd.Series, number: int) -> Digests:
    """Return a digest of each value of a column, another one for the same value in another column.

    Args:
        values: The values.
        number: The position of the column among those of the row.
    """
    found = pd.util.hash_pandas_object(_plain(values), index=False).to_numpy().astype(np.uint64)
    return found * (_STEP * np.uint64(number) + np.uint64(1))


def _plain(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64") + 0.0  # -0.0 is 0.0
    return values.astype("object").where(values.notna(), "").map(str)
