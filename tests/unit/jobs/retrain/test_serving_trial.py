from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from selfheal_jobs.isolation.file_digest import digest_of_files
from selfheal_jobs.isolation.isolated_model import isolated
from selfheal_jobs.retrain.candidates import DEFAULTS
from selfheal_jobs.retrain.mlflow_run import LoggedModel
from selfheal_jobs.retrain.serving_trial import try_as_served
from selfheal_jobs.retrain.signature import signature_of
from selfheal_jobs.retrain.training import TrainingSet, fit
from selfheal_operator.api.reasons import Task
from support.builders.training_sets import training_set


def table(task: Task) -> pd.DataFrame:
    """Return rows with gaps of every sort, whole numbers, words and booleans."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=120)
    made = pd.DataFrame({"x": x, "rooms": rng.integers(1, 9, 120)})
    made["tiny"] = x * 1e-18
    made["visits"] = np.where(rng.random(120) < 0.2, np.nan, rng.integers(0, 50, 120))
    made["plan"] = pd.Series(rng.choice(["a", "b"], 120), dtype="object").where(rng.random(120) < 0.8, None)
    made["flag"] = pd.Series(rng.random(120) < 0.5, dtype="object").where(rng.random(120) < 0.8, None)
    made["label"] = x > 0 if task is Task.CLASSIFICATION else 3 * x
    return made


def problem_of(model: Any, rows: TrainingSet, folder: Path, **more: Any) -> str | None:
    """Save a model as a retraining logs it, try it, and return what is wrong."""
    signature = signature_of(rows.target, rows.columns)
    mlflow.sklearn.save_model(
        model,
        folder / "model",
        **({"signature": signature} | more),
        pip_requirements=[],
        serialization_format="cloudpickle",
    )
    return tried(folder / "model", rows.rows)


def tried(folder: Path, rows: pd.DataFrame) -> str | None:
    """Try the model in a folder, and return what is wrong."""
    logged = LoggedModel(run_id="r", uri=folder.as_uri(), digest=digest_of_files(folder))
    with isolated() as model:
        return try_as_served(logged, model, rows)


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("number", range(3))
def test_a_default_candidate_passes(task: Task, number: int, tmp_path: Path) -> None:
    """Rows alone, without values, with unseen words, and whole numbers of any type."""
    rows = training_set(table(task), task)
    model = fit(DEFAULTS[task][number], rows)

    assert problem_of(model, rows, tmp_path) is None


def test_integers_beyond_int64_are_no_problem(tmp_path: Path) -> None:
    """They stay unsigned in a batch, and are not asked for as int64, which would wrap around."""
    x = np.random.default_rng(1).integers(0, 20, 60).astype("uint64") + 2**63
    rows = training_set(pd.DataFrame({"x": x, "z": x % 7 / 7, "label": x % 2}))
    model = fit(DEFAULTS[Task.CLASSIFICATION][0], rows)

    assert problem_of(model, rows, tmp_path) is None


def test_a_model_that_refuses_a_huge_number_is_told(tmp_path: Path) -> None:
    """A forest cannot be asked about a number that single precision does not have."""
    rows = training_set(table(Task.CLASSIFICATION)[["x", "label"]])
    forest = RandomForestClassifier(n_estimators=2).fit(rows.rows, rows.target)

    problem = problem_of(forest, rows, tmp_path)

    assert problem is not None
    assert problem.startswith("a row with a huge number is not answered: ")


def test_a_signature_that_refuses_a_gap_is_told(tmp_path: Path) -> None:
    """MLflow infers one from whole numbers without gaps."""
    rows = training_set(table(Task.CLASSIFICATION)[["x", "rooms", "label"]])
    model = fit(DEFAULTS[Task.CLASSIFICATION][0], rows)
    inferred = ModelSignature(inputs=Schema([ColSpec("double", "x"), ColSpec("long", "rooms")]))

    problem = problem_of(model, rows, tmp_path, signature=inferred)

    assert problem is not None
    assert "is not answered: " in problem


def test_a_model_that_answers_a_batch_otherwise_is_told(tmp_path: Path) -> None:
    """Here numbers are centred on the batch that they arrive in."""
    rows = training_set(table(Task.REGRESSION)[["x", "rooms", "label"]], Task.REGRESSION)
    line = fit(DEFAULTS[Task.REGRESSION][0], rows)
    # A lambda is pickled by value: the confined process cannot import this module.
    centred = FunctionTransformer(lambda some: some - some.mean())
    model = Pipeline([("centred", centred), ("model", line)])

    problem = problem_of(model, rows, tmp_path)

    assert problem == "a row is answered otherwise alone than in a batch"


def test_a_model_that_needs_a_column_of_its_signature_is_told(tmp_path: Path) -> None:
    """Every column of the signature is optional: a request may leave it out."""
    rows = training_set(table(Task.CLASSIFICATION))
    model = fit(DEFAULTS[Task.CLASSIFICATION][0], rows)[1:]

    problem = problem_of(model, rows, tmp_path)

    assert problem is not None
    assert problem.startswith("a row with one column absent is not answered: ")


def test_a_model_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    """Its files may be damaged."""
    problem = tried(tmp_path / "nothing", pd.DataFrame({"x": [1.0]}))

    assert problem is not None
    assert problem.startswith("the logged model cannot be loaded: ")
