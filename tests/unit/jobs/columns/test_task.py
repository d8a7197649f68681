from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.columns.task import infer_task
from selfheal_jobs.retrain.frames import arrow_of
from selfheal_jobs.tables.content import content_of
from selfheal_operator.api.reasons import Task


@pytest.mark.parametrize(
    ("case", "values", "task"),
    [
        ("text", ["yes", "no"], Task.CLASSIFICATION),
        ("booleans with a gap", [True, None, False], Task.CLASSIFICATION),
        ("ten distinct integers", list(range(10)), Task.CLASSIFICATION),
        ("eleven distinct integers", list(range(11)), Task.REGRESSION),
        ("integers that a gap made floats", [0.0, 1.0, np.nan], Task.CLASSIFICATION),
        ("two fractions", [0.5, 1.5], Task.REGRESSION),
        ("numbers, one infinite", [0.0, 1.0, np.inf], Task.CLASSIFICATION),
        ("dates", pd.to_datetime(["2024-01-01", "2024-01-02"]), None),
        ("nothing", [None, None], None),
    ],
)
def test_the_target_tells_the_task(case: str, values: Any, task: Task) -> None:
    """Words, booleans and few whole numbers are classes; other numbers are quantities."""
    assert infer_task(content_of(arrow_of(pd.Series(values)))) is task, case
