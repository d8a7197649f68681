from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.labelled_rows import with_target
from selfheal_jobs.retrain.target_types import read_as_in_reference
from selfheal_operator.api.reasons import Task


def read(reference: Any, current: Any) -> tuple[list[Any], str | None]:
    """Return the labels that are learnt, and the remark."""
    before, now = (pd.DataFrame({"label": side}) for side in (reference, current))
    table, remark = read_as_in_reference(before, now, "label")
    return with_target(table, "label", Task.CLASSIFICATION)["label"].tolist(), remark


@pytest.mark.parametrize(
    ("case", "reference", "current", "right"),
    [
        ("integers", [0, 1], ["1", "0", None], [1, 0]),
        ("long integers", [2**53, 2**53 + 1], [str(2**53 + 1), None], [2**53 + 1]),
        ("unsigned integers", pd.array([2**63, 2**63 + 1], "uint64"), [str(2**63 + 1)], [2**63 + 1]),
        ("floats with whole values", [0.0, 1.0, None], ["1", "0.0"], [1, 0]),
        ("fractions", [0.5, 1.5], ["1.5", None], [1.5]),
        ("booleans", [True, False], ["True", "false", None], [True, False]),
        ("booleans with gaps", [True, False, None], ["True"], [True]),
        ("text, then integers", ["0", "1"], [1, 0], ["1", "0"]),
        ("text, then integers with gaps", ["0", "1"], [1.0, np.nan, 0.0], ["1", "0"]),
        ("text of floats", ["0.0", "1.0"], [1, 0], ["1.0", "0.0"]),
        ("text, then booleans", ["True", "False"], [True, False], ["True", "False"]),
    ],
)
def test_classes_keep_the_type_of_the_reference(case: str, reference: Any, current: Any, right: Any) -> None:
    """A version answers what the one before it has answered: 1 and not the text "1"."""
    labels, remark = read(reference, current)

    assert labels == right, case
    assert [type(each) for each in labels] == [type(each) for each in right], case
    assert remark is not None
    assert remark.startswith("the target 'label' holds ")


@pytest.mark.parametrize(
    ("case", "reference", "current"),
    [
        ("the same type", ["0", "1"], ["1", "2"]),
        ("a new class", [0, 1], ["0", "1", "2"]),
        ("a zero before it", [0, 1], ["00", "01"]),
        ("two classes that are written alike", ["1", "1.0"], [1]),
        ("booleans for numbers", [0, 1], [True, False]),
        ("no class at all", [0, 1], [None, None]),
        ("several types", [0, 1], ["0", 1]),
    ],
)
def test_other_classes_stay_as_they_are(case: str, reference: Any, current: Any) -> None:
    """Whether they may be learnt is for the objections to say."""
    before, now = (pd.DataFrame({"label": side}) for side in (reference, current))

    table, remark = read_as_in_reference(before, now, "label")

    assert remark is None, case
    assert table["label"].tolist() == now["label"].tolist(), case


def test_a_side_may_lack_the_target() -> None:
    """Labels may arrive later."""
    table = pd.DataFrame({"x": [1]})

    assert read_as_in_reference(table, table, "label") == (table, None)
