"""Which numbers tell the row and are left out, and which are features, however much they look like it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.columns.scan import plan
from support.builders.arrow_tables import arrow_table

Random = np.random.Generator
ROWS = 500


def is_left_out(reference: Any, current: Any, name: str = "x", include: Any = ()) -> bool:
    """Return whether a column is left out as a row number, an identifier or a time."""
    tables = (arrow_table(pd.DataFrame({name: side, "y": 0.5})) for side in (reference, current))
    found = plan(*tables, left_out=["label"], include=include)
    left_out = [each.name for each in found.skipped if each.of_the_row]
    assert sorted([*left_out, *found.names]) == sorted([name, "y"])
    return name in left_out


def rows(first: int, count: int = ROWS, step: int = 1) -> Any:
    """Return integers one after the other."""
    return first + step * np.arange(count)


def gaps(random: Random, first: int, count: int = ROWS) -> Any:
    """Return growing integers with gaps between them."""
    return first + np.cumsum(random.integers(1, 40, count))


def shuffled(values: Any) -> Any:
    """Return values in any order."""
    return np.random.default_rng(5).permutation(values)


def with_nulls(values: Any) -> Any:
    """Return values as floats, a tenth of them missing."""
    return np.where(np.arange(len(values)) % 10 == 3, np.nan, values)


RANDOM = np.random.default_rng(7)

LEFT_OUT: dict[str, tuple[Any, ...]] = {
    "row numbers": (rows(0), rows(0, 300)),
    "identifiers that go on": (rows(1), rows(501)),
    "identifiers that descend": (rows(500, step=-1), rows(900, step=-1)),
    "shuffled before the split": (shuffled(rows(0)), shuffled(rows(500))),
    "a sample of the first thousands": (RANDOM.choice(8000, ROWS, replace=False), rows(8000)),
    "growing on one side, shuffled on the other": (rows(0), shuffled(rows(40_000))),
    "with gaps": (gaps(RANDOM, 0), gaps(RANDOM, 12_000)),
    "with wide gaps": (gaps(RANDOM, 0) * 10**6, gaps(RANDOM, 12_000) * 10**6),
    "with wide gaps, sorted on one side": (gaps(RANDOM, 0) * 10**6, shuffled(gaps(RANDOM, 12_000) * 10**6)),
    "with wide gaps, descending": (-gaps(RANDOM, 12_000) * 10**6, -gaps(RANDOM, 0) * 10**6),
    "several rows of each": (np.repeat(rows(0, 200), 3), np.repeat(rows(200, 150), 3)),
    "with nulls": (with_nulls(rows(0)), with_nulls(rows(500))),
    "nulls on one side": (rows(0), with_nulls(rows(500))),
    "some rows twice": (rows(0), np.append(rows(500), [501, 777])),
    "unsigned": (rows(2**62).astype("uint64"), rows(2**62 + ROWS).astype("uint64")),
    "decimals of no fraction": (rows(0).astype("float32"), rows(500).astype("float32")),
    "an index of parts": (np.tile(rows(0, 100), 5), np.tile(rows(0, 100), 3), "Unnamed: 0"),
    "a shuffled, sparse index": (RANDOM.choice(10**6, ROWS, replace=False), rows(0), "index"),
    "pandas' index": (rows(0), rows(0, 300), "__index_level_0__"),
    "R's index": (rows(1), rows(1, 300), "rownames"),
    "sparse, with a name": (
        RANDOM.choice(10**9, ROWS, replace=False), RANDOM.choice(10**9, ROWS, replace=False), "customer_id"
    ),
    "sparse, with another name": (
        RANDOM.choice(10**9, ROWS, replace=False), RANDOM.choice(10**9, ROWS, replace=False), "accountId"
    ),
    "29 rows": (rows(0, 29), rows(29, 29)),
}  # fmt: skip


@pytest.mark.parametrize("case", LEFT_OUT)
def test_row_numbers_and_identifiers_are_left_out(case: str) -> None:
    """In any order, with gaps and nulls, and where only one side shows it."""
    assert is_left_out(*LEFT_OUT[case]), case


COMPARED: dict[str, tuple[Any, ...]] = {
    "ages": (RANDOM.integers(18, 90, ROWS), RANDOM.integers(18, 90, 300)),
    "sorted ages": (np.sort(RANDOM.integers(18, 90, ROWS)), np.sort(RANDOM.integers(18, 90, 300))),
    "prices in cents": (RANDOM.integers(100, 10**6, ROWS), RANDOM.integers(100, 10**6, 300)),
    "sorted prices in cents": (
        np.sort(RANDOM.integers(100, 10**6, ROWS)), np.sort(RANDOM.integers(100, 10**6, 300))
    ),
    "prices that doubled": (RANDOM.integers(100, 10**6, ROWS), 2 * RANDOM.integers(100, 10**6, 300)),
    "prices far apart": (RANDOM.integers(0, 10**6, ROWS), 10**7 + RANDOM.integers(0, 10**6, 300)),
    "counts": (RANDOM.poisson(400, ROWS), RANDOM.poisson(600, ROWS)),
    "sorted counts": (np.sort(RANDOM.poisson(400, ROWS)), np.sort(RANDOM.poisson(420, ROWS))),
    "sorted measurements": (np.sort(RANDOM.normal(size=ROWS)), np.sort(RANDOM.normal(9, 1, ROWS))),
    "a grid with fractions": (np.arange(ROWS) / 2, np.arange(300) / 2 + 250),
    "hours of days": (np.tile(rows(0, 24), 21), np.tile(rows(0, 24), 14)),
    "minutes in order": (np.tile(rows(0, 60), 9), np.tile(rows(0, 60), 5)),
    "store numbers": (RANDOM.integers(1, 60, ROWS), RANDOM.integers(1, 80, ROWS), "store_id"),
    "customers who come back": (RANDOM.integers(1, 400, 2000), RANDOM.integers(1, 450, 2000), "customer_id"),
    "an index of prices": (RANDOM.integers(90, 140, ROWS), RANDOM.integers(90, 140, ROWS), "index"),
    "numbers that are paid": (
        RANDOM.choice(10**6, ROWS, replace=False), RANDOM.choice(10**6, ROWS, replace=False), "paid"
    ),
    "an enumeration that turned into ages": (rows(0), RANDOM.integers(18, 90, 300)),
    "28 rows": (rows(0, 28), rows(28, 28)[::-1] % 31 + 5),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPARED)
def test_features_are_compared(case: str) -> None:
    """Repeats, fractions, or ranges that overlap: sorted or not, drifted or not."""
    assert not is_left_out(*COMPARED[case]), case


def test_a_codes_column_that_the_spec_declares_is_compared() -> None:
    """Whoever says that integers are categories knows that they are no row numbers."""
    assert not is_left_out(pd.Series(rows(0), dtype="category"), pd.Series(rows(500), dtype="category"))


def test_a_column_that_the_spec_includes_is_compared() -> None:
    """`columns.include` is the last word."""
    assert not is_left_out(rows(0), rows(500), include=["x", "y"])


def test_row_numbers_that_only_the_reference_has_are_not_missing() -> None:
    """One of two files was written with pandas' index."""
    reference = arrow_table(pd.DataFrame({"Unnamed: 0": rows(0), "y": 0.5}))
    current = arrow_table(pd.DataFrame({"y": [0.5] * 9}))

    assert plan(reference, current, left_out=["label"]).names == ["y"]


FEATURES: dict[str, Any] = {
    "uniform": lambda random, scale, count: random.integers(0, scale, count),
    "normal": lambda random, scale, count: random.normal(10 * scale, scale, count).astype(int),
    "skewed": lambda random, scale, count: (scale * random.lognormal(size=count)).astype(int),
    "rounded": lambda random, scale, count: 5 * random.integers(0, scale, count),
    "whole floats": lambda random, scale, count: np.floor(scale * random.random(count)),
}


@pytest.mark.parametrize("rule", FEATURES)
def test_random_integers_are_never_taken_for_row_numbers(rule: str) -> None:
    """400 clean pairs of any scale and size, every second one sorted: the bound is one in a million each."""
    random = np.random.default_rng([11, *rule.encode()])
    for number in range(400):
        scale, sizes = int(10 ** random.uniform(0.5, 9)), random.integers(30, 3000, 2)
        reference, current = (FEATURES[rule](random, scale, count) for count in sizes)
        if number % 2:
            reference, current = np.sort(reference), np.sort(current)

        assert not is_left_out(reference, current), (scale, sizes)
