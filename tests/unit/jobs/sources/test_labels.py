from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources import labels as module
from selfheal_jobs.sources.labels import LabelledTable, join_labels
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.reasons import Reason


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
