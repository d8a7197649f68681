from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.leaks import giveaway, is_nearly_perfect, is_perfect
from selfheal_operator.api.reasons import Task

CLASSIFICATION, REGRESSION = Task.CLASSIFICATION, Task.REGRESSION


def classes(rows: int, seed: int) -> pd.DataFrame:
    """Return rows with a reason that only the one class has."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, rows)
    reason = pd.Series(random.choice(["price", "moved"], rows)).where(label == 1)
    return pd.DataFrame({"x": random.normal(label, 1), "reason": reason, "label": label})


def amounts(rows: int, seed: int) -> pd.DataFrame:
    """Return rows with the target in another unit."""
    random = np.random.default_rng(seed)
    rent = random.gamma(4, 100, rows)
    return pd.DataFrame({"area": rent + random.normal(0, 50, rows), "yearly": 12 * rent, "label": rent})


@pytest.mark.parametrize(
    ("make", "columns", "task", "found"),
    [
        (classes, ["x", "reason"], CLASSIFICATION, "reason"),
        (classes, ["x"], CLASSIFICATION, None),
        (amounts, ["area", "yearly"], REGRESSION, "yearly"),
        (amounts, ["area"], REGRESSION, None),
    ],
)
def test_a_column_that_alone_tells_the_target_is_found(
    make: Any, columns: Any, task: Task, found: str | None
) -> None:
    """A word that only one class has, or another unit; not a column that is merely good."""
    sides = make(400, 1), make(100, 2)

    assert giveaway(columns, sides, target="label", task=task, level=1.0) == found


def test_a_column_of_codes_can_tell_more_than_two_classes() -> None:
    """A tree of depth two has four leaves, and six classes have more."""
    code = np.tile(np.arange(6), 50)
    rows = pd.DataFrame({"code": code.astype(str), "label": np.array(list("fbdace"))[code]})

    assert giveaway(["code"], (rows, rows), target="label", task=CLASSIFICATION, level=1.0) == "code"


@pytest.mark.parametrize(
    ("task", "metrics", "nearly", "perfect"),
    [
        (CLASSIFICATION, {"accuracy": 1.0}, True, True),
        (CLASSIFICATION, {"accuracy": 0.99}, True, False),
        (CLASSIFICATION, {"accuracy": 0.989}, False, False),
        (REGRESSION, {"r2": 1.0}, True, True),
        (REGRESSION, {"r2": 0.999}, True, False),
        (REGRESSION, {"r2": 0.998}, False, False),
        (REGRESSION, {}, False, False),
    ],
)
def test_only_a_nearly_perfect_model_is_suspicious(
    task: Task, metrics: dict[str, float], *, nearly: bool, perfect: bool
) -> None:
    """A good column is what a model is made of."""
    assert (is_nearly_perfect(task, metrics), is_perfect(task, metrics)) == (nearly, perfect)
