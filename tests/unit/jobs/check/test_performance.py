"""The metrics of realised performance, against their definitions written out."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.check.signals.performance import performance
from selfheal_jobs.errors import DataError
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.reasons import Reason
from support.builders.arrow_tables import arrow_table


def measured(metric: str, labels: Any, predictions: Any) -> float:
    """Return the metric's value."""
    table = ArrowTable(pa.table({"label": labels, "score": predictions}))
    return performance(metric, table, target="label", prediction="score")[0]


# --- quantities ---------------------------------------------------------------------------------------------

quantity = st.floats(-1e6, 1e6).filter(lambda number: abs(number) > 1e-3)

QUANTITIES: dict[str, Callable[[Any, Any], float]] = {
    "root_mean_squared_error": lambda true, said: math.sqrt(np.mean((true - said) ** 2)),
    "mean_absolute_error": lambda true, said: float(np.mean(np.abs(true - said))),
    "mean_absolute_percentage_error": lambda true, said: float(np.mean(np.abs((true - said) / true))),
    "r2": lambda true, said: float(1 - np.sum((true - said) ** 2) / np.sum((true - true.mean()) ** 2)),
}


@pytest.mark.parametrize("metric", QUANTITIES)
@given(pairs=st.lists(st.tuples(quantity, quantity), min_size=2, max_size=30))
def test_errors_of_quantities_are_those_of_the_textbook(
    metric: str, pairs: list[tuple[float, float]]
) -> None:
    """Root of the mean square, mean, share of the label, and share of the variance that is explained."""
    true, said = (np.array(side) for side in zip(*pairs, strict=True))
    if np.ptp(true) < 1e-3:
        return  # R2 divides by the labels' variance

    assert measured(metric, true, said) == pytest.approx(QUANTITIES[metric](true, said), rel=1e-9)


# --- classes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["precision_macro", "recall_macro", "f1_macro"])
@given(pairs=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30))
def test_scores_of_classes_are_means_over_the_classes_of_the_labels(
    metric: str, pairs: list[tuple[int, int]]
) -> None:
    """Each counts the same, however rare; a class that is only predicted is wrong there, but none of them."""
    by_class = []
    for each in {true for true, _ in pairs}:
        hits = sum(true == said == each for true, said in pairs)
        said, true = (sum(pair[side] == each for pair in pairs) for side in (1, 0))
        precision, recall = (hits / count if count else 0.0 for count in (said, true))
        f1 = 2 * hits / (said + true)
        by_class.append({"precision_macro": precision, "recall_macro": recall, "f1_macro": f1}[metric])

    labels, predictions = zip(*pairs, strict=True)

    assert measured(metric, labels, predictions) == pytest.approx(np.mean(by_class))


two_classes = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8).map(lambda eighths: eighths / 8)), min_size=2, max_size=30
).filter(lambda pairs: len({label for label, _ in pairs}) == 2)


@given(two_classes)
def test_roc_auc_is_how_often_a_positive_row_is_ranked_above_a_negative_one(
    pairs: list[tuple[bool, float]],
) -> None:
    """Of all pairs of both; a tie counts one half."""
    high, low = ([score for label, score in pairs if label is side] for side in (True, False))
    won = np.mean([(one > other) + (one == other) / 2 for one in high for other in low])
    labels, scores = zip(*pairs, strict=True)

    assert measured("roc_auc", ["yes" if label else "no" for label in labels], scores) == pytest.approx(won)


@given(two_classes)
def test_log_loss_is_the_mean_surprise(pairs: list[tuple[bool, float]]) -> None:
    """The logarithm of what was thought likely, for the class that came true."""
    tame = [(label, 0.1 + 0.8 * score) for label, score in pairs]
    loss = np.mean([-math.log(score if label else 1 - score) for label, score in tame])
    labels, scores = zip(*tame, strict=True)

    assert measured("log_loss", labels, scores) == pytest.approx(loss)


@given(st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 3))), min_size=1))
def test_accuracy_is_the_share_of_equal_pairs(pairs: list[tuple[int, int | None]]) -> None:
    """Rows without a prediction do not count, and a gap among integers makes no other classes of them."""
    both = [pair for pair in pairs if pair[1] is not None]
    if not both:
        return
    table = arrow_table(
        pd.DataFrame(
            {"label": [a for a, _ in pairs], "score": [None if b is None else float(b) for _, b in pairs]}
        )
    )

    value, rows = performance("accuracy", table, target="label", prediction="score")

    assert rows == len(both)
    assert value == pytest.approx(sum(a == b for a, b in both) / len(both))


@pytest.mark.parametrize(
    ("labels", "predictions", "value"),
    [
        ([1, 0, 1, 0], [1.0, 0.0, None, 1.0], 2 / 3),
        ([True, False], [1, 0], 1.0),
        (["1", "0"], [1, 0], 1.0),
        (["a", "b"], ["b", "a"], 0.0),
        (["True", "false"], [True, False], 1.0),
        (["1.0", "0.0"], [1, 0], 1.0),
        ([" yes", "no"], ["yes", "no "], 1.0),
        ([0, 0], [1, 1], 0.0),
    ],
    ids=[
        *("a gap among integers", "booleans", "digits as text", "all wrong"),
        *("booleans as text", "numbers with a point as text", "blanks", "all wrong numbers"),
    ],
)
def test_classes_are_the_same_however_they_are_stored(labels: Any, predictions: Any, value: float) -> None:
    """A file format is no mistake of the model."""
    table = ArrowTable(pa.table({"label": labels, "score": predictions}))

    assert performance("accuracy", table, target="label", prediction="score")[0] == pytest.approx(value)


@pytest.mark.parametrize(
    ("metric", "labels", "predictions"),
    [
        ("accuracy", ["yes", "no"], [1, 0]),
        ("accuracy", ["no", "yes"], ["No", "Yes"]),
        ("f1_macro", [[1], [2]], [1, 2]),
        ("roc_auc", [1, 1], [0.1, 0.9]),
        ("roc_auc", [1, 2, 3], [0.1, 0.9, 0.5]),
        ("r2", [1.0], [1.0]),
        ("root_mean_squared_error", [1e308, -1e308], [-1e308, 1e308]),
    ],
    ids=["no class in common", "other letters", "lists", "one class", "three classes", "one row", "overflow"],
)
def test_a_metric_that_cannot_be_computed_is_never_a_number(
    metric: str, labels: Any, predictions: Any
) -> None:
    """Zero would be an answer, and a wrong one."""
    table = ArrowTable(pa.table({"label": labels, "score": predictions}))

    with pytest.raises(DataError, match=f"{metric} cannot be computed") as complaint:
        performance(metric, table, target="label", prediction="score")

    assert complaint.value.reason is Reason.METRIC_NOT_APPLICABLE


def test_two_spellings_without_a_common_class_are_both_shown() -> None:
    """An accuracy of 0 would start a retraining, which cannot mend a spelling."""
    table = ArrowTable(pa.table({"label": ["no", "yes"], "score": ["No", "Yes"]}))

    with pytest.raises(DataError, match="labels such as 'no' and predictions such as 'No' share no class"):
        performance("accuracy", table, target="label", prediction="score")
