from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.columns.scan import plan
from selfheal_jobs.retrain.extreme_values import beyond_range, extreme_targets
from support.builders.arrow_tables import arrow_table

ROWS = 100
RANDOM = np.random.default_rng(0)


def remarks(**columns: Any) -> list[str]:
    """Return what is said of a table whose reference is healthy."""
    healthy = pd.DataFrame({"x": RANDOM.normal(size=ROWS), "z": RANDOM.normal(size=ROWS), "plan": "a"})
    learnt = plan(arrow_table(healthy), arrow_table(healthy)).compared
    return list(beyond_range(healthy.assign(**columns), learnt))


def test_numbers_beyond_single_precision_are_told() -> None:
    """They are gaps to a model: infinity too, and the largest number of single precision not."""
    x = [1e39, -1e39, np.inf, 3.4e38, np.nan] + [0.5] * (ROWS - 5)

    assert remarks(x=x) == ["numbers beyond 3.4e+38 count as missing: 3 in 'x'"]


def test_ordinary_numbers_are_not_told_of() -> None:
    """Nothing is to be said."""
    assert remarks() == []


def of_target(reference: Any, current: Any) -> list[str]:
    """Return what is said of a target."""
    return list(extreme_targets(pd.DataFrame({"y": reference}), pd.DataFrame({"y": current}), "y"))


BEFORE = np.linspace(-2, 2, ROWS)


@pytest.mark.parametrize(
    ("case", "reference", "current", "shown"),
    [
        ("a huge value", BEFORE, [*BEFORE, 1e154], "values of the target are extreme, such as 1e+154"),
        ("two, of which one is larger", BEFORE, [2.5e6, -1e300, 1.0], "2 of 3 values of the target"),
        ("mostly one value", [0.0] * 99 + [1.0], [0.0, 1e9], "1 of 2 values of the target"),
        ("no value in the reference", [None] * 4, [*BEFORE, 1e9], "1 of 101 values"),
    ],
)  # fmt: skip
def test_a_target_that_is_far_from_all_others_is_told(
    case: str, reference: Any, current: Any, shown: str
) -> None:
    """Its squared error is larger than all others together, and nothing is registered any more."""
    (said,) = of_target(reference, current)

    assert shown in said, case
    assert said.endswith("): they decide every score")


@pytest.mark.parametrize(
    ("case", "reference", "current"),
    [
        ("values as before", BEFORE, BEFORE),
        ("a million spreads away, and no more", BEFORE, [1.9e6]),
        ("one value in the reference", [0.0] * 9, [0.0, 1e9]),
        ("infinity, which is a gap", BEFORE, [np.inf, 1.0]),
        ("no value", BEFORE, [None]),
        ("words", BEFORE, ["a", "b"]),
    ],
)
def test_an_ordinary_target_is_not_told_of(case: str, reference: Any, current: Any) -> None:
    """Nothing is to be said."""
    assert of_target(reference, current) == [], case


def test_a_table_may_lack_the_target() -> None:
    """Another step says so."""
    assert list(extreme_targets(pd.DataFrame(), pd.DataFrame(), "y")) == []
