"""Training sets of a few columns, for tests of what is learnt from them."""

from typing import Any

import numpy as np
import pandas as pd

from selfheal_jobs.columns.scan import plan
from selfheal_jobs.retrain.features import for_model
from selfheal_jobs.retrain.training import TrainingSet
from selfheal_operator.api.reasons import Task
from support.builders.arrow_tables import arrow_table


def training_set(table: pd.DataFrame, task: Task = Task.CLASSIFICATION, **more: Any) -> TrainingSet:
    """Return a training set of all columns beside `label`."""
    columns = plan(arrow_table(table), arrow_table(table), left_out=["label"]).compared
    metric = "f1_macro" if task is Task.CLASSIFICATION else "root_mean_squared_error"
    defaults: dict[str, Any] = {"task": task, "seed": 1, "metric": metric}
    return TrainingSet(
        rows=for_model(table, columns), target=table["label"], columns=columns, **(defaults | more)
    )


def two_classes(rows: int = 200, *, seed: int = 0, noise: float = 0.3) -> pd.DataFrame:
    """Return rows whose x tells the label but for some noise, with a word that tells nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    label = np.where(x + rng.normal(0, noise, rows) > 0, "yes", "no")
    return pd.DataFrame({"x": x, "plan": rng.choice(["a", "b"], rows), "label": label})


def quantity(rows: int = 200, *, seed: int = 0, slope: float = 3.0) -> pd.DataFrame:
    """Return rows whose label is a line of x with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return pd.DataFrame({"x": x, "label": slope * x + rng.normal(0, 0.1, rows)})
