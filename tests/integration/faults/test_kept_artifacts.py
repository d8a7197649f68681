"""An experiment of MLflow whose artifacts are in a folder, which a pod does not share with the server."""

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from integration.faults.cases import Spec
from integration.faults.running import FaultMonitor
from selfheal_operator.api.reasons import CheckResult, Reason

REMEDY = "Start the server with --serve-artifacts"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mounted volume with data that has drifted."""
    folder = tmp_path / "data"
    folder.mkdir()
    random = np.random.default_rng(1)
    for side, shift in (("reference", 0.0), ("current", 3.0)):
        x = random.normal(shift, size=400)
        pd.DataFrame({"x": x, "y": x + random.normal(size=400)}).to_parquet(folder / f"{side}.parquet")
    monkeypatch.setenv("SELFHEAL_DATA_PATHS", str(folder))
    return folder


def _spec(data: Path) -> Spec:
    return {
        "dataset": {side: {"uri": str(data / f"{side}.parquet")} for side in ("reference", "current")},
        "target": "y",
        "threshold": 0.3,
        "task": "Regression",
    }


def _monitor(mlflow_uri: str, artifacts: Path) -> FaultMonitor:
    monitor = FaultMonitor.new(mlflow_uri)
    mlflow.create_experiment(monitor.model, artifact_location=artifacts.as_uri())
    return monitor


def test_a_check_keeps_its_metrics_and_says_why_there_are_no_artifacts(data: Path, mlflow_uri: str) -> None:
    """MLflow's library would copy them into the pod, and nobody would ever find them."""
    elsewhere = data.parent / "mlruns"

    check = _monitor(mlflow_uri, elsewhere).check(_spec(data))

    assert check.result is CheckResult.DRIFT
    assert REMEDY in check.message
    assert check.run_id is not None
    assert mlflow.get_run(check.run_id).data.metrics["drift_share"] == 1.0
    assert mlflow.get_run(check.run_id).info.status == "FINISHED"
    assert not elsewhere.exists()


def test_a_check_stores_artifacts_on_a_volume(data: Path, mlflow_uri: str) -> None:
    """MLflow's server may mount it too."""
    shared = data / "mlruns"

    check = _monitor(mlflow_uri, shared).check(_spec(data))

    assert REMEDY not in check.message
    assert [each.name for each in shared.rglob("drift_columns.csv")] == ["drift_columns.csv"]


def test_a_retraining_does_not_train_a_model_that_would_be_lost(data: Path, mlflow_uri: str) -> None:
    """A version without files could never be served."""
    elsewhere = data.parent / "mlruns"
    monitor = _monitor(mlflow_uri, elsewhere)

    done = monitor.retrain(_spec(data)).last_retraining

    assert done.reason is Reason.MLFLOW_UNAVAILABLE
    assert done.message.startswith("No model could be registered: MLflow stores the artifacts")
    assert REMEDY in done.message
    assert not elsewhere.exists()
