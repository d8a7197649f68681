import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from selfheal_jobs.columns.scan import plan
from selfheal_jobs.retrain.features import MAX_CATEGORIES, for_model, pipeline
from support.builders.arrow_tables import arrow_table


def fitted(table: Any, target: Any) -> Any:
    """Return a linear model of the table."""
    columns = plan(arrow_table(table), arrow_table(table), target="label").compared
    return pipeline(LogisticRegression(), columns).fit(for_model(table, columns), target), columns


TABLE = pd.DataFrame(
    {
        "n": [1.0, np.inf, None, 4.0] * 5,
        "whole": [1, 2, 3, 4] * 5,
        "c": ["a", "b", None, "a"] * 5,
        "flag": [True, False, None, True] * 5,
        "sure": [True, False, True, True] * 5,
    }
)


def test_a_pipeline_takes_gaps_infinite_numbers_words_and_booleans() -> None:
    """All that a file may hold is the pipeline's to deal with."""
    model, columns = fitted(TABLE, [0, 1, 0, 1] * 5)

    assert model.predict(for_model(TABLE, columns)).tolist() == [0, 1, 0, 1] * 5


def test_types_stay_as_the_file_has_them() -> None:
    """Whoever serves the model sends what the files hold: the signature is made from these types."""
    columns = plan(arrow_table(TABLE), arrow_table(TABLE), target="label").compared

    types = for_model(TABLE, columns).dtypes.map(str).to_dict()

    assert types == {"n": "float64", "whole": "int64", "c": "object", "flag": "object", "sure": "bool"}


def test_a_model_is_served_without_selfheal() -> None:
    """The pickle names nothing of ours: a serving image has scikit-learn and no more."""
    model, _ = fitted(TABLE, [0, 1, 0, 1] * 5)

    assert b"selfheal" not in pickle.dumps(model)


def test_values_that_training_never_saw_are_no_error() -> None:
    """They count as rare ones."""
    model, columns = fitted(TABLE, [0, 1, 0, 1] * 5)
    with warnings.catch_warnings(action="ignore"):
        predicted = model.predict(for_model(TABLE.assign(c="new"), columns))

    assert len(predicted) == len(TABLE)


def test_a_text_column_of_many_values_makes_few_columns() -> None:
    """Without a bound, identifiers would make a matrix that no container holds."""
    table = pd.DataFrame({"c": [f"v{number}" for number in range(500)] * 2})
    model, columns = fitted(table, [0, 1] * 500)

    assert model[:-1].transform(for_model(table, columns)).shape[1] == MAX_CATEGORIES


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_gaps_of_all_sorts_are_one(missing: Any) -> None:
    """None and NaN would be two categories."""
    table = pd.DataFrame({"c": pd.Series(["a", "a", "b", "b", missing], dtype="object")})
    columns = plan(arrow_table(table), arrow_table(table), target="label").compared

    assert np.isnan(for_model(table, columns)["c"][4])
