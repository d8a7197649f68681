from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.check.report import CheckFindings
from selfheal_jobs.check.run import look
from support.builders.run_requests import run_request


def numbers(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """Return rows of five numbers and a label."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(shift, 1, size=(rows, 5)), columns=list("abcde"))
    return table.assign(label=random.integers(0, 2, rows))


def flags(rows: int, seed: int, share: float) -> pd.DataFrame:
    """Return rows of four flags and a label."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.random(size=(rows, 4)) < share, columns=list("abcd")).astype(str)
    return table.assign(label=random.integers(0, 2, rows))


@pytest.fixture
def look_at(tmp_path: Path) -> Any:
    """A check of two tables."""

    def check(reference: pd.DataFrame, current: pd.DataFrame, **spec: Any) -> CheckFindings:
        before, now = tmp_path / "reference.parquet", tmp_path / "current.parquet"
        reference.to_parquet(before)
        current.to_parquet(now)
        return look(run_request(reference=before, current=now, **spec))

    return check


COPIES = pd.concat([numbers(60, seed=1)] * 30, ignore_index=True)


def test_copies_of_a_few_rows_are_no_drift(look_at: Any) -> None:
    """Sixty rows that were delivered thirty times differ from the reference as sixty rows do."""
    found = look_at(numbers(2_000, seed=0), COPIES)

    assert found.problem is None
    assert found.comparison.share == 0
    assert found.left_out == ("1800 rows of current are copies of 60, and compared as these",)


def test_copies_of_drifted_rows_are_drift(look_at: Any) -> None:
    """Enough of them show it."""
    current = pd.concat([numbers(200, seed=1, shift=2.0)] * 10, ignore_index=True)

    found = look_at(numbers(2_000, seed=0), current)

    assert found.comparison.share == 1
    assert len(found.left_out) == 1


def test_the_rule_evidently_takes_copies_for_rows(look_at: Any) -> None:
    """Its verdict is Evidently's."""
    found = look_at(numbers(2_000, seed=0), COPIES, drift={"rule": "Evidently"})

    assert found.comparison.share > 0.3
    assert found.left_out == ()


@pytest.mark.parametrize("rows", [400, 2_000])
def test_rows_of_a_few_categories_are_no_copies(look_at: Any, rows: int) -> None:
    """Nearly each of them equals another, by chance."""
    found = look_at(flags(2_000, seed=0, share=0.2), flags(rows, seed=1, share=0.7))

    assert found.comparison.share == 1
    assert found.left_out == ()
