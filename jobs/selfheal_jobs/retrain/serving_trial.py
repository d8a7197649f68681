"""Tries a logged model as a server would use it, before it is registered.

The model is loaded by MLflow's pyfunc and asked by JSON, through MLflow's own reading of a request. Every
answer must be that of the batch of data frames on which the model was examined.

Its files come from MLflow, where others may have exchanged them since they were logged. So they have to have
the digest of what was logged, and their code runs in a confined process (`isolation`).
"""

import json
import warnings
from collections.abc import Iterator
from typing import Any, Final

import mlflow
import numpy as np
import pandas as pd
from mlflow.utils.proto_json_utils import dataframe_from_parsed_json
from msgspec import Struct

from selfheal_jobs.isolation.file_digest import digest_of_files
from selfheal_jobs.isolation.isolated_model import IsolatedModel, ModelError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.retrain.artifact_address import artifacts_at
from selfheal_jobs.retrain.mlflow_run import LoggedModel
from selfheal_jobs.tracking.library_client import is_unreachable

_ROWS: Final = 8
"""Rows that are asked one by one: each takes some milliseconds, and a forest's 30."""

_COLUMNS: Final = 50
"""Columns that are left empty one by one; of more columns, every second, third, … is."""

_SAME: Final = 0.85
"""Share of equal answers: neighbours at the same distance are in another order in another batch."""

_UNSEEN: Final = "a word that no training row has"
_HUGE: Final = 1e39
"""Single precision has no such number."""


class _Trial(Struct, frozen=True):
    """Rows that a request brings, and a name for them."""

    name: str
    rows: pd.DataFrame
    without_gaps: bool = False
    """Whether the request leaves out what a row has no value in."""


def try_as_served(logged: LoggedModel, model: IsolatedModel, rows: pd.DataFrame) -> str | None:
    """Return what is wrong with a model's files, or with its answers as a server gives them, or None.

    Asked are single rows, a row without any value, a request without a value in one column, or without the
    column, an unseen word in each column of words, a huge number in each column of numbers, and whole numbers
    as floats and as integers.

    Args:
        logged: The logged model.
        model: A confined process.
        rows: Some rows as the model was trained on, such as held-out ones.

    Returns:
        A sentence without its full stop.

    Raises:
        MlflowException: MLflow could not be reached.
    """
    with warnings.catch_warnings(action="ignore"):
        try:
            return _tried(logged, model, rows.head(_ROWS))
        except Exception as error:
            if is_unreachable(error):
                raise
            return f"the logged model cannot be loaded: {_why(error)}"


def _tried(logged: LoggedModel, model: IsolatedModel, rows: pd.DataFrame) -> str | None:
    artifacts_at(logged.uri).download_artifacts("", dst_path=str(model.folder))
    found = digest_of_files(model.folder)
    if found != logged.digest:
        return (
            f"MLflow has other files of it than this run has logged (SHA-256 {found[:12]}, "
            f"logged {logged.digest[:12]}), so they are not loaded; find out who writes to the artifacts"
        )
    model.load(as_served=True)
    signature = mlflow.models.get_model_info(str(model.folder)).signature
    return _first_problem(_Served(model, signature and signature.inputs), rows)


def _why(error: Exception) -> str:
    return without_secrets(str(error)) if isinstance(error, ModelError) else one_line(error, 160)


class _Served(Struct, frozen=True):
    """A model, and the schema by which a server reads a request."""

    model: IsolatedModel
    schema: Any

    def answers(self, rows: pd.DataFrame) -> Any:
        """Return its answers to a batch."""
        return np.asarray(self.model.predict(rows)).reshape(-1)

    def answers_to(self, records: list[dict[str, Any]]) -> Any:
        """Return its answers to a request, which MLflow's scoring server reads from `dataframe_records`."""
        rows: pd.DataFrame = dataframe_from_parsed_json(  # type: ignore[no-untyped-call]  # it has no types
            records, pandas_orient="records", schema=self.schema
        )
        return self.answers(rows)


