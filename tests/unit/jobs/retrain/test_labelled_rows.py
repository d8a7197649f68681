from typing import Any

import pandas as pd
import pytest

from selfheal_jobs.retrain.labelled_rows import with_target
from selfheal_operator.api.reasons import Task


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        ([True, None, False], "bool"),
        (["a", None, "b"], "object"),
        ([1, 2, 3], "int64"),
        ([0.5, None, 1], "float64"),
        (pd.array([2**53, None, 2**53 + 1], dtype="Int64"), "int64"),
    ],
)
def test_labels_are_of_one_type(labels: Any, dtype: str) -> None:
    """scikit-learn mistakes mixed types for an unknown kind of target."""
    rows = pd.DataFrame({"label": labels})

    assert with_target(rows, "label", Task.CLASSIFICATION)["label"].dtype == dtype


def test_long_integers_stay_apart() -> None:
    """A float cannot tell them apart."""
    labels = pd.array([2**53, None, 2**53 + 1], dtype="Int64")

    kept = with_target(pd.DataFrame({"label": labels}), "label", Task.CLASSIFICATION)

    assert kept["label"].tolist() == [2**53, 2**53 + 1]


def test_a_column_may_have_any_name() -> None:
    """Also those of arguments of pandas' functions."""
    rows = pd.DataFrame({"self": [0, 1], "label": [1, 0]})

    assert with_target(rows, "self", Task.CLASSIFICATION)["self"].tolist() == [0, 1]
