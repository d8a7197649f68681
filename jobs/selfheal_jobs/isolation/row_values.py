"""Removes values of rows from an error of a model: libraries quote the row that they refuse. Pure."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

_SHORTEST: Final = 4
"""Shorter words tell nobody's secret, and occur in any sentence."""


def without_row_values(said: str, rows: pd.DataFrame) -> str:
    """Return a text in which every word of the rows is replaced by three asterisks.

    >>> without_row_values("no category 'ada@example.org'", pd.DataFrame({"mail": ["ada@example.org"]}))
    "no category '***'"
    """
    for word in sorted({word for word in _words(rows) if word in said}, key=len, reverse=True):
        said = said.replace(word, "***")
    return said


def _words(rows: pd.DataFrame) -> Iterator[str]:
    for position, dtype in enumerate(rows.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype)):
            words = rows.iloc[:, position].dropna().map(str).unique()
            yield from (word for word in words if len(word) >= _SHORTEST)
