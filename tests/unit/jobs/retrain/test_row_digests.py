import numpy as np
import pandas as pd

from selfheal_jobs.retrain.row_digests import digests, of_values


def test_a_row_has_one_digest_whatever_type_a_file_stores_it_in() -> None:
    """A gap elsewhere in the column turns integers into floats, and categories are words."""
    one = pd.DataFrame({"n": [1, 2], "w": ["a", None], "b": [True, False]})
    other = pd.DataFrame({"n": [1.0, 2.0], "w": pd.Series(["a", np.nan], dtype="category"), "b": [1, 0]})

    assert digests(one, ["n", "w", "b"]).tolist() == digests(other, ["n", "w", "b"]).tolist()


def test_without_a_column_a_digest_is_less_by_that_of_the_value() -> None:
    """So that rows that agree in all other columns are found."""
    rows = pd.DataFrame({"n": [1, 2, 2], "m": [2, 1, 2]})

    without = digests(rows, ["n", "m"]) - of_values(rows["n"], 0)

    assert (without[0] == without[2], without[0] == without[1]) == (True, False)


def test_the_same_values_in_other_columns_make_another_row() -> None:
    """A sum alone would not tell."""
    assert len(np.unique(digests(pd.DataFrame({"n": [1, 2], "m": [2, 1]}), ["n", "m"]))) == 2
