"""The values of columns that pandas keeps as numbers of a list, such as declared categories. Pure."""

from typing import Any

import pandas as pd


def plain_values(values: pd.Series) -> pd.Series:
    """Return a column's values in the type of its list; integers with gaps are exact, and nullable."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values
    found = values.dtype.categories.dtype
    if not (values.hasnans and pd.api.types.is_integer_dtype(found)):
        return values.astype(found)
    listed = pd.array(values.cat.categories, dtype=with_gaps(found))
    taken = listed.take(values.cat.codes.to_numpy(), allow_fill=True)
    return pd.Series(taken, index=values.index, name=values.name)


def with_gaps(dtype: Any) -> Any:
    """Return a type that holds the same values and gaps."""
    if not pd.api.types.is_integer_dtype(dtype):
        return dtype
    return "UInt64" if pd.api.types.is_unsigned_integer_dtype(dtype) else "Int64"
