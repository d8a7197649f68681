"""Asks a registered model as MLflow's scoring server does: by JSON, whole rows and empty ones.

CSV is not asked for: MLflow 3.17 reads it by the types of the signature, and refuses one with columns of any
type (`selfheal_jobs.retrain.signature` says why these are of any type).
"""

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Final

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc import scoring_server

_ROWS: Final = 5


def refused_requests(model_uri: str, rows: pd.DataFrame) -> Iterator[str]:
    """Yield each request that is not answered, or not with one answer for each row.

    Args:
        model_uri: A registered version.
        rows: Rows of the current data, without the target, as pandas reads them from a file.
    """
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):  # of columns and types, which a server logs
        model = mlflow.pyfunc.load_model(model_uri)
        for name, body, kind, count in _requests(rows.head(_ROWS)):
            try:
                answered = scoring_server.invocations(  # type: ignore[no-untyped-call]  # it has no types
                    body, kind, model, model.metadata.get_input_schema()
                )
                problem = _problem(answered, count)
            except Exception as error:  # noqa: BLE001  whatever a server would answer with an error
                problem = f"is refused: {error!s:.300}"
            if problem:
                yield f"{name} {problem}"


def _requests(rows: pd.DataFrame) -> Iterator[tuple[str, str, str, int]]:
    """Yield the name, body and content type of each request, and its number of rows."""
    records = _plain(rows)
    empty: list[dict[str, Any]] = [dict.fromkeys(rows.columns)]
    yield "a request of rows", json.dumps({"dataframe_records": records}), "application/json", len(rows)
    yield "a request of one row", json.dumps({"dataframe_records": records[:1]}), "application/json", 1
    yield "a request of an empty row", json.dumps({"dataframe_records": empty}), "application/json", 1
    split = {"columns": list(rows.columns), "data": [list(each.values()) for each in records]}
    yield "a split request", json.dumps({"dataframe_split": split}), "application/json", len(rows)


def _plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON can hold them: without NaN and infinity, and times as text."""
    return [{str(name): _value(value) for name, value in row.items()} for row in rows.to_dict("records")]


def _value(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, (bool, int, str)) else str(value)


def _problem(answered: Any, count: int) -> str | None:
    if answered.status != 200:
        return f"is answered with status {answered.status}: {answered.response!s:.200}"
    answers = json.loads(answered.response)["predictions"]
    if len(answers) != count:
        return f"has {len(answers)} answers for {count} rows"
    if any(each is None for each in answers):
        return "is answered with a gap"
    return None