def _first_problem(model: _Served, rows: pd.DataFrame) -> str | None:
    for trial in _trials(rows):
        try:
            problem = _problem(model, rows, trial)
        except Exception as error:
            if is_unreachable(error):
                raise
            problem = f"is not answered: {_why(error)}"
        if problem:
            return f"{trial.name} {problem}"
    return None


def _trials(rows: pd.DataFrame) -> Iterator[_Trial]:
    yield _Trial("a row", rows)
    yield _Trial("a row without any value", pd.DataFrame([dict.fromkeys(rows.columns)], dtype="object"))
    some = list(rows.columns)[:: -(-len(rows.columns) // _COLUMNS)]
    empty = _each_changed(rows, some, None)
    yield _Trial("a row with one column empty", empty)
    if len(rows.columns) > 1:
        yield _Trial("a row with one column absent", empty, without_gaps=True)
    words = [name for name in some if _holds_words(rows[name])]
    if words:
        yield _Trial("a row with an unseen word", _each_changed(rows, words, _UNSEEN))
    numbers = [name for name in some if _holds_numbers(rows[name])]
    if numbers:
        yield _Trial("a row with a huge number", _each_changed(rows, numbers, _HUGE))
    for dtype in ("float64", "int64"):
        if (whole := _whole_as(rows, dtype)) is not None:
            yield _Trial(f"a row with whole numbers as {dtype}", whole)


def _problem(model: _Served, usual: pd.DataFrame, trial: _Trial) -> str | None:
    """Compare the answers in a batch with other rows, in one request, and in a request for each row."""
    batch = model.answers(_batch(usual, trial.rows))[len(usual) :]
    records = _records(trial)
    together = model.answers_to(records)
    alone = np.concatenate([model.answers_to([record]) for record in records])
    for answers, asked in ((together, "in a request"), (alone, "alone")):
        if len(answers) != len(batch) or _same(answers, batch) < _SAME:
            return f"is answered otherwise {asked} than in a batch"
    return None


def _batch(usual: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows after usual ones, with the types that a file of all of them would have."""
    together = pd.concat([usual.astype("object"), rows.astype("object")], ignore_index=True)
    numbers = usual.select_dtypes("number").columns
    for name in numbers:
        odd = rows[name].isna() | rows[name].isin([_HUGE])
        whole = pd.api.types.is_integer_dtype(usual[name].dtype) and not odd.any()
        together[name] = together[name].astype(usual[name].dtype if whole else "float64")
    return together


def _records(trial: _Trial) -> list[dict[str, Any]]:
    """Return the rows as a request holds them; JSON has neither NaN nor infinity."""
    rows = trial.rows
    values = rows.astype("object").mask(pd.isna, None).mask(rows.isin([np.inf, -np.inf]), None)
    records: list[dict[str, Any]] = json.loads(json.dumps(values.to_dict("records")))
    if not trial.without_gaps:
        return records
    return [{name: value for name, value in each.items() if value is not None} for each in records]


def _same(one: Any, other: Any) -> float:
    if one.dtype.kind == "f" and other.dtype.kind == "f":
        return float(np.isclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True).mean())
    return float((one == other).mean())


def _each_changed(rows: pd.DataFrame, names: list[str], value: Any) -> pd.DataFrame:
    """Return a row for each of the columns, in which this column has another value."""
    usual = rows.astype("object").to_dict("records")
    changed = [usual[number % len(usual)] | {name: value} for number, name in enumerate(names)]
    return pd.DataFrame(changed, columns=rows.columns, dtype="object")


def _holds_words(values: pd.Series) -> bool:
    return any(isinstance(value, str) for value in values.dropna())


def _holds_numbers(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)


def _whole_as(rows: pd.DataFrame, dtype: str) -> pd.DataFrame | None:
    """Return the rows with every column of whole numbers as another type; None if there is none."""
    numbers = rows.select_dtypes("number").dropna(axis="columns")
    whole = [name for name in numbers.columns if _is_whole(numbers[name])]
    return rows.astype(dict.fromkeys(whole, dtype)) if whole else None


def _is_whole(values: pd.Series) -> bool:
    """Return whether all values are integers that int64 holds: astype lets larger ones wrap around."""
    return bool((values % 1 == 0).all() and (values.abs() < 2**63).all())
