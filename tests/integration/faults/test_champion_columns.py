"""A champion that selfheal did not make is asked by the columns and types that it knows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from integration.faults.cases import Rule
from integration.faults.running import FaultMonitor
from selfheal_operator.api.reasons import Reason


@pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning")
def test_whole_numbers_for_a_double_are_compared(tmp_path: Path, mlflow_uri: str) -> None:
    """MLflow's server answers such rows; `PyFuncModel.predict` refuses 64-bit integers by their type."""
    monitor = FaultMonitor.new(mlflow_uri)
    example = pd.DataFrame({"x": [0.5, 1.5]})
    monitor.register(Rule(predict=lambda rows: np.where(rows["x"] > 50, "yes", "no"), example=example))
    random = np.random.default_rng(1)
    for side in ("reference", "current"):
        x = random.integers(0, 100, size=300)
        pd.DataFrame({"x": x, "y": np.where(x > 50, "yes", "no")}).to_csv(
            tmp_path / f"{side}.csv", index=False
        )
    dataset = {side: {"uri": str(tmp_path / f"{side}.csv")} for side in ("reference", "current")}

    report = monitor.retrain({"dataset": dataset, "target": "y", "threshold": 0.3, "task": "Classification"})

    assert report.last_retraining.reason is Reason.NO_IMPROVEMENT, report.last_retraining.message
