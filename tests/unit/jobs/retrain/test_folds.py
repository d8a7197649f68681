import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.retrain.folds import folds
from selfheal_operator.api.reasons import Task
from support.builders.training_sets import quantity, training_set, two_classes


def test_every_row_is_scored_once() -> None:
    """Without times, the test parts are a partition of the rows."""
    tested = np.concatenate([fold.test for fold in folds(training_set(two_classes()))])

    assert sorted(tested) == list(range(200))


def test_each_fold_has_the_classes_in_their_shares() -> None:
    """A class of a tenth of the rows is in every test part."""
    table = two_classes()
    table["label"] = np.where(np.arange(200) % 10 == 0, "seldom", "often")

    for fold in folds(training_set(table)):
        assert (table["label"].iloc[fold.test] == "seldom").sum() == 4


def test_a_class_of_one_row_does_not_end_the_cross_validation() -> None:
    """It is in one test part, and learnt in the others."""
    table = two_classes()
    table.loc[7, "label"] = "once"

    assert len(folds(training_set(table))) == 5


def test_with_times_a_fold_learns_the_past_alone() -> None:
    """Rows of one moment are not on both sides."""
    times = np.repeat(np.arange(100), 2).astype("datetime64[D]").astype("datetime64[ns]")

    found = folds(training_set(quantity(), Task.REGRESSION, times=times))

    assert len(found) == 5
    for fold in found:
        assert times[fold.train].max() < times[fold.test].min()


def test_rows_of_the_reference_are_learnt_in_every_fold_and_never_scored() -> None:
    """New rows will be like the current data."""
    reference = np.arange(200) < 80

    for fold in folds(training_set(two_classes(), reference=reference)):
        assert reference[fold.train].sum() == 80
        assert not reference[fold.test].any()


@given(st.lists(st.integers(0, 30), min_size=20, max_size=80), st.sampled_from(list(Task)))
def test_rows_of_one_group_are_on_one_side(codes: list[int], task: Task) -> None:
    """Equal rows on both sides would be learnt by heart."""
    groups = np.array(codes)
    table = two_classes(len(groups)) if task is Task.CLASSIFICATION else quantity(len(groups))

    for fold in folds(training_set(table, task, groups=groups)):
        assert not set(groups[fold.train]) & set(groups[fold.test])


@given(st.integers(0, 12), st.sampled_from(list(Task)))
def test_few_rows_make_few_folds_or_none(rows: int, task: Task) -> None:
    """Never an error: the candidates are said to have too few rows."""
    table = two_classes(40) if task is Task.CLASSIFICATION else quantity(40)

    for fold in folds(training_set(table, task).taken(np.arange(rows))):
        assert isinstance(pd.Series(fold.test), pd.Series)
        assert len(fold.train) > 0
