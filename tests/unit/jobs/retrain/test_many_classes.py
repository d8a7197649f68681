from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.candidates import DEFAULTS
from selfheal_jobs.retrain.decision import Attempt
from selfheal_jobs.retrain.many_classes import not_tried, require_classes_with_rows, within_reach
from selfheal_jobs.retrain.retraining_data import data_of
from selfheal_jobs.retrain.trial import Trial, trial_of
from selfheal_operator.api.reasons import Purpose, Reason, Task
from support.builders.arrow_tables import arrow_table
from support.builders.run_requests import run_request

CANDIDATES = DEFAULTS[Task.CLASSIFICATION]


def tried(table: pd.DataFrame, rules: dict[str, Any]) -> Trial:
    """Return the trial of a retraining of such rules."""
    request = run_request(Purpose.RETRAIN, retraining=rules)
    data = data_of(request, arrow_table(table), arrow_table(table))
    return trial_of(Attempt(request, started=request.slot), data, None)


def target(classes: int, rows: int) -> pd.Series:
    """Return labels of so many classes."""
    return pd.Series([f"shop {number % classes}" for number in range(rows)], name="shop")


@pytest.mark.parametrize(("classes", "rows"), [(101, 1009), (1000, 6000), (200, 200)])
def test_an_identifier_is_no_target(classes: int, rows: int) -> None:
    """Forests and boosting would need gigabytes, and learn nothing of a class with a few rows."""
    with pytest.raises(DataError) as caught:
        require_classes_with_rows(target(classes, rows))

    assert caught.value.reason is Reason.TARGET_UNUSABLE
    assert str(caught.value).startswith(f"The target 'shop' has {classes} classes in {rows} rows, ")


@pytest.mark.parametrize(("classes", "rows"), [(100, 100), (101, 1010), (1000, 20_000), (2, 40)])
def test_a_hundred_classes_or_ten_rows_of_each_are_learnt(classes: int, rows: int) -> None:
    """A few classes may be rare, and many may be common."""
    require_classes_with_rows(target(classes, rows))


@pytest.mark.parametrize(
    ("classes", "rows", "kept", "said"),
    [
        (30, 3_000, ["linear", "forest", "boosting"], None),
        (
            31,
            3_000,
            ["linear", "forest"],
            "of 31 classes, boosting would need much time or memory, and is tried",
        ),
        (111, 3_000, ["linear", "forest"], "of 111 classes, boosting would need "),
        (
            112,
            3_000,
            ["linear"],
            "of 112 classes, forest and boosting would need much time or memory, and are",
        ),
        (67, 50_000, ["linear", "forest"], "of 67 classes, boosting would need "),
        (68, 50_000, ["linear"], "of 68 classes, forest and boosting would need "),
    ],
)
def test_trees_are_not_tried_for_many_classes(
    classes: int, rows: int, kept: list[str], said: str | None
) -> None:
    """Their cost grows with the number of classes; the message says what is left out."""
    labels = target(classes, rows)

    found = within_reach(CANDIDATES, labels)
    remark = not_tried(CANDIDATES, found, labels)

    assert [each.name for each in found] == kept
    assert remark is None if said is None else str(remark).startswith(said)


def test_a_candidate_that_the_spec_names_is_tried() -> None:
    """Whoever names it has the time for it."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"x": random.normal(size=600), "label": target(60, 600)})
    named = {"candidates": [{"name": "mine", "estimator": CANDIDATES[2].estimator}]}

    defaults, mine = (tried(table, rules) for rules in ({}, named))

    assert [each.name for each in defaults.candidates] == ["linear", "forest"]
    assert defaults.remarks[0].startswith("of 60 classes, boosting would need ")
    assert ([each.name for each in mine.candidates], mine.remarks) == (["mine"], ())
