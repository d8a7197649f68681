"""A registered version answers the rows that a serving request brings, each as in a batch."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from integration.faults.running import FaultMonitor, case_of, retrain_case
from selfheal_operator.api.reasons import RetrainResult


@pytest.mark.parametrize("name", ["01", "W7"])
def test_whole_numbers_of_any_width_and_gaps_are_answered(name: str, tmp_path: Path, mlflow_uri: str) -> None:
    """Whole numbers in training do not make a signature that refuses 64 bits, or a gap."""
    monitor, version, fresh = registered(name, tmp_path, mlflow_uri)

    answers = monitor.predict(version, fresh)

    assert len(answers) == len(fresh)
    assert pd.notna(answers).all()
    signature = mlflow.models.get_model_info(f"models:/{monitor.model}/{version}").signature
    assert signature.inputs.required_input_names() == []


def test_a_row_alone_is_answered_as_in_a_batch(tmp_path: Path, mlflow_uri: str) -> None:
    """A null alone arrives as None, in a batch as NaN: both are one gap."""
    monitor, version, fresh = registered("W1", tmp_path, mlflow_uri)
    model = mlflow.pyfunc.load_model(f"models:/{monitor.model}/{version}")
    records = json.loads(fresh.to_json(orient="records"))

    together = model.predict(pd.DataFrame(records))
    alone = np.concatenate([model.predict(pd.DataFrame([record])) for record in records])

    assert alone.tolist() == together.tolist()
    assert (together == labels(tmp_path)).mean() > 0.9


def test_long_integer_labels_are_answered_as_they_are_written(tmp_path: Path, mlflow_uri: str) -> None:
    """A float cannot tell labels above 2**53 apart."""
    monitor, version, _ = registered("09c-1", tmp_path, mlflow_uri)

    answers = monitor.predict(version, pd.DataFrame({"x": [-3.0, 3.0], "z": [0.0, 0.0]}))

    assert answers.tolist() == [120_330_000_000_000_001, 120_330_000_000_000_017]


def registered(name: str, folder: Path, mlflow_uri: str) -> tuple[FaultMonitor, str, pd.DataFrame]:
    """Run a case that registers version 1; return it and the fresh rows without their labels."""
    monitor, (report,) = retrain_case(name, folder, mlflow_uri)
    assert report.last_retraining.result is RetrainResult.REGISTERED, report.last_retraining.message
    fresh = case_of(name, folder).fresh
    rows = pd.DataFrame() if fresh is None else pd.read_parquet(fresh).drop(columns="label")
    assert report.last_retraining.version is not None
    return monitor, report.last_retraining.version, rows


def labels(folder: Path) -> pd.Series:
    """Return the labels of the fresh rows."""
    return pd.read_parquet(folder / "fresh.parquet")["label"]
