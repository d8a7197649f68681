"""Casts columns to the types of a model's signature where no value changes, and names the others. Pure.

The server of MLflow casts what it parses. `PyFuncModel.predict` itself refuses by the types, whatever the
values are: 64-bit integers for a double, and 64 bits for 32.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

NUMBERS: Final = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
}
"""MLflow's types of numbers, and NumPy's."""
TEXT: Final = "string"

REMEDY: Final = "write the reference as Parquet, with the column as text"
"""A CSV file does not tell whether digits are text; the type of the reference decides."""


def as_signed(rows: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """Return rows whose columns have the types of a signature, if they hold the same values in these.

    Doubles for a float are rounded to it, unless that makes them infinite.

    Args:
        rows: The rows.
        types: MLflow's name of the type, by column.
    """
    cast = rows.copy(deep=False)
    for name, wanted in types.items():
        if name in rows.columns and wanted in NUMBERS:
            cast[name] = _cast(rows[name], np.dtype(NUMBERS[wanted]))
    return cast


def misfits(rows: pd.DataFrame, types: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each column that does not have the type of the signature, after `as_signed`."""
    for name, wanted in types.items():
        if name in rows.columns and wanted in NUMBERS and rows[name].dtype != NUMBERS[wanted]:
            yield f"the column {name!r} is {rows[name].dtype} in the data and {wanted} in its signature"


def numbers_for_text(rows: pd.DataFrame, types: Mapping[str, str]) -> list[str]:
    """Return the columns that hold numbers and are text in the signature."""
    return [name for name, wanted in types.items() if wanted == TEXT and holds_numbers(rows, name)]


def holds_numbers(rows: pd.DataFrame, name: str) -> bool:
    """Return whether a column is there and holds numbers; one without values does not."""
    if name not in rows.columns:
        return False
    values = rows[name].dropna().infer_objects()
    return len(values) > 0 and pd.api.types.is_numeric_dtype(values.dtype)


def told(rows: pd.DataFrame, name: str, wanted: str) -> str:
    """Return a sentence about a column of numbers that the model knows as text."""
    return f"the column {name!r} is {rows[name].dtype} in the data and {wanted} ({REMEDY})"


def _cast(column: pd.Series, wanted: np.dtype[Any]) -> pd.Series:
    is_gap = bool(column.isna().all()) and wanted.kind == "f"
    if column.dtype == wanted or not (is_gap or pd.api.types.is_numeric_dtype(column.dtype)):
        return column
    try:
        with np.errstate(all="ignore"):
            cast = column.astype(wanted)
    except (ValueError, TypeError, OverflowError):  # a gap in integers, for instance
        return column
    return cast if _is_same(column, cast) else column


def _is_same(column: pd.Series, cast: pd.Series) -> bool:
    if not column.isna().equals(cast.isna()):
        return False
    before, after = column.dropna(), cast.dropna()
    if before.dtype == np.float64 and after.dtype == np.float32:
        return bool((np.isinf(before) == np.isinf(after)).all())
    # Python compares an integer with a float exactly; NumPy would round the integer first.
    return before.astype(object).tolist() == after.astype(object).tolist()
