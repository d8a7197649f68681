from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.learnt_rows import LearntRows
from selfheal_jobs.retrain.splitting import Layout, Split, split
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.v1alpha1.retraining import Retraining

CLASSIFICATION, REGRESSION = Task.CLASSIFICATION, Task.REGRESSION


def table(rows: int, label: Any = None, start: Any = 0) -> Any:
    """Return rows that can be told apart by `id`, with a number of its own in each."""
    numbers = np.random.default_rng([rows, start]).normal(size=rows)
    return pd.DataFrame(
        {
            "id": range(start, start + rows),
            "x": numbers,
            "label": [0, 1] * (rows // 2) if label is None else label,
        }
    )


def divided(
    current: Any,
    reference: Any = None,
    *,
    task: Task = CLASSIFICATION,
    learnt: LearntRows | None = None,
    timestamp: str | None = None,
    key: str | None = None,
    **rules: Any,
) -> Split:
    """Return the split of two tables."""
    layout = Layout(target="label", task=task, features=("x",), timestamp=timestamp, key=key)
    rules = {"training_data": "Current"} | rules
    return split(current if reference is None else reference, current, layout, Retraining(**rules), learnt)


def refused(current: Any, **more: Any) -> Any:
    """Return why there is no split."""
    with pytest.raises(DataError) as caught:
        divided(current, **more)
    return caught.value


def learnt_of(rows: Any, until: datetime | None = None) -> LearntRows:
    """Return what a champion has learnt from rows."""
    return LearntRows.of(rows, ("x", "label"), until)


@pytest.mark.parametrize("data", ["Auto", "Current", "ReferenceAndCurrent"])
def test_a_reference_without_a_target_adds_no_row(data: str) -> None:
    """Its part has the columns of the others all the same: digests of rows are taken of each part."""
    parts = divided(table(100), table(100, start=100).drop(columns="label"), training_data=data)

    assert parts.reference.empty
    assert list(parts.reference.columns) == list(parts.train.columns)


# --- without times ------------------------------------------------------------------------------------------


def test_no_row_is_both_learnt_from_and_held_out() -> None:
    """And none is lost."""
    parts = divided(table(200))

    assert sorted([*parts.train["id"], *parts.test["id"]]) == list(range(200))
    assert len(parts.test) == 40


def test_the_seed_makes_the_split_repeatable() -> None:
    """The same seed holds out the same rows; another one does not."""
    first, again, other = (divided(table(200), random_seed=seed).test["id"].tolist() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_classes_keep_their_shares() -> None:
    """One row in ten is rare on both sides."""
    parts = divided(table(200, [1] * 20 + [0] * 180))

    assert (parts.test["label"].sum(), parts.train["label"].sum()) == (4, 16)


def test_a_class_of_one_row_leaves_the_others_their_shares() -> None:
    """It is learnt, and named."""
    labels = np.repeat(["often", "sometimes", "seldom", "once"], [260, 130, 9, 1])

    parts = divided(table(400, labels))

    assert parts.test["label"].value_counts().to_dict() == {"often": 52, "sometimes": 26, "seldom": 2}
    assert parts.missing_classes == ("once",)


def test_a_class_of_two_rows_has_one_on_each_side() -> None:
    """A class that nobody is asked about is nobody's strength."""
    parts = divided(table(202, ["a", "b"] * 100 + ["rare"] * 2))

    assert (parts.test["label"] == "rare").sum() == 1
    assert (parts.train["label"] == "rare").sum() == 1


def test_copies_of_a_row_are_on_one_side() -> None:
    """Rows that were delivered four times are known by heart; they are counted."""
    parts = divided(pd.concat([table(100)] * 4))

    assert not set(parts.train["id"]) & set(parts.test["id"])
    assert parts.copies == 300
    assert len(parts.test) == 80


@pytest.mark.parametrize("deliveries", [2, 3, 20])
@pytest.mark.parametrize("dtype", ["float64", "int64", "str"])
def test_copies_are_told_by_all_columns(dtype: Any, deliveries: int) -> None:
    """Integers and words repeat themselves in each column; their combinations do not."""
    drawn = np.random.default_rng(deliveries).integers(0, 20, size=(60, 6))
    rows = pd.DataFrame(drawn, columns=list("abcdef")).astype(dtype).assign(id=range(60), label=[0, 1] * 30)
    layout = Layout(target="label", task=CLASSIFICATION, features=tuple("abcdef"))
    current = pd.concat([rows] * deliveries)

    parts = split(rows[:0], current, layout, Retraining(training_data="Current"))

    assert not set(parts.train["id"]) & set(parts.test["id"])
    assert parts.copies == 60 * (deliveries - 1)
    assert parts.test["id"].nunique() >= 20


def test_copies_of_too_few_rows_are_too_few_rows() -> None:
    """However often they were delivered."""
    rows = pd.concat([table(38)] * 10)
    layout = Layout(target="label", task=CLASSIFICATION, features=("x", "id"))

    with pytest.raises(DataError, match="380 labelled rows are copies of 38 rows") as caught:
        split(rows[:0], rows, layout, Retraining(training_data="Current"))

    assert caught.value.reason is Reason.TOO_FEW_ROWS


def test_a_row_that_is_half_of_all_rows_is_not_held_out() -> None:
    """A default that is delivered again and again would be the whole examination."""
    rows = table(300)

    parts = divided(pd.concat([rows, *[rows[:1]] * 300]))

    assert parts.test["id"].nunique() > 20
    assert 0 not in set(parts.test["id"])


def test_equal_rows_of_a_few_categories_are_no_copies() -> None:
    """There would be nothing left to divide."""
    rows = table(400).assign(x=[1, 1, 2, 2] * 100)

    parts = divided(rows)

    assert (parts.copies, len(parts.test)) == (0, 80)
    assert parts.equal_by_chance


def test_rows_of_one_key_are_on_one_side() -> None:
    """Also where they are linked by copies of rows."""
    rows = table(400).assign(customer=np.arange(400) // 4)

    parts = divided(rows, key="customer")

    assert not set(parts.train["customer"]) & set(parts.test["customer"])
    assert parts.test_together is not None
    assert len(set(parts.test_together)) == parts.test["customer"].nunique()


@pytest.mark.parametrize(
    ("data", "train", "reference", "test"),
    [
        ("Current", {"current"}, {"reference"}, {"current"}),
        ("Auto", {"current"}, {"reference"}, {"current"}),
        ("Reference", {"reference"}, set(), {"reference"}),
        ("ReferenceAndCurrent", {"current"}, {"reference"}, {"current"}),
    ],
)
def test_held_out_rows_are_current_ones(
    data: str, train: set[str], reference: set[str], test: set[str]
) -> None:
    """Except where only the reference is used; its rows stay apart, whoever learns from them."""
    parts = divided(table(60, start=1000), table(40), training_data=data)

    origin = {True: "current", False: "reference"}
    found = [
        {origin[row >= 1000] for row in side["id"]} for side in (parts.train, parts.reference, parts.test)
    ]
    assert found == [train, reference, test]


def test_rows_of_the_reference_that_are_in_the_current_data_count_once() -> None:
    """A table that grows contains the reference: a copy of a held-out row would be learnt."""
    reference = table(200)
    current = pd.concat([reference[:150], table(40, start=1000)], ignore_index=True)

    parts = divided(current, reference, training_data="ReferenceAndCurrent")

    assert sorted(parts.reference["id"]) == list(range(150, 200))
    assert parts.reference_copies == 150


@pytest.mark.parametrize("values", [2, 40])
def test_rows_that_are_given_as_reference_and_as_current_data_count_once(values: int) -> None:
    """Whatever their columns hold."""
    numbers = np.random.default_rng(0).integers(0, values, 400)
    rows = table(400).assign(x=numbers)

    parts = divided(rows, rows.sample(frac=1, random_state=1))

    assert (len(parts.reference), parts.reference_copies) == (0, 400)


def test_the_reference_may_spell_its_labels_otherwise() -> None:
    """'True' and True are one class."""
    reference = table(100, ["True", "False"] * 50)

    parts = divided(table(200, [True, False] * 100), reference)

    assert parts.reference["label"].dtype == bool
    assert len(parts.reference) == 100


# --- rows that the champion has learnt ----------------------------------------------------------------------


def test_rows_that_the_champion_has_learnt_are_not_held_out() -> None:
    """Half of the others are: the candidates have to learn what is new."""
    old, new = table(300), table(100, start=1000)

    parts = divided(pd.concat([old, new], ignore_index=True), learnt=learnt_of(old))

    assert (parts.test["id"] >= 1000).all()
    assert len(parts.test) == 50
    assert parts.already_learnt == 300


@pytest.mark.parametrize(("new", "held_out"), [(20, 20), (30, 20), (60, 30)])
def test_twenty_new_rows_are_the_least(new: int, held_out: int) -> None:
    """All of them, if there are no more."""
    old = table(300)

    parts = divided(pd.concat([old, table(new, start=1000)], ignore_index=True), learnt=learnt_of(old))

    assert len(parts.test) == held_out


def test_copies_of_a_few_new_rows_are_a_few_new_rows() -> None:
    """Each counts once."""
    old = table(300)
    current = pd.concat([old, *[table(18, start=1000)] * 3], ignore_index=True)

    error = refused(current, learnt=learnt_of(old))

    assert error.reason is Reason.TOO_FEW_NEW_ROWS
    assert "18 of 354 labelled rows are new" in str(error)


def test_with_fewer_new_rows_nothing_can_be_compared() -> None:
    """The message says how many there are, and how many are needed."""
    old = table(300)
    current = pd.concat([old, table(18, start=1000)], ignore_index=True)

    error = refused(current, learnt=learnt_of(old))

    assert error.reason is Reason.TOO_FEW_NEW_ROWS
    assert "18 of 318 labelled rows are new to the present version, and 20 are needed" in str(error)


# --- with times ---------------------------------------------------------------------------------------------


def timed(rows: int) -> Any:
    """Return rows of one hour each, in any order."""
    made = table(rows).assign(at=pd.Timestamp("2026-01-01") + pd.to_timedelta(range(rows), unit="h"))
    return made.sample(frac=1, random_state=5)


def test_with_times_the_newest_rows_are_held_out() -> None:
    """The others are learnt from in the order of time."""
    parts = divided(timed(200), timestamp="at")

    assert sorted(parts.test["id"]) == list(range(160, 200))
    assert parts.train["id"].tolist() == list(range(160))
    assert parts.until == datetime(2026, 1, 9, 7, tzinfo=UTC)


def test_rows_of_one_time_are_drawn_by_chance() -> None:
    """A file may sort the rows of a day by their label."""
    rows = table(200, [0] * 100 + [1] * 100).assign(at="2026-01-01")

    assert set(divided(rows, timestamp="at").test["label"]) == {0, 1}


def test_held_out_rows_are_newer_than_what_the_champion_has_learnt() -> None:
    """And the older half of the new rows is learnt from."""
    until = datetime(2026, 1, 5, 3, tzinfo=UTC)

    parts = divided(timed(200), timestamp="at", learnt=learnt_of(table(2), until), test_fraction=0.9)

    assert sorted(parts.test["id"]) == list(range(150, 200))
    assert parts.already_learnt == 100


def test_to_compare_with_a_champion_more_of_the_newest_rows_are_held_out() -> None:
    """As many as a comparison needs, or half: the version learns them afterwards."""
    until = datetime(2025, 1, 1, tzinfo=UTC)

    sizes = [
        len(divided(timed(rows), timestamp="at", learnt=learnt_of(table(2), until)).test)
        for rows in (100, 600, 1_000, 3_000)
    ]

    assert sizes == [50, 300, 400, 600]


def test_of_copies_the_newest_is_held_out() -> None:
    """And the others are neither examined nor learnt from."""
    rows = timed(200)
    again = rows.assign(at=rows["at"] + pd.Timedelta(minutes=5))

    parts = divided(pd.concat([rows, again]), timestamp="at")

    assert not set(parts.train["id"]) & set(parts.test["id"])
    assert len(parts.test) == parts.test["id"].nunique() == 80
    assert parts.train_groups is not None


def test_neighbours_in_time_are_resampled_together() -> None:
    """Blocks of the cube root of their number."""
    parts = divided(timed(1000), timestamp="at")

    assert parts.test_together is not None
    assert np.bincount(parts.test_together).tolist() == [6] * 33 + [2]


def test_a_row_without_a_readable_time_is_learnt_from() -> None:
    """As if it were the oldest."""
    rows = timed(200).astype({"at": str})
    rows.loc[rows["id"] == 199, "at"] = "yesterday"

    parts = divided(rows, timestamp="at")

    assert parts.train["id"].iloc[:2].isin([0, 199]).all()
    assert parts.unreadable_times == 1


SLOT = datetime(2026, 2, 1, tzinfo=UTC)


def divided_at_the_slot(rows: Any, learnt: LearntRows | None = None) -> Split:
    """Return the split of rows that are not from the future."""
    layout = Layout(target="label", task=CLASSIFICATION, features=("x",), timestamp="at", latest=SLOT)
    return split(rows[:0], rows, layout, Retraining(training_data="Current"), learnt)


def test_a_row_from_the_future_is_of_unknown_age() -> None:
    """One in 2199 would make every later row an old one."""
    rows = timed(200)
    rows.loc[rows["id"] == 50, "at"] = pd.Timestamp("2199-12-31")

    parts = divided_at_the_slot(rows)

    assert parts.until == datetime(2026, 1, 9, 7, tzinfo=UTC)
    assert 50 in set(parts.train["id"])
    assert parts.future_times == 1


def test_rows_that_are_all_from_the_future_have_no_order() -> None:
    """The column holds plans, or another unit."""
    parts = divided_at_the_slot(timed(200).assign(at=pd.Timestamp("2027-01-01")))

    assert (parts.until, parts.train_times, parts.future_times) == (None, None, 200)


def test_a_version_that_has_learnt_the_future_is_not_believed() -> None:
    """The digests still tell what it has learnt."""
    rows = timed(200)
    learnt = learnt_of(rows[rows["id"] < 100], datetime(2199, 12, 31, tzinfo=UTC))

    parts = divided_at_the_slot(rows, learnt)

    assert parts.already_learnt == 100
    assert sorted(parts.test["id"]) == list(range(150, 200))


# --- targets ------------------------------------------------------------------------------------------------


def test_rows_without_a_target_are_dropped_and_counted() -> None:
    """And labels that a gap had turned into floats are integers again."""
    parts = divided(table(80, [0.0, 1.0, np.nan, 1.0] * 20))

    assert parts.dropped == 20
    assert parts.train["label"].dtype == "int64"


def test_infinite_targets_count_as_missing() -> None:
    """No error of scikit-learn's, and no model that predicts infinity."""
    assert divided(table(80, [0.5, 1.5, np.inf, 2.5] * 20), task=REGRESSION).dropped == 20


@pytest.mark.parametrize(("rows", "enough"), [(39, False), (40, True)])
def test_forty_labelled_rows_are_the_least(rows: int, *, enough: bool) -> None:
    """Half of them is held out. The rows without a label do not count."""
    current = table(80, [0, 1] * (rows // 2) + [0] * (rows % 2) + [None] * (80 - rows))

    if enough:
        assert len(divided(current).test) == 20
    else:
        error = refused(current)
        assert error.reason is Reason.TOO_FEW_ROWS
        assert "Only 39 rows" in str(error)


@pytest.mark.parametrize(
    ("case", "labels", "task", "reason", "said"),
    [
        ("all null", [None] * 40, CLASSIFICATION, Reason.TARGET_UNUSABLE, "has no values"),
        ("words", ["a", "b"] * 20, REGRESSION, Reason.TARGET_UNUSABLE, "holds text"),
        ("booleans", [True, False] * 20, REGRESSION, Reason.TARGET_UNUSABLE, "holds booleans"),
        ("lists", [[1], [2]] * 20, CLASSIFICATION, Reason.TARGET_UNUSABLE, "another type"),
    ],
)
def test_a_target_of_no_use_is_named_with_the_remedy(
    case: str, labels: Any, task: Task, reason: Any, said: str
) -> None:
    """The sentence says what to change."""
    error = refused(table(40, labels), task=task)

    assert error.reason is reason, case
    assert said in str(error), case
    assert "'label'" in str(error), case


def test_a_missing_target_is_a_missing_column() -> None:
    """Labels often come later than the rows."""
    assert refused(table(40).drop(columns="label")).reason is Reason.COLUMN_MISSING
