"""These run the real Evidently: what it does with a column is what users see."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.columns import Kind, plan
from selfheal_jobs.drift import ColumnDrift, Comparison, compare


def compared(reference: Any, current: Any) -> Any:
    """Return the comparison of two tables."""
    reference, current = pd.DataFrame(reference), pd.DataFrame(current)
    return compare(reference, current, plan(reference, current, target="label").compared)


def normal(rows: int, mean: float = 0.0, seed: int = 0) -> Any:
    """Return normal numbers, the same ones each time."""
    return np.random.default_rng(seed).normal(mean, 1, rows)


def categories(rows: int, shares: list[float], seed: int = 0) -> Any:
    """Return letters with the given shares."""
    return np.random.default_rng(seed).choice(list("abc"), rows, p=shares)


@pytest.mark.parametrize(
    ("rows", "number_method", "category_method", "binary_method"),
    [(1000, "ks", "chisquare", "z"), (1001, "wasserstein", "jensenshannon", "jensenshannon")],
)
def test_evidently_chooses_the_methods_and_we_name_them_by_their_ids(
    rows: int, number_method: str, category_method: str, binary_method: str
) -> None:
    """Up to 1,000 reference rows it tests, above it measures distances."""
    table = {
        "n": normal(rows),
        "c": categories(rows, [0.5, 0.3, 0.2]),
        "b": categories(rows, [0.5, 0.5, 0]),
    }

    methods = {each.name: each.method for each in compared(table, table).columns}

    assert methods == {"n": number_method, "c": category_method, "b": binary_method}


@pytest.mark.parametrize("rows", [500, 2000])
def test_moved_columns_drift_and_others_do_not(rows: int) -> None:
    """A shifted mean and changed shares are found, by p-values and by distances."""
    reference = {
        "calm": normal(rows),
        "moved": normal(rows, seed=1),
        "plan": categories(rows, [0.6, 0.3, 0.1]),
    }
    current = {
        "calm": normal(rows, seed=2),
        "moved": normal(rows, 1, seed=3),
        "plan": categories(rows, [0.1, 0.3, 0.6]),
    }

    comparison = compared(reference, current)

    assert {each.name for each in comparison.drifted} == {"moved", "plan"}
    assert comparison.share == pytest.approx(2 / 3)


def test_infinite_numbers_do_not_change_the_verdict() -> None:
    """Without cleaning, Evidently's count of drifted columns differs from its own list of them."""
    reference, current = normal(500), normal(500, seed=1)
    with_infinite = np.where(np.arange(500) % 10 == 0, np.inf, current)
    without = np.where(np.arange(500) % 10 == 0, np.nan, current)

    one = compared({"x": reference, "y": reference}, {"x": with_infinite, "y": current})
    other = compared({"x": reference, "y": reference}, {"x": without, "y": current})

    assert one.columns == other.columns


def test_awkward_columns_are_compared_without_an_error() -> None:
    """Constants, odd names, booleans with gaps and one row: each makes some version of Evidently stumble."""
    reference = {"constant": [1.5] * 30, "we ird/ä.b": normal(30), "7": [True, None, False] * 10}
    current = {"constant": [1.5], "we ird/ä.b": [0.0], "7": [True]}

    assert len(compared(reference, current).columns) == 3


def test_a_value_never_seen_before_counts() -> None:
    """A new category is drift of its column."""
    comparison = compared({"c": list("ab") * 50}, {"c": list("ac") * 50})

    assert comparison.share == 1.0


def test_the_report_is_one_html_page() -> None:
    """It is kept as an artifact and must open without anything beside it."""
    html = compared({"x": normal(50)}, {"x": normal(50)}).html()

    assert html.lstrip().lower().startswith("<!doctype html>")
    assert len(html) > 1_000_000


def drift(name: str, score: float, threshold: float, *, drifted: bool = True) -> Any:
    """Return one column's test."""
    return ColumnDrift(
        name=name, kind=Kind.NUMERICAL, method="m", score=score, threshold=threshold, drifted=drifted
    )


def test_the_furthest_beyond_its_threshold_comes_first() -> None:
    """Small p-values and large distances are both far; what did not drift is not listed."""
    columns = (
        drift("p just below", 0.04, 0.05),
        drift("p far below", 0.0, 0.05),
        drift("distance far above", 0.9, 0.1),
        drift("calm", 0.5, 0.05, drifted=False),
    )

    names = [each.name for each in Comparison(columns=columns, snapshot=None).drifted]

    assert names == ["p far below", "distance far above", "p just below"]
