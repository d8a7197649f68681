from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.splitting import split, with_target
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.v1alpha1.retraining import Retraining

CLASSIFICATION, REGRESSION = Task.CLASSIFICATION, Task.REGRESSION


def table(rows: int, label: Any = None, start: Any = 0) -> Any:
    """Return rows that can be told apart by `id`."""
    return pd.DataFrame(
        {"id": range(start, start + rows), "label": [0, 1] * (rows // 2) if label is None else label}
    )


def divided(current: Any, reference: Any = None, task: Task = CLASSIFICATION, **rules: Any) -> Any:
    """Return the split of two tables."""
    reference = current if reference is None else reference
    return split(
        reference,
        current,
        target="label",
        task=task,
        rules=Retraining(**({"training_data": "Current"} | rules)),
    )


def refused(current: Any, **more: Any) -> Any:
    """Return why there is no split."""
    with pytest.raises(DataError) as caught:
        divided(current, **more)
    return caught.value


def test_no_row_is_both_learnt_from_and_held_out() -> None:
    """And none is lost."""
    parts = divided(table(100))

    assert sorted([*parts.train["id"], *parts.test["id"]]) == list(range(100))
    assert len(parts.test) == 20


def test_the_seed_makes_the_split_repeatable() -> None:
    """The same seed holds out the same rows; another one does not."""
    first, again, other = (divided(table(100), random_seed=seed).test["id"].tolist() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_classes_keep_their_shares() -> None:
    """One row in ten is rare on both sides."""
    parts = divided(table(100, [1] * 10 + [0] * 90))

    assert (parts.test["label"].sum(), parts.train["label"].sum()) == (2, 8)


@pytest.mark.parametrize(
    ("case", "labels"),
    [
        ("a class with one row", ["only"] + ["a", "b"] * 20),
        ("more classes than held-out rows", [*range(10)] * 4),
    ],
)
def test_classes_too_small_to_be_on_both_sides_are_left_to_chance(case: str, labels: Any) -> None:
    """A rare class is no reason not to train."""
    assert len(divided(table(len(labels), labels)).test) > 0, case


@pytest.mark.parametrize(
    ("data", "train", "test"),
    [
        ("Current", {"current"}, {"current"}),
        ("Reference", {"reference"}, {"reference"}),
        ("ReferenceAndCurrent", {"current", "reference"}, {"current"}),
    ],
)
def test_training_data_says_where_rows_come_from(data: Path, train: set[str], test: set[str]) -> None:
    """Held-out rows are current ones, except where only the reference is used."""
    reference, current = table(40), table(60, start=1000)

    parts = divided(current, reference, training_data=data)

    origin = {True: "current", False: "reference"}
    assert {origin[row >= 1000] for row in parts.train["id"]} == train
    assert {origin[row >= 1000] for row in parts.test["id"]} == test


def test_rows_without_a_target_are_dropped_and_counted() -> None:
    """And labels that a gap had turned into floats are integers again."""
    parts = divided(table(40, [0.0, 1.0, np.nan, 1.0] * 10))

    assert parts.dropped == 10
    assert parts.train["label"].dtype == "int64"


def test_infinite_targets_count_as_missing() -> None:
    """No error of scikit-learn's, and no model that predicts infinity."""
    assert divided(table(40, [0.5, 1.5, np.inf, 2.5] * 10), task=REGRESSION).dropped == 10


@pytest.mark.parametrize(("rows", "enough"), [(19, False), (20, True)])
def test_twenty_labelled_rows_are_the_least(rows: int, *, enough: bool) -> None:
    """The rows without a label do not count."""
    current = table(40, [0, 1] * (rows // 2) + [0] * (rows % 2) + [None] * (40 - rows))

    if enough:
        assert len(divided(current).test) == 4
    else:
        error = refused(current)
        assert error.reason is Reason.TOO_FEW_ROWS
        assert "Only 19 rows" in str(error)


@pytest.mark.parametrize(
    ("case", "labels", "task", "reason", "said"),
    [
        ("one class", [1] * 40, CLASSIFICATION, Reason.TARGET_UNUSABLE, "only one class"),
        ("all null", [None] * 40, CLASSIFICATION, Reason.TARGET_UNUSABLE, "has no values"),
        ("words", ["a", "b"] * 20, REGRESSION, Reason.TARGET_UNUSABLE, "holds text"),
        ("booleans", [True, False] * 20, REGRESSION, Reason.TARGET_UNUSABLE, "holds booleans"),
        ("lists", [[1], [2]] * 20, CLASSIFICATION, Reason.TARGET_UNUSABLE, "another type"),
    ],
)
def test_a_target_of_no_use_is_named_with_the_remedy(
    case: str, labels: Any, task: Task, reason: Any, said: str
) -> None:
    """The sentence says what to change."""
    error = refused(table(40, labels), task=task)

    assert error.reason is reason, case
    assert said in str(error), case
    assert "'label'" in str(error), case


def test_a_missing_target_is_a_missing_column() -> None:
    """Labels often come later than the rows."""
    error = refused(table(40).drop(columns="label"))

    assert error.reason is Reason.COLUMN_MISSING


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        ([True, None, False], "bool"),
        (["a", None, "b"], "object"),
        ([1, 2, 3], "int64"),
        ([0.5, None, 1], "float64"),
    ],
)
def test_labels_are_of_one_type(labels: Any, dtype: str) -> None:
    """scikit-learn mistakes mixed types for an unknown kind of target."""
    assert with_target(table(3, labels), "label", CLASSIFICATION)["label"].dtype == dtype
