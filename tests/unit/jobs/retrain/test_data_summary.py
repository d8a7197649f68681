import json
from typing import Any

import numpy as np
import pandas as pd

from selfheal_jobs.retrain.data_summary import summarize
from selfheal_jobs.retrain.splitting import Split
from selfheal_operator.api.reasons import Task


def told(table: Any, task: Task) -> Any:
    """Return the facts of a table, as they are stored."""
    halves = Split(
        train=table[:2], reference=table[:0], test=table[2:], dropped=3, copies=1, already_learnt=5
    )
    return json.loads(json.dumps(summarize(halves, target="label", task=task)))


def test_facts_of_classes() -> None:
    """Rows, types, gaps, and how many rows each class has."""
    found = told(pd.DataFrame({"x": [1.0, np.nan, 2.0], "label": ["a", "b", "a"]}), Task.CLASSIFICATION)

    assert found["rows"] == {
        "train": 2,
        "test": 1,
        "withoutTarget": 3,
        "copies": 1,
        "alreadyLearnt": 5,
    }
    assert found["columns"][0] == {
        "name": "x",
        "type": "float64",
        "nulls": 1,
        "nullShare": 0.3333,
        "distinct": 3,
    }
    assert found["target"]["rowsPerClass"] == {"a": 2, "b": 1}


def test_facts_of_quantities() -> None:
    """Quantiles say more than a mean."""
    found = told(pd.DataFrame({"label": [1.0, 2.0, 9.0]}), Task.REGRESSION)

    assert found["target"]["quantiles"]["median"] == 2.0
    assert found["target"]["mean"] == 4.0
