from typing import Any

import pandas as pd
import pytest
from mlflow.models.utils import _enforce_schema
from mlflow.types.schema import Schema
from mlflow.utils.proto_json_utils import dataframe_from_parsed_json

from selfheal_jobs.retrain.signature import signature_of
from support.builders.training_sets import training_set

TABLE = pd.DataFrame(
    {
        "price": [1.5, 2.0, 3.0, 4.0] * 5,
        "rooms": [1, 2, 3, 4] * 5,
        "plan": ["a", "b", None, "a"] * 5,
        "flag": [True, False, None, True] * 5,
        "label": [0, 1, 0, 1] * 5,
    }
)
ROW = {"price": 1.5, "rooms": 2, "plan": "a", "flag": True}


def inputs() -> Schema:
    """Return the input signature of a model of the table."""
    rows = training_set(TABLE)
    found: Schema = signature_of(rows.target, rows.columns).inputs
    return found


def test_every_column_is_optional() -> None:
    """A request may leave out what it does not know."""
    assert inputs().required_input_names() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"rooms": None},
        {"rooms": 2.0},
        {"rooms": 2**40},
        {"price": None},
        {"price": 5},
        {"plan": None},
        {"plan": float("nan")},
        {"flag": None},
    ],
)
def test_mlflow_lets_a_row_through_as_it_is(changed: dict[str, Any]) -> None:
    """In a data frame, and in a request to its server: whole prices, and gaps of every type.

    MLflow refuses 64-bit integers for a double and floats for a string, and makes False of a missing boolean.
    """
    row = ROW | changed
    frame = pd.DataFrame([row])

    for rows in (frame, dataframe_from_parsed_json([row], "records", inputs())):
        passed = _enforce_schema(rows, inputs()).iloc[0].tolist()
        assert without_gaps(passed) == without_gaps(list(row.values()))


def without_gaps(values: list[Any]) -> list[Any]:
    """Return None for gaps of every sort."""
    return [None if pd.isna(each) else each for each in values]
