from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.equal_rows import chance_of_equal_rows, together


def drawn(rows: int, columns: int, values: int, seed: int = 0) -> pd.DataFrame:
    """Return rows of independent integers."""
    found = np.random.default_rng(seed).integers(0, values, size=(rows, columns))
    return pd.DataFrame(found, columns=[f"n{number}" for number in range(columns)])


def skewed(rows: int) -> pd.DataFrame:
    """Return rows of five flags, each of which one row in twenty has."""
    found = np.random.default_rng(0).random(size=(rows, 5)) < 0.05
    return pd.DataFrame(found, columns=list("abcde"))


def places(rows: int) -> pd.DataFrame:
    """Return rows with a city, its region, a plan, and a class that depends on both."""
    random = np.random.default_rng(0)
    city, plan = random.integers(0, 30, rows), random.integers(0, 3, rows)
    churns = random.random(rows) < 0.2 + 0.2 * plan + 0.2 * (city % 2)
    return pd.DataFrame({"city": city, "region": city // 6, "plan": plan, "churns": churns})


def fractions(rows: int) -> pd.DataFrame:
    """Return rows of a number that none shares, and a class."""
    random = np.random.default_rng(0)
    return pd.DataFrame({"x": random.normal(size=rows), "y": random.integers(0, 2, rows)})


@pytest.mark.parametrize(
    ("case", "rows", "deliveries"),
    [
        ("fractions", fractions(400), 3),
        ("fractions, a snapshot a day", fractions(60), 20),
        ("integers", drawn(400, 8, 40), 3),
        ("words", drawn(400, 10, 10).astype(str), 3),
        ("words, a snapshot a day", drawn(60, 10, 10).astype(str), 30),
        ("two thousand combinations", drawn(400, 3, 13), 3),
    ],
)
def test_rows_that_were_delivered_more_than_once_are_copies(
    case: str, rows: pd.DataFrame, deliveries: int
) -> None:
    """Whatever their columns hold, and however often they were."""
    codes, by_chance = together(
        pd.concat([rows] * deliveries, ignore_index=True), list(rows.columns), least=40
    )

    assert not by_chance, case
    assert codes is not None, case
    assert len(np.unique(codes)) == len(rows.drop_duplicates()), case


def test_some_rows_that_were_delivered_more_than_once_are_copies() -> None:
    """Behind a few new ones."""
    rows = pd.concat([*[drawn(400, 8, 40)] * 3, drawn(133, 8, 40, seed=1)], ignore_index=True)

    codes, _ = together(rows, list(rows.columns), least=40)

    assert codes is not None
    assert len(np.unique(codes)) == 533


@pytest.mark.parametrize(
    ("case", "rows"),
    [
        ("three flags", drawn(1_000, 3, 2)),
        ("two thousand combinations", drawn(1_200, 3, 13)),
        ("skewed flags", skewed(1_000)),
        ("a column that follows from another", places(5_000)),
        ("a class that follows from one column", pd.DataFrame({"x": [1, 2, 3, 4] * 100}).eval("y = x > 2")),
        ("one column", drawn(400, 1, 10)),
    ],
)
def test_rows_of_a_few_combinations_are_equal_by_chance(case: str, rows: pd.DataFrame) -> None:
    """Groups of them would leave a candidate without what it is asked about."""
    assert together(rows, list(rows.columns), least=40) == (None, True), case


def test_a_few_rows_that_are_equal_by_chance_stay_together() -> None:
    """It costs nothing."""
    rows = drawn(400, 3, 13)

    codes, by_chance = together(rows, list(rows.columns), least=40)

    assert (codes is None, by_chance) == (False, False)


def test_rows_that_all_differ_have_no_code() -> None:
    """There is nothing to keep together."""
    assert together(fractions(100), ["x", "y"], least=40) == (None, False)


@pytest.mark.parametrize(("columns", "values"), [(3, 2), (2, 10), (3, 13)])
def test_the_chance_of_equal_rows_is_that_of_all_columns(columns: int, values: int) -> None:
    """Also where each row was delivered four times."""
    rows = drawn(2_000, columns, values)
    chance: Any = pytest.approx(values**-columns, rel=0.25)

    assert chance_of_equal_rows(rows, list(rows.columns)) == chance
    assert chance_of_equal_rows(pd.concat([rows] * 4), list(rows.columns)) == chance
