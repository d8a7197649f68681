"""The input example of a registered model: a row of nobody's, since whoever may read MLflow sees it. Pure."""

from typing import Any, Final

import pandas as pd

LEAST_ROWS: Final = 20
"""A word that is in fewer training rows may tell a person, such as a name or a rare illness."""
PLACEHOLDER: Final = "text"
"""Stands for a column whose words are all rare. The pipeline answers words that it has not seen."""
_DIGITS: Final = 3
"""Significant digits of a median, which may be the value of one row."""


def input_example(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row with the types of the training rows: rounded medians, and the commonest words.

    Args:
        rows: The training rows.
    """
    values = {str(name): [_example(rows[name])] for name in rows.columns}
    example = pd.DataFrame(values, columns=rows.columns)
    plain = {name: kind for name, kind in rows.dtypes.items() if pd.api.types.is_numeric_dtype(kind)}
    known = {name: kind for name, kind in plain.items() if not example[name].isna().any()}
    return example.astype(known)


def _example(column: pd.Series) -> Any:
    """Return an example of a column's values; None for a column without values."""
    there = column.dropna()
    if there.empty:
        return None
    if pd.api.types.is_numeric_dtype(there.dtype) and not pd.api.types.is_bool_dtype(there.dtype):
        return _rounded(float(there.median()), whole=pd.api.types.is_integer_dtype(there.dtype))
    return _commonest(there.astype("object"))


def _rounded(median: float, *, whole: bool) -> float:
    """Return a number with few digits; 5.3 million of whole numbers is 5300000.

    >>> _rounded(5_312_345.0, whole=True), _rounded(0.0123456, whole=False)
    (5310000, 0.0123)
    """
    short = float(f"{median:.{_DIGITS}g}")
    return int(short) if whole else short


def _commonest(values: pd.Series) -> Any:
    """Return the commonest value if it is in many rows, otherwise a placeholder of its type."""
    counts = values.map(lambda value: value if isinstance(value, bool) else str(value)).value_counts()
    commonest = counts.index[0]
    if counts.iloc[0] >= LEAST_ROWS:
        return commonest
    return False if isinstance(commonest, bool) else PLACEHOLDER
