"""The features and the preprocessing pipeline of a model. Pure.

A model takes rows as they are in the user's files. Imputation, scaling and encoding are steps of the
registered pipeline, so that serving it does not need selfheal.
"""

from typing import Final

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.tables.content import Values

MAX_CATEGORIES: Final = 50
"""One-hot columns per text column; rarer values share one. 100,000 rows then take at most 40 MB each."""


def for_model(table: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return the feature columns; types are unchanged if scikit-learn accepts them.

    Integers that Evidently compares as categories are numerical features here, so that the model can
    extrapolate to a new month or number of rooms. Codes without an order should be text.
    """
    return pd.DataFrame({column.name: _prepared(table[column.name], column) for column in columns})


def _prepared(values: pd.Series, column: Column) -> pd.Series:
    if column.holds is Values.NUMBERS:
        numbers = values if pd.api.types.is_numeric_dtype(values.dtype) else values.astype("float64")
        return numbers.replace([np.inf, -np.inf], np.nan)
    if column.holds is Values.BOOLEANS and pd.api.types.is_bool_dtype(values.dtype):
        return values
    objects = values.astype("object")
    return objects.where(objects.notna(), np.nan)  # None and NaN would be two categories


def pipeline(estimator: BaseEstimator, columns: tuple[Column, ...]) -> Pipeline:
    """Return an unfitted pipeline: median imputation and standardisation of numbers, one-hot encoding.

    A gap in a categorical column is a category of its own; unseen categories are treated as rare ones.
    """
    numbers = [column.name for column in columns if column.holds is Values.NUMBERS]
    categories = [column.name for column in columns if column.holds is not Values.NUMBERS]
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False
    )
    scaled = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    preprocessing = ColumnTransformer(
        [("numbers", scaled, numbers), ("categories", one_hot, categories)],
        sparse_threshold=0,  # several estimators reject sparse matrices
    )
    return Pipeline([("preprocessing", preprocessing), ("model", estimator)])
