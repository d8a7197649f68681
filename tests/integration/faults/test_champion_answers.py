"""A champion whose answers are no classes of the target is not replaced, whatever the target is called."""

from pathlib import Path

import numpy as np
import pandas as pd

from integration.faults.cases import Rule
from integration.faults.running import FaultMonitor
from selfheal_operator.api.reasons import Reason

TARGET = "customer's stars"


def test_numbers_of_the_classes_are_no_wrong_answers(tmp_path: Path, mlflow_uri: str) -> None:
    """LabelEncoder has made 0 to 4 of 1 to 5: the champion is nearly perfect, and none of its answers is."""
    monitor = FaultMonitor.new(mlflow_uri)
    monitor.register(Rule(predict=lambda rows: np.digitize(rows["x"], [-1, 0, 1])))
    random = np.random.default_rng(1)
    for side in ("reference", "current"):
        x = random.normal(size=200)
        rows = pd.DataFrame({"x": x, TARGET: np.digitize(x, [-1, 0, 1]) + 1})
        rows.to_parquet(tmp_path / f"{side}.parquet")
    dataset = {side: {"uri": str(tmp_path / f"{side}.parquet")} for side in ("reference", "current")}

    report = monitor.retrain(
        {"dataset": dataset, "target": TARGET, "threshold": 0.3, "task": "Classification"}
    )

    assert report.last_retraining.reason is Reason.CHAMPION_NOT_SCORABLE, report.last_retraining.message
    assert "no class of the target: it answers '0', and the classes are '1'" in report.last_retraining.message
