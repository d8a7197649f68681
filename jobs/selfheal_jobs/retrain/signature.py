"""The signature of a registered model: what a serving request may send.

Every column is optional and of any type. MLflow 3.17 enforces types before the model sees the rows, and would
refuse or change rows that the pipeline answers; the types of a batch depend on what happens to be in it:

- A double refuses 64-bit integers: `mlflow.models.utils._enforce_mlflow_datatype` casts integers of up to 6
  bytes only. A batch of prices without cents would be refused.
- A string refuses floats, which is what an empty column of a CSV file is.
- A boolean becomes False where it is missing: `cast_df_types_according_to_schema` calls `astype(bool)`.

What is no number is still refused for a column of numbers, by the pipeline.

The price: MLflow's server refuses CSV, since `mlflow.pyfunc.scoring_server.parse_csv_input` asks for the
pandas type of every column, and "any" has none. No signature has both: the types that pandas reads CSV by are
enforced on data frames too.
"""

import warnings
from typing import Final

import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types.schema import AnyType, ColSpec, Schema, TensorSpec

from selfheal_jobs.columns.infer_kind import Column

_ANSWERS: Final = 100


def signature_of(target: pd.Series, columns: tuple[Column, ...]) -> ModelSignature:
    """Return the signature of a model that learns the target from the columns."""
    any_type = AnyType()  # type: ignore[no-untyped-call]  # MLflow gives its constructor no types
    inputs: list[ColSpec | TensorSpec] = [ColSpec(any_type, each.name, required=False) for each in columns]
    with warnings.catch_warnings(action="ignore"):  # integers cannot have gaps: answers have none
        outputs = infer_signature(model_output=target.head(_ANSWERS)).outputs
    return ModelSignature(inputs=Schema(inputs), outputs=outputs)
