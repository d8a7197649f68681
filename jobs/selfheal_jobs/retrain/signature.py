"""The signature of a registered model: what a serving request may send.

Every column is optional, and only two kinds have a type. MLflow 3.17 enforces types before the model sees the
rows, and would refuse or change rows that the pipeline answers:

- A column of type double refuses 64-bit integers: `mlflow.models.utils._enforce_mlflow_datatype` casts
  integers of up to 6 bytes only. So a column that has been whole so far has no type.
- A column of type boolean makes False of a gap: `cast_df_types_according_to_schema` calls `astype(bool)`.
"""

import warnings
from typing import Any, Final

import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types.schema import AnyType, ColSpec, DataType, Schema, TensorSpec

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.tables.content import Values

_ANSWERS: Final = 100


def signature_of(rows: pd.DataFrame, target: pd.Series, columns: tuple[Column, ...]) -> ModelSignature:
    """Return the signature of a model that learns the target from the columns of the rows."""
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(_type(rows[each.name], each), each.name, required=False) for each in columns
    ]
    with warnings.catch_warnings(action="ignore"):  # integers cannot have gaps: answers have none
        outputs = infer_signature(model_output=target.head(_ANSWERS)).outputs
    return ModelSignature(inputs=Schema(inputs), outputs=outputs)


def _type(values: pd.Series, column: Column) -> Any:
    if column.holds is Values.TEXT:
        return DataType.string
    if column.holds is Values.NUMBERS and _has_fractions(values):
        return DataType.double
    return AnyType()  # type: ignore[no-untyped-call]  # MLflow gives its constructor no types


def _has_fractions(values: pd.Series) -> bool:
    if pd.api.types.is_integer_dtype(values.dtype):
        return False
    return bool((values.dropna() % 1 != 0).any())
