from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.row_digests import digests, of_values


def test_a_row_has_one_digest_whatever_type_a_file_stores_it_in() -> None:
    """A gap elsewhere in the column turns integers into floats, and categories are words."""
    one = pd.DataFrame({"n": [1, 2], "w": ["a", None], "b": [True, False]})
    other = pd.DataFrame({"n": [1.0, 2.0], "w": pd.Series(["a", np.nan], dtype="category"), "b": [1, 0]})

    assert digests(one, ["n", "w", "b"]).tolist() == digests(other, ["n", "w", "b"]).tolist()


DRAWN = np.random.default_rng(0).normal(100, 40, 500).round(4)


@pytest.mark.parametrize(
    ("case", "one", "other"),
    [
        ("float32", DRAWN, DRAWN.astype(np.float32)),
        ("decimal", DRAWN, [Decimal(f"{value:.4f}") for value in DRAWN]),
        ("decimal with a gap", [0.5, np.nan], [Decimal("0.50"), None]),
        ("large float32", [12345678.9, 3.5], np.array([12345678.9, 3.5], dtype=np.float32)),
        ("categories", [1.5, 2.5], pd.Series([1.5, 2.5]).astype("category")),
        (
            "categories with gaps",
            pd.Series([2**60 + 1, None], dtype="Int64"),
            pd.Series([2**60 + 1, None], dtype=pd.CategoricalDtype([2**60 + 1])),
        ),
        ("int and float", [1, 2**53 - 1], [1.0, 2.0**53 - 1]),
        (
            "int with gaps",
            pd.Series([2**60 + 1, None], dtype="Int64"),
            pd.Series([2**60 + 1, None], dtype="UInt64"),
        ),
        ("int without gaps", pd.Series([2**60 + 1], dtype="Int64"), [2**60 + 1]),
        ("zero", [0.0, 0.5], [-0.0, 0.5]),
        ("booleans with a gap", [True, False, None], [1.0, 0.0, np.nan]),
        ("a column of gaps", [None, None], [np.nan, np.nan]),
        ("empty words", ["", "a"], [None, "a"]),
    ],
)
def test_a_number_has_one_digest_in_whatever_precision_it_is_stored(case: str, one: Any, other: Any) -> None:
    """A float64 is that float32 that is next to it, and an integer is a float without a fraction."""
    found = [digests(pd.DataFrame({"n": pd.Series(values)}), ["n"]).tolist() for values in (one, other)]

    assert found[0] == found[1], case


@pytest.mark.parametrize(
    ("case", "values"),
    [
        ("long integers", [2**60, 2**60 + 1]),
        ("long integers with gaps", pd.Series([2**60, 2**60 + 1, None], dtype="Int64")),
        ("integers above float32", [16_777_216.0, 16_777_217.0]),
        ("six digits", [123.456, 123.457]),
        ("tiny numbers", [1e-60, 2e-60]),
        ("huge numbers", [1e300, 2e300]),
        ("a gap and zero", [0.0, np.nan]),
        ("infinity", [np.inf, -np.inf, np.nan]),
        ("words", ["1", "1.0"]),
    ],
)
def test_different_values_have_different_digests(case: str, values: Any) -> None:
    """Numbers that differ in the sixth digit do."""
    assert len(set(digests(pd.DataFrame({"n": values}), ["n"]).tolist())) == len(values), case


def test_without_a_column_a_digest_is_less_by_that_of_the_value() -> None:
    """So that rows that agree in all other columns are found."""
    rows = pd.DataFrame({"n": [1, 2, 2], "m": [2, 1, 2]})

    without = digests(rows, ["n", "m"]) - of_values(rows["n"], 0)

    assert (without[0] == without[2], without[0] == without[1]) == (True, False)


def test_the_same_values_in_other_columns_make_another_row() -> None:
    """A sum alone would not tell."""
    assert len(np.unique(digests(pd.DataFrame({"n": [1, 2], "m": [2, 1]}), ["n", "m"]))) == 2
