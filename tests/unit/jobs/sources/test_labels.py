from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources import labels as module
from selfheal_jobs.sources.labels import LabelledTable, join_labels
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.sides import open_labelled_current, open_reference
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource
from support.builders.run_requests import run_request


def table(**columns: Any) -> ArrowTable:
    """Return a table."""
    return ArrowTable(pa.table(columns))


def joined(current: ArrowTable, labels: ArrowTable) -> LabelledTable:
    """Return the rows of current that have a label `y`, by `id`."""
    return join_labels(current, labels, key="id", target="y")


KEYS = st.lists(st.none() | st.integers(0, 6), max_size=20)


@given(keys=KEYS, labels=st.lists(st.tuples(st.none() | st.integers(0, 8), st.none() | st.integers(0, 3))))
def test_every_row_gets_the_last_label_of_its_key(keys: list[Any], labels: list[Any]) -> None:
    """As a dictionary would have it; rows keep their order, and nothing is lost from the counts."""
    current = table(id=pa.array(keys, pa.int64()), row=pa.array(range(len(keys)), pa.int64()))
    found = table(
        id=pa.array([key for key, _ in labels], pa.int64()), y=pa.array([y for _, y in labels], pa.int64())
    )
    usable = [(key, y) for key, y in labels if key is not None and y is not None]
    last = dict(usable)
    wanted = [(row, last[key]) for row, key in enumerate(keys) if key in last]
    if not wanted:
        with pytest.raises(DataError) as caught:
            joined(current, found)
        assert caught.value.reason is Reason.LABELS_NOT_AVAILABLE
        return

    result = joined(current, found)

    assert list(zip(result.column("row").to_pylist(), result.column("y").to_pylist(), strict=True)) == wanted
    assert result.num_rows == result.counts.labelled == len(wanted)
    assert result.counts.without_key == keys.count(None)
    matched = [key for key, _ in usable if key in keys]
    assert result.counts.duplicate_keys == len(matched) - len(set(matched))
    assert result.counts.unmatched_labels == len(usable) - len(matched)
    assert pa.Table.from_batches(result.batches(["y", "row"])).to_pydict() == {
        "y": [y for _, y in wanted],
        "row": [row for row, _ in wanted],
    }


