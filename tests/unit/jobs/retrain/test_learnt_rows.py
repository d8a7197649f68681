import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.retrain.learnt_rows import LearntRows


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows of a number and a word."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({"x": random.normal(size=rows), "plan": random.choice(["a", "b"], rows)})


def of_few_values(rows: int, seed: int = 0, *, columns: int = 8, values: int = 40) -> pd.DataFrame:
    """Return rows of integers."""
    drawn = np.random.default_rng(seed).integers(0, values, size=(rows, columns))
    return pd.DataFrame(drawn, columns=[f"n{number}" for number in range(columns)])


def test_rows_that_were_learnt_are_known_again() -> None:
    """In another order, among others, with further columns."""
    old, new = table(100), table(100, seed=1)
    learnt = LearntRows.of(old, ["x", "plan"], None)

    seen = pd.concat([new, old.sample(frac=1, random_state=3)]).assign(id=range(200))

    assert learnt.contain(seen).tolist() == [False] * 100 + [True] * 100


def test_rows_without_a_column_that_was_learnt_are_not_known() -> None:
    """Nobody can tell."""
    learnt = LearntRows.of(table(100), ["x", "plan"], None)

    assert not learnt.contain(table(100).drop(columns="plan")).any()


def test_what_was_learnt_survives_being_stored() -> None:
    """As JSON beside the version."""
    until = datetime(2026, 11, 22, tzinfo=UTC)
    learnt = LearntRows.of(table(100), ["x", "plan"], until)

    again = LearntRows.from_wire(json.loads(json.dumps(learnt.to_wire())))

    assert again.until == until
    assert again.contain(table(100)).all()


def test_digests_of_another_version_are_not_read() -> None:
    """They are of other values; the time is what it was."""
    until = datetime(2026, 11, 22, tzinfo=UTC)
    document = LearntRows.of(table(100), ["x", "plan"], until).to_wire()
    del document["version"]  # as before versions

    again = LearntRows.from_wire(document)

    assert (again.until, again.are_known) == (until, False)
    assert not again.contain(table(100)).any()


@pytest.mark.parametrize("dtype", ["int64", "str"])
def test_rows_of_integers_or_words_are_known_again(dtype: Any) -> None:
    """Their combinations hardly meet by chance, however often each value does."""
    old, new = of_few_values(400).astype(dtype), of_few_values(400, seed=1).astype(dtype)
    learnt = LearntRows.of(old, list(old.columns), None)

    assert learnt.contain(pd.concat([new, old])).tolist() == [False] * 400 + [True] * 400


@pytest.mark.parametrize("values", [2, 3])
def test_new_rows_of_a_few_combinations_are_not_taken_for_learnt_ones(values: int) -> None:
    """Nearly each of them equals a row that was learnt, by chance."""
    old, new = (of_few_values(600, seed, columns=4, values=values) for seed in (0, 1))

    assert not LearntRows.of(old, list(old.columns), None).contain(new).any()
