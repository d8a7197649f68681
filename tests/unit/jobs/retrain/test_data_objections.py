from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.data_objections import Feed, require_usable
from selfheal_operator.api.reasons import Reason, Task

ROWS = 400


def rows(**columns: Any) -> pd.DataFrame:
    """Return a healthy table with these columns instead of its own."""
    random = np.random.default_rng(0)
    healthy = {
        "x": random.normal(size=ROWS),
        "plan": random.choice(["a", "b"], ROWS),
        "label": random.integers(0, 2, ROWS),
    }
    return pd.DataFrame(healthy | columns)


def feed(
    current: pd.DataFrame, reference: pd.DataFrame | None = None, task: Task = Task.CLASSIFICATION
) -> Feed:
    """Return a feed beside a healthy reference."""
    return Feed(
        reference=rows() if reference is None else reference,
        current=current,
        columns=("x", "plan", "gone"),
        target="label",
        task=task,
        max_null_share=0.5,
    )


def test_a_healthy_feed_is_learnt_from() -> None:
    """A column that one side lacks is none of the feed's."""
    require_usable(feed(rows()))


NULLS = np.where(np.arange(ROWS) < ROWS * 0.51, np.nan, 1.5 * np.arange(ROWS))


@pytest.mark.parametrize(
    ("case", "current", "reference", "said"),
    [
        ("zeros", rows(x=0.0), None, "the column 'x' turned constant"),
        ("one word", rows(plan="a"), None, "the column 'plan' turned constant"),
        ("a word that is new", rows(plan="c"), None, "the column 'plan' turned constant"),
        (
            "gaps",
            rows(x=NULLS),
            None,
            "values are missing in the column 'x' (of 'x' 51%, 0% in the reference)",
        ),
        ("no value", rows(x=np.nan), None, "values are missing in the column 'x'"),
        (
            "words for numbers",
            rows(label=["0", "unknown"] * 200),
            None,
            "numbers in the reference, text in current",
        ),
        (
            "other words",
            rows(label=["0", "1"] * 200),
            rows(label=["no", "yes"] * 200),
            "has the classes '0', '1'",
        ),
        (
            "another case",
            rows(label=["No", "yes"] * 200),
            rows(label=["no", "yes"] * 200),
            "'No' is spelt 'no'",
        ),
    ],
)
def test_a_broken_feed_is_not_learnt_from(case: str, current: Any, reference: Any, said: str) -> None:
    """The columns are named."""
    with pytest.raises(DataError) as caught:
        require_usable(feed(current, reference))

    assert caught.value.reason is Reason.DATA_NOT_USABLE, case
    assert said in str(caught.value), case


@pytest.mark.parametrize(
    ("case", "current", "reference"),
    [
        ("always constant", rows(x=0.0), rows(x=1.0)),
        ("rare words", rows(plan="a"), rows(plan=["a"] * 399 + ["b"])),
        ("half of the values", rows(x=np.where(np.arange(ROWS) % 2, np.nan, 1.5)), rows(x=1.5)),
        ("gaps as before", rows(x=NULLS), rows(x=NULLS)),
        ("a new class", rows(label=["a", "b", "c", "d"] * 100), rows(label=["a", "b"] * 200)),
        ("a class is gone", rows(label=["a", "b"] * 200), rows(label=["a", "b", "c", "d"] * 100)),
        ("booleans as words", rows(label=[True, False] * 200), rows(label=["True", "False"] * 200)),
        ("no labels in the reference", rows(), rows().drop(columns="label")),
        ("no labels in the current data", rows().drop(columns="label"), rows()),
    ],
)
def test_what_may_be_news_about_the_world_is_learnt(case: str, current: Any, reference: Any) -> None:
    """A drifted column, a new class, or a rare word that has no row now."""
    require_usable(feed(current, reference))


def test_all_objections_are_told_at_once() -> None:
    """Whoever repairs a feed wants to know all of it."""
    with pytest.raises(DataError, match=r"'x' turned constant; .*'label' holds numbers"):
        require_usable(feed(rows(x=0.0, label=["a", "b"] * 200)))


def test_who_forces_a_retraining_vouches_for_the_columns() -> None:
    """And not for the labels."""
    require_usable(feed(rows(x=0.0)), forced=True)
    with pytest.raises(DataError):
        require_usable(feed(rows(label=["a", "b"] * 200)), forced=True)


def test_a_regression_has_no_classes() -> None:
    """Its values are others each time."""
    require_usable(
        feed(rows(label=np.arange(ROWS) + 0.5), rows(label=np.arange(ROWS) + 0.25), task=Task.REGRESSION)
    )