def test_pieces_of_labels_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels are looked up piece by piece: the last one of all pieces counts."""
    monkeypatch.setattr(module, "_KEYS_AT_ONCE", 1)
    whole = pa.table({"id": [1, 2, 1], "y": ["old", "b", "new"]})
    labels = ArrowTable(
        pa.Table.from_batches([batch for n in range(3) for batch in whole.slice(n, 1).to_batches()])
    )

    assert joined(table(id=[1, 2, 3]), labels).column("y").to_pylist() == ["new", "b"]


def test_keys_of_two_types_meet_as_text() -> None:
    """A CSV beside a database: 7 and "7" are one key; 7.0 is where a gap made floats of integers."""
    assert joined(table(id=[7, 8]), table(id=["7"], y=[1])).column("y").to_pylist() == [1]
    assert joined(table(id=[7, 8]), table(id=[7.0], y=[1])).column("y").to_pylist() == [1]


NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
TIMES = {
    "naive": pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us")),
    "UTC": pa.array([NOON], pa.timestamp("ns", "UTC")),
    "zoned": pa.array([NOON], pa.timestamp("ms", "America/New_York")),
    "seconds": pa.array([NOON], pa.timestamp("s", "+05:30")),
}


@pytest.mark.parametrize("theirs", TIMES)
@pytest.mark.parametrize("ours", TIMES)
def test_times_are_joined_as_instants(ours: str, theirs: str) -> None:
    """Whatever their units and zones; without a zone they are UTC, and a date is its midnight."""
    result = joined(table(id=TIMES[ours]), table(id=TIMES[theirs], y=[1]))

    assert result.column("y").to_pylist() == [1]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_a_date_is_joined_as_its_midnight(kind: pa.DataType) -> None:
    """Among times; another hour of the day is another key."""
    midnight = NOON.replace(hour=0)
    result = joined(
        table(id=pa.array([NOON.date()], kind)),
        table(id=pa.array([midnight, NOON], pa.timestamp("us", "UTC")), y=[1, 2]),
    )

    assert result.column("y").to_pylist() == [1]


def test_nan_is_no_key() -> None:
    """As null is none: rows without a key do not share their label."""
    keys = pa.array([1.0, float("nan"), None])
    result = joined(table(id=keys, row=[0, 1, 2]), table(id=keys, y=[5, 6, 7]))

    assert result.column("row").to_pylist() == [0]
    assert (result.counts.without_key, result.counts.without_value) == (2, 2)


@pytest.mark.parametrize("word", ["NAN", "nan", "NaN", "NA", ""])
@pytest.mark.parametrize("labels", ["id,y\n1.5,5\n{},6\n", "id,y\n1.5,5\n{},6\nx7,8\n"])
def test_a_gap_among_the_numbers_of_a_csv_file_is_no_key(tmp_path: Path, word: str, labels: str) -> None:
    """However it is written, and whether the labels hold numbers or text."""
    (tmp_path / "current.csv").write_text(f"id,row\n1.5,0\n{word},1\n")
    (tmp_path / "labels.csv").write_text(labels.format(word))
    current, found = (
        open_table(Place(source=DataSource(uri=str(tmp_path / name)), field="spec"))
        for name in ("current.csv", "labels.csv")
    )

    result = join_labels(current, found, key="id", target="y")

    assert result.column("row").to_pylist() == [0]


def test_integers_with_and_without_a_sign_are_joined_exactly() -> None:
    """Beyond 63 bits too, where no type of integers holds those of both sides."""
    ours = pa.array([2**63 + 1, 7], pa.uint64())

    assert joined(table(id=ours), table(id=[-1, 7], y=[1, 2])).column("y").to_pylist() == [2]
    assert joined(table(id=[-1, 7]), table(id=ours, y=[1, 2])).column("y").to_pylist() == [2]


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (pa.array(["7"], pa.large_string()), pa.array([Decimal("7.00")]), ("text", "decimals")),
        (pa.array(["2026-11-28T12:00Z"]), TIMES["UTC"], ("text", "times")),
        (
            pa.array(["6f1f8a1e-0000-4000-8000-000000000000"]),
            pa.array([b"\xff" * 16], pa.binary(16)),
            ("text", "bytes"),
        ),
        (pa.array([[1]]), pa.array([[1]]), ("lists", "lists")),
        (pa.array([{"a": 1}]), pa.array([{"a": 1}]), ("structs", "structs")),
        (pa.array([[1]]), pa.array(["1"]), ("lists", "text")),
        (pa.array([1]), pa.array([True]), ("integers", "booleans")),
    ],
)
def test_keys_that_cannot_meet_are_told_with_their_types(
    ours: pa.Array, theirs: pa.Array, words: tuple[str, str]
) -> None:
    """On both sides, in words, and with the field: the data has to be written otherwise."""
    sides = ((ours, theirs, *words), (theirs, ours, *reversed(words)))
    for one, other, mine, its in sides:
        with pytest.raises(DataError) as caught:
            joined(table(id=one), table(id=other, y=[1]))

        assert "spec.dataset.labels.joinColumn" in str(caught.value)
        assert f"'id' is {mine} in the current data and {its} in the labels" in str(caught.value)


def test_a_label_in_the_data_itself_gives_way() -> None:
    """What was delivered later is what is true."""
    result = joined(table(id=[1, 2], y=[0, 0]), table(id=[2], y=[1]))

    assert result.schema.names == ["id", "y"]
    assert result.column("y").to_pylist() == [1]


@pytest.mark.parametrize(
    ("current", "labels", "said"),
    [
        ({"x": [1]}, {"id": [1], "y": [1]}, "no column 'id' in the current data"),
        ({"id": [1]}, {"x": [1], "y": [1]}, "no column 'id' in the labels"),
        ({"id": [1]}, {"id": [1]}, "no column 'y' in the labels"),
    ],
)
def test_a_missing_column_is_told_with_its_side(current: Any, labels: Any, said: str) -> None:
    """Key and label are both in the labels, the key in the current data too."""
    with pytest.raises(DataError, match=said) as caught:
        joined(table(**current), table(**labels))

    assert caught.value.reason is Reason.COLUMN_MISSING


@pytest.mark.parametrize("side", ["current", "labels"])
def test_keys_with_leading_zeros_are_text_if_either_side_is_text(tmp_path: Path, side: str) -> None:
    """A CSV file whose keys all look like numbers keeps what was written: 007 is not 7."""
    keys, other = ["007", "010"], {"current": "labels", "labels": "current"}[side]
    columns = {"current": {"id": keys, "x": [1, 2]}, "labels": {"id": keys, "y": [5, 6]}}
    pd.DataFrame(columns[side]).to_csv(tmp_path / f"{side}.csv", index=False)
    pd.DataFrame(columns[other]).to_parquet(tmp_path / f"{other}.parquet")

    found = labelled(tmp_path)

    assert (found.column("y").to_pylist(), found.counts.unmatched_labels) == ([5, 6], 0)


def test_keys_of_a_csv_file_keep_their_zeros_beside_one_that_is_a_word(tmp_path: Path) -> None:
    """The labels hold words, the current data so far digits only; both are CSV."""
    (tmp_path / "current.csv").write_text("id,x\n007,1\n7,2\n")
    (tmp_path / "labels.csv").write_text("id,y\n007,5\nA17,6\n")

    found = labelled(tmp_path)

    assert found.column("y").to_pylist() == [5]
    assert (found.counts.rows, found.counts.labelled, found.counts.unmatched_labels) == (2, 1, 1)


def test_digits_of_a_csv_file_meet_the_integers_of_a_parquet_file(tmp_path: Path) -> None:
    """Neither side is text: 007 is 7."""
    (tmp_path / "current.csv").write_text("id,x\n007,1\n8,2\n")
    pd.DataFrame({"id": [7, 8], "y": [5, 6]}).to_parquet(tmp_path / "labels.parquet")

    assert labelled(tmp_path).column("y").to_pylist() == [5, 6]


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (["a1"], ["b2"], "keys are such as 'a1' in the current data and 'b2' in the labels. Check"),
        (["007", "8"], ["7", "9"], "leading zeros and '.0', 1 of 2 keys looked at match. Check"),
        (["7 ", "A8"], ["a8", "x"], "1 of 2 keys looked at match. Check"),
    ],
)
def test_keys_that_do_not_meet_are_shown(ours: list[str], theirs: list[str], said: str) -> None:
    """One of each side, and whether they are the same but for how they are written."""
    with pytest.raises(DataError) as caught:
        joined(table(id=ours), table(id=theirs, y=[1] * len(theirs)))

    assert said in str(caught.value)


def test_text_that_no_number_is_written_as_is_told() -> None:
    """Without the zeros, which a number has not, no row has a label."""
    with pytest.raises(
        DataError, match="The keys are text in the labels only: 007 there is not the number 7"
    ):
        joined(table(id=[7]), table(id=["007"], y=[1]))


def test_long_keys_are_exact() -> None:
    """Two keys that one float64 stands for are two keys."""
    keys = [2**53, 2**53 + 1]

    assert joined(table(id=keys), table(id=keys, y=["a", "b"])).column("y").to_pylist() == ["a", "b"]
    decimals = pa.array(keys, pa.decimal128(20, 0))
    assert joined(table(id=keys), table(id=decimals, y=["a", "b"])).column("y").to_pylist() == ["a", "b"]


@pytest.mark.parametrize("digits", [10, 18, 19, 38])
def test_keys_that_are_decimals_of_any_length_meet_integers(digits: int) -> None:
    """A database's NUMERIC(10, 0) is an integer."""
    decimals = pa.array([5, 7], pa.decimal128(digits, 0))
    keys = pa.array([7, 2**63 - 1], pa.int64())

    assert joined(table(id=keys), table(id=decimals, y=["a", "b"])).column("y").to_pylist() == ["b"]


