import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from selfheal_jobs.columns.scan import plan
from selfheal_jobs.retrain.features import MAX_CATEGORIES, for_model, pipeline, without_codes
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.tables.table import ArrowTable
from support.builders.arrow_tables import arrow_table

LGBM = LGBMClassifier(verbosity=-1, min_child_samples=1, n_jobs=1)


def fitted(table: Any, target: Any, estimator: Any = None) -> Any:
    """Return a model of the table, a linear one unless another is given, and its columns."""
    columns = plan(arrow_table(table), arrow_table(table), left_out=["label"]).compared
    chosen = LogisticRegression() if estimator is None else estimator  # an unfitted forest has no truth value
    model = pipeline(clone(chosen), columns)
    return model.fit(for_model(table, columns), target), columns


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


@pytest.mark.parametrize("name", list(TABLE.columns))
def test_a_column_that_a_request_does_not_have_is_a_gap(name: str) -> None:
    """The signature says that it is optional; what no row had in training may be there, and is left out."""
    model, columns = fitted(TABLE, [0, 1, 0, 1] * 5)
    rows = for_model(TABLE, columns)

    absent = model.predict(rows.drop(columns=name).assign(more=1))

    assert absent.tolist() == model.predict(rows.assign(**{name: None})).tolist()


def test_numbers_near_the_largest_float_are_no_error() -> None:
    """The variance of such numbers is infinite, and the candidate was given NaN."""
    rows = pd.DataFrame({"x": np.linspace(-1, 1, 50), "odd": [1.7e308, -1.7e308] * 25})
    columns = plan(arrow_table(rows), arrow_table(rows)).compared

    fitted = pipeline(LogisticRegression(), columns).fit(rows, rows["x"] > 0)

    assert fitted.score(rows, rows["x"] > 0) > 0.9


@pytest.mark.parametrize("huge", [3.5e38, -1e39, 1e300])
@pytest.mark.parametrize(
    "estimator", [RandomForestClassifier(n_estimators=3), HistGradientBoostingClassifier()]
)
def test_a_number_beyond_single_precision_is_a_gap(huge: float, estimator: Any) -> None:
    """Whether it is learnt or asked: forests compute in single precision, where it is infinite."""
    table = pd.concat([TABLE] * 10, ignore_index=True)
    with_huge, with_gap = (table.assign(n=table["n"].where(table["n"] != 4, odd)) for odd in (huge, np.nan))
    estimator = clone(estimator).set_params(random_state=0)

    asked, columns = fitted(table, [0, 1, 0, 1] * 50, estimator)
    learnt, _ = fitted(with_huge, [0, 1, 0, 1] * 50, estimator)
    of_gap, _ = fitted(with_gap, [0, 1, 0, 1] * 50, estimator)
    rows, gaps = (for_model(each, columns) for each in (with_huge, with_gap))

    assert asked.predict_proba(rows).tolist() == asked.predict_proba(gaps).tolist()
    assert learnt.predict_proba(rows).tolist() == of_gap.predict_proba(gaps).tolist()


def test_the_largest_number_is_answered_by_a_model_of_small_ones() -> None:
    """Scaled by a small standard deviation, it is beyond single precision."""
    rows = pd.DataFrame({"x": np.linspace(-1e-3, 1e-3, 50)})
    columns = plan(arrow_table(rows), arrow_table(rows)).compared
    model = pipeline(RandomForestClassifier(n_estimators=3, random_state=0), columns)
    model.fit(rows, rows["x"] > 0)

    assert model.predict(pd.DataFrame({"x": [3.4e38, -3.4e38]})).tolist() == [True, False]


def test_types_stay_as_the_file_has_them() -> None:
    """Whoever serves the model sends what the files hold: all preparation is inside the pipeline."""
    columns = plan(arrow_table(TABLE), arrow_table(TABLE), left_out=["label"]).compared

    types = for_model(TABLE, columns).dtypes.map(str).to_dict()

    assert types == {"n": "float64", "whole": "int64", "c": "object", "flag": "object", "sure": "bool"}


