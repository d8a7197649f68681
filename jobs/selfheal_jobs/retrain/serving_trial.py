"""Tries a logged model as a server would use it, before it is registered.

The model is loaded by MLflow's pyfunc and asked by JSON, through MLflow's own reading of a request. Every
answer must be that of the batch of data frames on which the model was examined.
"""

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import mlflow
import numpy as np
import pandas as pd
from mlflow.utils.proto_json_utils import dataframe_from_parsed_json
from msgspec import Struct
from threadpoolctl import threadpool_limits

from selfheal_jobs.isolation.file_digest import digest_of_files
from selfheal_jobs.redaction import one_line
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


class Tried(Struct, frozen=True):
    """The outcome of a trial."""

    problem: str | None
    """What is wrong with the answers, as a sentence; None if nothing is."""
    digest: str | None = None
    """The digest of the files that were loaded."""


def try_as_served(model_uri: str, rows: pd.DataFrame) -> Tried:
    """Return whether a model's answers are as a server gives them.

    Asked are single rows, a row without any value, a request without a value in one column, or without the
    column, an unseen word in each column of words, a huge number in each column of numbers, and whole numbers
    as floats and as integers.

    Args:
        model_uri: The logged model.
        rows: Some rows as the model was trained on, such as held-out ones.

    Raises:
        MlflowException: MLflow could not be reached.
    """
    with warnings.catch_warnings(action="ignore"), _quiet(), threadpool_limits(1):  # a row needs no threads
        try:
            return _tried(model_uri, rows.head(_ROWS))
        except Exception as error:
            if is_unreachable(error):
                raise
            return Tried(f"the logged model cannot be loaded: {one_line(error, 160)}")


def _tried(model_uri: str, rows: pd.DataFrame) -> Tried:
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        files = mlflow.artifacts.download_artifacts(model_uri, dst_path=folder)
        model = mlflow.pyfunc.load_model(files)
        return Tried(_first_problem(model, rows), digest_of_files(Path(files)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence MLflow's warnings of unused columns and of other versions."""
    mlflows = logging.getLogger("mlflow")
    level = mlflows.level
    mlflows.setLevel(logging.ERROR)
    try:
        yield
    finally:
        mlflows.setLevel(level)


def _first_problem(model: Any, rows: pd.DataFrame) -> str | None:
    for trial in _trials(rows):
        try:
            problem = _problem(model, rows, trial)
        except Exception as error:
            if is_unreachable(error):
                raise
            problem = f"is not answered: {one_line(error, 160)}"
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


def _problem(model: Any, usual: pd.DataFrame, trial: _Trial) -> str | None:
    """Compare the answers in a batch with other rows, in one request, and in a request for each row."""
    batch = _answers(model.predict(_batch(usual, trial.rows)))[len(usual) :]
    records = _records(trial)
    together = _answers(model.predict(_request(model, records)))
    alone = np.concatenate([_answers(model.predict(_request(model, [record]))) for record in records])
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


def _request(model: Any, records: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows as MLflow's scoring server reads them from `dataframe_records`."""
    made: pd.DataFrame = dataframe_from_parsed_json(  # type: ignore[no-untyped-call]  # it has no types
        records, pandas_orient="records", schema=model.metadata.get_input_schema()
    )
    return made


def _answers(answered: Any) -> Any:
    return np.asarray(answered).reshape(-1)


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
