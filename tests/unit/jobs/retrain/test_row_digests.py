import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from selfheal_jobs.retrain.row_digests import LearntRows, digests, tells_copies


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows of a number and a word."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({"x": random.normal(size=rows), "plan": random.choice(["a", "b"], rows)})


def test_a_row_has_one_digest_whatever_type_a_file_stores_it_in() -> None:
    """A gap elsewhere in the column turns integers into floats, and categories are words."""
    one = pd.DataFrame({"n": [1, 2], "w": ["a", None], "b": [True, False]})
    other = pd.DataFrame({"n": [1.0, 2.0], "w": pd.Series(["a", np.nan], dtype="category"), "b": [1, 0]})

    assert digests(one, ["n", "w", "b"]).tolist() == digests(other, ["n", "w", "b"]).tolist()


def test_rows_of_numbers_that_are_equal_are_copies() -> None:
    """Two of them hardly meet by chance."""
    rows = table(200)

    assert tells_copies(pd.concat([rows] * 4), ["x", "plan"])


def test_rows_of_a_few_categories_meet_by_chance() -> None:
    """Each is a row of its own: there would be hardly any row left."""
    rows = pd.DataFrame({"plan": ["a", "b"] * 100, "floor": [1, 2, 3, 4] * 50})

    assert not tells_copies(rows, ["plan", "floor"])
    assert not LearntRows.of(rows, ["plan", "floor"], None).contain(rows).any()


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
