from typing import Any

import pandas as pd
import pytest
from mlflow.models.utils import _enforce_schema
from mlflow.types.schema import AnyType, DataType, Schema
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
    found: Schema = signature_of(rows.rows, rows.target, rows.columns).inputs
    return found


def test_every_column_is_optional() -> None:
    """A request may leave out what it does not know."""
    assert inputs().required_input_names() == []


def test_numbers_with_fractions_are_doubles_and_words_are_strings() -> None:
    """The others have no type: MLflow would refuse 64 bits for a double, and make False of a gap."""
    types = {name: each.type for name, each in inputs().input_dict().items()}

    assert types == {
        "price": DataType.double,
        "rooms": AnyType(),
        "plan": DataType.string,
        "flag": AnyType(),
    }


@pytest.mark.parametrize(
    "changed",
    [{"rooms": None}, {"rooms": 2.0}, {"rooms": 2**40}, {"price": None}, {"plan": None}, {"flag": None}],
)
def test_mlflow_lets_a_row_through_as_it_is(changed: dict[str, Any]) -> None:
    """In a data frame, and in a request to its server: also a gap of a boolean."""
    row = ROW | changed
    frame = pd.DataFrame([row])

    for rows in (frame, dataframe_from_parsed_json([row], "records", inputs())):
        passed = _enforce_schema(rows, inputs())
        assert [None if pd.isna(each) else each for each in passed.iloc[0]] == list(row.values())
