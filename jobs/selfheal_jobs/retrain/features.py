"""The features and the preprocessing pipeline of a model. Pure.

A model takes rows as they are in the user's files or in a serving request. All preparation is a step of the
registered pipeline, made of scikit-learn and pandas alone, so that serving it does not need selfheal, and a
row gets the same answer alone as in a batch.
"""

from enum import StrEnum
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.retrain.plain_values import plain_values
from selfheal_jobs.tables.content import Values

MAX_CATEGORIES: Final = 50
"""One-hot columns per categorical column; rarer values share one. 100,000 rows then take at most 40 MB."""

_MAX_NATIVE_CATEGORIES: Final = 254
"""HistGradientBoosting has at most 255 bins, one of which is for gaps."""

LARGEST: Final = float(np.finfo(np.float32).max)
"""The largest number that counts as one, about 3.4e38. Forests compute in single precision, in which larger
numbers are infinite, and refuse infinity."""

_NATIVE: Final = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


SELECTION: Final = "columns"
"""The first step of a pipeline."""


class Preparation(StrEnum):
    """What an estimator is given: estimators with the same preparation can share the prepared rows."""

    SCALED = "scaled"
    """Numbers without gaps, standardised, and one-hot categories: what every estimator takes."""
    GAPS_KEPT = "gaps kept"
    """Numbers with their gaps, and one-hot categories."""
    NATIVE = "native"
    """Numbers with their gaps, and categories by their ordinal number."""


def preparation_of(estimator: BaseEstimator) -> Preparation:
    """Return the preparation that an estimator needs."""
    if isinstance(estimator, _NATIVE):
        return Preparation.NATIVE
    if type(estimator).__module__.startswith("lightgbm"):
        return Preparation.GAPS_KEPT
    return Preparation.SCALED


def for_model(table: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return the feature columns, with the values that a file or a request would have.

    Categories that pandas keeps as numbers of a list become values again, and decimals become numbers.
    """
    return pd.DataFrame({column.name: _plain(table[column.name], column) for column in columns})


def without_codes(values: pd.Series) -> pd.Series:
    """Return the values of a column that pandas keeps as numbers of a list, such as declared categories.

    Integers without a gap stay integers: a model with a signature of integers refuses floats.
    """
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values
    found = plain_values(values)
    return found.astype("float64") if found.hasnans and found.dtype.kind in "iu" else found


def _plain(values: pd.Series, column: Column) -> pd.Series:
    values = without_codes(values)
    if column.holds is Values.NUMBERS:
        return values if pd.api.types.is_numeric_dtype(values.dtype) else values.astype("float64")
    return values if pd.api.types.is_bool_dtype(values.dtype) else values.astype("object")


def is_category(column: Column) -> bool:
    """Return whether a model learns each value of a column by itself.

    Integers that a check compares as categories because they are few remain numbers here, so that a model
    can extrapolate to a new month or number of rooms. Codes without an order are declared in
    spec.dataset.columns.categorical.
    """
    return column.declared or column.holds is not Values.NUMBERS


def pipeline(estimator: BaseEstimator, columns: tuple[Column, ...]) -> Pipeline:
    """Return an unfitted pipeline of an estimator and the preparation that it needs.

    A gap in a categorical column is a category of its own; unseen categories are treated as rare ones. A
    column that a request does not have is a column of gaps, and other columns than these are left out.
    """
    prepared = preprocessing(preparation_of(estimator), columns)
    return Pipeline(
        [
            (SELECTION, selection([column.name for column in columns])),
            ("preprocessing", prepared),
            ("model", with_categories(estimator, columns)),
        ]
    )


def selection(names: list[str]) -> FunctionTransformer:
    """Return a step that selects columns by their names, and adds those that are absent as gaps."""
    return FunctionTransformer(pd.DataFrame.reindex, kw_args={"columns": names})


def preprocessing(preparation: Preparation, columns: tuple[Column, ...]) -> ColumnTransformer:
    """Return the unfitted preparation: one matrix of floats, the numbers before the categories."""
    numbers = [column.name for column in columns if not is_category(column)]
    words = [column.name for column in columns if is_category(column) and column.holds is not Values.NUMBERS]
    codes = [column.name for column in columns if is_category(column) and column.holds is Values.NUMBERS]
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(*_numbers(), *_completed(preparation)), numbers),
            ("categories", make_pipeline(*_words(), _encoder(preparation)), words),
            ("codes", make_pipeline(*_numbers(), _encoder(preparation)), codes),
        ],
        sparse_threshold=0,  # several estimators reject sparse matrices
    )


def with_categories(estimator: BaseEstimator, columns: tuple[Column, ...]) -> BaseEstimator:
    """Tell an estimator that takes categories natively which columns of its matrix they are."""
    if isinstance(estimator, _NATIVE) and estimator.categorical_features == "from_dtype":
        numbers = sum(not is_category(column) for column in columns)
        chosen: BaseEstimator = estimator.set_params(categorical_features=list(range(numbers, len(columns))))
        return chosen
    return estimator


def _numbers() -> list[FunctionTransformer]:
    """Make floats of numbers of any type, and NaN of every gap and every number beyond LARGEST."""
    too_large, too_small = partial(pd.DataFrame.gt, other=LARGEST), partial(pd.DataFrame.lt, other=-LARGEST)
    return [
        _gaps_as_nan(),
        FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": "float64"}),
        FunctionTransformer(pd.DataFrame.mask, kw_args={"cond": too_large, "other": np.nan}),
        FunctionTransformer(pd.DataFrame.mask, kw_args={"cond": too_small, "other": np.nan}),
    ]


def _words() -> list[FunctionTransformer]:
    """Make NaN of every gap: otherwise None and NaN would be two categories.

    A column whose values are all missing arrives as floats from some readers, and as objects from others.
    """
    return [FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": "object"}), _gaps_as_nan()]


def _gaps_as_nan() -> FunctionTransformer:
    """Make NaN of None, NaN, pd.NA and NaT, by pandas' own function: a serving image has no selfheal."""
    return FunctionTransformer(pd.DataFrame.mask, kw_args={"cond": pd.isna, "other": np.nan})


def _completed(preparation: Preparation) -> list[Any]:
    if preparation is not Preparation.SCALED:
        return []
    # Scaled by a small standard deviation, a number may be too large again.
    bounded = FunctionTransformer(np.clip, kw_args={"a_min": -LARGEST, "a_max": LARGEST})
    return [SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), bounded]


def _encoder(preparation: Preparation) -> OneHotEncoder | OrdinalEncoder:
    if preparation is Preparation.NATIVE:
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
            max_categories=_MAX_NATIVE_CATEGORIES,
        )
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False
    )