@pytest.mark.parametrize(
    ("values", "dtype", "kept"),
    [
        ([111, 2**60 + 1], "int64", [111, 2**60 + 1]),
        ([111, 2**63], "uint64", [111, 2**63]),
        ([111, None], "Int64", [111.0, None]),
        (["01067", None], "object", ["01067", None]),
        ([True, False], "bool", [True, False]),
    ],
)
def test_declared_categories_are_values_as_in_the_file(
    values: list[Any], dtype: str, kept: list[Any]
) -> None:
    """A champion whose signature has integers refuses a column of floats."""
    column = pd.Series(values, dtype=dtype).astype("category")

    found = without_codes(column)

    assert not isinstance(found.dtype, pd.CategoricalDtype)
    assert [None if pd.isna(each) else each for each in found] == kept
    assert [type(each) for each in found.dropna()] == [type(each) for each in pd.Series(kept).dropna()]


def test_codes_without_gaps_are_learnt_as_integers() -> None:
    """They are declared to be categories, and a check compares them as such."""
    table = arrow_table(pd.DataFrame({"code": [111, 4711] * 20}))
    columns = plan(table, table, include=["code"]).compared

    rows = for_model(pd.DataFrame({"code": [111, 4711] * 20}).astype("category"), columns)

    assert rows["code"].dtype == "int64"


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


@pytest.mark.parametrize("estimator", [LogisticRegression(), HistGradientBoostingClassifier(), LGBM])
@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("inf")])
def test_gaps_of_all_sorts_are_one(missing: Any, estimator: Any) -> None:
    """Inside the pipeline, so a row alone, in whatever type it arrives, is answered as in a batch."""
    table = pd.concat([TABLE] * 10, ignore_index=True)
    model, columns = fitted(table, [0, 1, 0, 1] * 50, estimator)
    gaps = pd.DataFrame([dict.fromkeys(for_model(table, columns))], dtype="float64")
    alone = pd.DataFrame([dict.fromkeys(gaps.columns, missing)], dtype="object")
    alone["c"] = alone["flag"] = alone["sure"] = None

    assert model.predict_proba(alone).tolist() == model.predict_proba(gaps).tolist()


@pytest.mark.parametrize("dtype", ["int8", "Int64", "float32", "float64", "object"])
def test_numbers_of_every_type_are_answered_alike(dtype: str) -> None:
    """Readers differ in the types that they make of one file."""
    model, columns = fitted(TABLE, [0, 1, 0, 1] * 5)
    rows = for_model(TABLE, columns)

    assert model.predict_proba(rows.astype({"whole": dtype})).tolist() == model.predict_proba(rows).tolist()


def test_declared_categories_are_learnt_value_by_value() -> None:
    """A linear model of the code as a number could not tell 1 and 3 from 0 and 2."""
    codes = pa.array([0, 1, 2, 3] * 50).dictionary_encode()
    table = ArrowTable.of(pa.table({"plan": codes}))
    columns = plan(table, table, left_out=["label"]).compared
    rows = for_model(frame(table), columns)

    for estimator in (LogisticRegression(), HistGradientBoostingClassifier(min_samples_leaf=1), LGBM):
        model = pipeline(clone(estimator), columns).fit(rows, [0, 1, 0, 1] * 50)
        assert model.predict(pd.DataFrame({"plan": [0, 1, 2.0, 3.0]})).tolist() == [0, 1, 0, 1]


def test_boosting_takes_categories_natively() -> None:
    """Without one-hot columns; a choice of the manifest stays."""
    model, _ = fitted(TABLE, [0, 1, 0, 1] * 5, HistGradientBoostingClassifier())
    chosen, _ = fitted(TABLE, [0, 1, 0, 1] * 5, HistGradientBoostingClassifier(categorical_features=[0]))

    assert model["model"].is_categorical_.tolist() == [False, False, True, True, True]
    assert chosen["model"].is_categorical_.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("name", ["self", "target", "index", "X", "0", "a b", "preprocessing__x"])
def test_a_column_may_have_any_name(name: str) -> None:
    """Names are data, never keyword arguments."""
    table = TABLE.rename(columns={"n": name})
    model, columns = fitted(table, [0, 1, 0, 1] * 5)

    assert len(model.predict(for_model(table, columns))) == len(table)