@pytest.mark.parametrize("rounded", [0, 1])
def test_long_keys_that_one_side_has_rounded_are_an_error(rounded: int) -> None:
    """A gap made floats of them: none of them may be the row's own."""
    keys: list[Any] = [[2**53 + 1, 5], [2.0**53, 5.0]]

    with pytest.raises(DataError, match=r"the keys in 'id' are integers beyond 2\*\*53") as caught:
        joined(table(id=keys[rounded]), table(id=keys[1 - rounded], y=[1, 2]))

    assert caught.value.reason is Reason.DATA_UNREADABLE


def test_a_whole_number_with_a_point_is_the_key_that_text_has() -> None:
    """A gap makes 7.0 of 7 in Parquet; the other side is text."""
    assert joined(table(id=["7", "8"]), table(id=[7.0, None], y=[1, 2])).column("y").to_pylist() == [1]


def test_what_is_not_joined_is_told_with_numbers() -> None:
    """Of rows and of labels; nothing is said where every row has its label."""
    partly = joined(table(id=[1, 2, None, 4]), table(id=[1, 1, 9, None], y=[1, 2, 3, 4])).counts
    wholly = joined(table(id=[1]), table(id=[1], y=[1])).counts

    assert list(partly.left_out()) == [
        (
            "1 of 4 rows have a label (25.0%), 1 labels match no row, 1 rows have no key, "
            "1 labels are replaced by a later one, 1 rows of the labels have no key or no value"
        )
    ]
    assert list(wholly.left_out()) == []


def labelled(folder: Path) -> LabelledTable:
    """Open both sides as a retraining does."""
    (folder / "reference.csv").write_text("x,y\n1,0\n")
    uris = {each.stem: str(each) for each in folder.iterdir()}
    dataset = {
        "reference": {"uri": str(folder / "reference.csv")},
        "current": {"uri": uris["current"]},
        "labels": {"uri": uris["labels"], "joinColumn": "id"},
    }
    request = run_request(dataset=dataset, target="y")
    return open_labelled_current(request, open_reference(request))
