"""Columns get the types of a signature only where every value stays the same."""

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.isolation.signature_types import as_signed, misfits, numbers_for_text

LARGEST_EXACT = 2**53


@pytest.mark.parametrize(
    ("values", "wanted", "dtype"),
    [
        ([LARGEST_EXACT], "double", "float64"),
        ([LARGEST_EXACT + 1], "double", "int64"),
        ([2**63 - 1], "double", "int64"),
        ([2**31 - 1], "integer", "int32"),
        ([2**31], "integer", "int64"),
        ([2**24], "float", "float32"),
        ([2**24 + 1], "float", "int64"),
        ([0.1, np.nan], "float", "float32"),
        ([1e39], "float", "float64"),
        ([1.0, 2.0], "long", "int64"),
        ([1.0, np.nan], "long", "float64"),
        ([1.5], "long", "float64"),
        ([0, 1], "boolean", "bool"),
        ([0, 2], "boolean", "int64"),
        ([0.0, np.nan], "boolean", "float64"),
        ([True], "double", "float64"),
        (pd.array([1, None], dtype="Int64"), "double", "float64"),
        ([None, None], "double", "float64"),
        (["1"], "double", "str"),
        ([1], "string", "int64"),
    ],
)
def test_values_decide_whether_a_column_is_cast(values: object, wanted: str, dtype: str) -> None:
    """A column that would hold other values keeps its type."""
    rows = pd.DataFrame({"x": values})

    assert as_signed(rows, {"x": wanted, "absent": "long"})["x"].dtype == dtype


def test_a_column_that_keeps_another_type_is_named() -> None:
    """With both types; the rows that are given do not change."""
    rows, types = pd.DataFrame({"x": [1.5], "z": [1]}), {"x": "long", "z": "double"}

    assert list(misfits(as_signed(rows, types), types)) == [
        "the column 'x' is float64 in the data and long in its signature"
    ]
    assert rows["z"].dtype == "int64"


def test_a_column_without_values_is_no_column_of_numbers() -> None:
    """An empty column has whatever type the reader gives it."""
    rows = pd.DataFrame({"code": [1], "words": ["a"], "empty": [np.nan]})

    assert numbers_for_text(rows, dict.fromkeys([*rows, "absent"], "string")) == ["code"]
