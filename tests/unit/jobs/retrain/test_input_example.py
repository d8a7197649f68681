from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.input_example import LEAST_ROWS, PLACEHOLDER, input_example


def example_of(values: Any, **options: Any) -> Any:
    """Return the example of one column."""
    column = pd.Series(values, **options)
    made = input_example(pd.DataFrame({"x": column}))
    assert made.shape == (1, 1)
    return made["x"].iloc[0]


@pytest.mark.parametrize(
    ("values", "dtype", "example"),
    [
        ([1.23456] * 3, "float64", 1.23),
        ([1, 2, 7_654_321], "int64", 2),
        ([7_654_321] * 3, "int64", 7_650_000),
        ([1.0, None, 3.0], "float64", 2.0),
        ([None, None], "float64", None),
        ([True] * LEAST_ROWS + [False], "bool", True),
        (["ann"] * LEAST_ROWS + ["bob"], "object", "ann"),
        (["ann"] * (LEAST_ROWS - 1) + ["bob"], "object", PLACEHOLDER),
        (["ann"] * LEAST_ROWS + [None] * 99, "object", "ann"),
        (["ann"] * LEAST_ROWS + ["bob"], "category", "ann"),
        ([f"{number}@example.com" for number in range(500)], "object", PLACEHOLDER),
    ],
)
def test_a_column_is_shown_by_what_tells_no_person(values: list[Any], dtype: str, example: Any) -> None:
    """A rounded median, or a word of many rows."""
    found = example_of(values, dtype=dtype)

    assert pd.isna(found) if example is None else found == example


def test_the_types_are_those_of_the_rows() -> None:
    """A server would answer otherwise with other types."""
    rows = pd.DataFrame({"i": np.arange(50), "f": np.arange(50) / 7, "s": ["a"] * 50, "b": [True] * 50})

    assert input_example(rows).dtypes.astype(str).to_dict() == rows.dtypes.astype(str).to_dict()


def test_no_value_of_a_row_is_shown_that_few_rows_have() -> None:
    """Whoever may read MLflow reads the example."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"income": random.normal(50_000, 9_000, 999), "name": [f"p{n}" for n in range(999)]})

    made = input_example(rows)

    assert not rows["income"].isin(made["income"]).any()
    assert not rows["name"].isin(made["name"]).any()
