"""Folders whose files hold one column in several types: exact, or an error that names column and file."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_jobs.tables.content import content
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

LONG = 2**53 + 1
SLOT = datetime(2026, 11, 23, tzinfo=UTC)


def counted(folder: Path, **asked: Any) -> dict[Any, int]:
    """Return the values of the column x, and how often each is there."""
    place = Place(source=DataSource(uri=str(folder)), field="spec.dataset.current.uri")
    return dict(content(open_table(place, Asked(**asked)), "x").value_counts())


def parts(folder: Path, *columns: pa.Array) -> None:
    """Write one Parquet file for each of the columns."""
    for number, column in enumerate(columns):
        table = pa.table({"x": column, "at": [SLOT] * len(column)})
        pq.write_table(table, folder / f"part-{number}.parquet")


SHORT_AND_LONG = {
    "int32": pa.array([5], pa.int32()),
    "int64": pa.array([LONG], pa.int64()),
    "int64 with a gap": pa.array([LONG, None], pa.int64()),
    "uint64": pa.array([LONG], pa.uint64()),
    "decimal": pa.array([Decimal(LONG)], pa.decimal128(20, 0)),
    "decimal of 16 digits": pa.array([Decimal(LONG)], pa.decimal128(16, 0)),
    "the longest decimal": pa.array([Decimal(LONG)], pa.decimal128(38, 0)),
}
WAYS = [
    {},
    {"categorical": frozenset({"x"})},
    {"span": TimeSpan("at", SLOT - timedelta(days=1), SLOT)},
]
"""Read in place, as categories, and from a spool."""


@pytest.mark.parametrize("asked", WAYS)
@pytest.mark.parametrize("other", SHORT_AND_LONG)
@pytest.mark.parametrize("one", SHORT_AND_LONG)
def test_integers_of_several_types_are_exact(
    tmp_path: Path, one: str, other: str, asked: dict[str, Any]
) -> None:
    """Whichever file comes first."""
    parts(tmp_path, SHORT_AND_LONG[one], SHORT_AND_LONG[other])

    expected = [5 if each == "int32" else LONG for each in (one, other)]
    assert counted(tmp_path, **asked) == {value: expected.count(value) for value in expected}


@pytest.mark.parametrize("asked", WAYS)
@pytest.mark.parametrize(
    ("kind", "number"),
    [(pa.int64(), 2**63 - 1), (pa.int64(), -(2**63)), (pa.uint64(), 2**63 - 1), (pa.int32(), 2**31 - 1)],
)
@pytest.mark.parametrize("narrow", [pa.decimal32(9, 0), pa.decimal128(10, 0), pa.decimal128(18, 0)])
def test_integers_beside_shorter_decimals_are_exact(
    tmp_path: Path, narrow: pa.DataType, kind: pa.DataType, number: int, asked: dict[str, Any]
) -> None:
    """The greatest integers of a type need one digit more than the decimals have."""
    parts(tmp_path, pa.array([Decimal(5)], narrow), pa.array([number], kind))

    assert counted(tmp_path, **asked) == {5: 1, number: 1}


@pytest.mark.parametrize("asked", WAYS)
@pytest.mark.parametrize("one", ["int64", "uint64", "decimal"])
@pytest.mark.parametrize("first", [0, 1])
def test_long_integers_beside_floats_are_an_error(
    tmp_path: Path, one: str, first: int, asked: dict[str, Any]
) -> None:
    """The message names the column and the file that holds them."""
    columns = [SHORT_AND_LONG[one], pa.array([0.5])]
    parts(tmp_path, columns[first], columns[1 - first])

    with pytest.raises(DataError, match=rf"part-{first}.parquet: the column 'x' has values") as caught:
        counted(tmp_path, **asked)

    assert caught.value.reason is Reason.DATA_UNREADABLE


def test_short_integers_beside_floats_are_floats(tmp_path: Path) -> None:
    """A gap has made floats of some of them."""
    parts(tmp_path, pa.array([2**53], pa.int64()), pa.array([2.0, None]))

    assert counted(tmp_path) == {2.0**53: 1, 2.0: 1}


def test_unsigned_integers_that_no_common_type_holds_are_an_error(tmp_path: Path) -> None:
    """Beside signed ones they would have to be signed."""
    parts(tmp_path, pa.array([-1], pa.int64()), pa.array([2**63], pa.uint64()))

    with pytest.raises(DataError, match=r"part-1.parquet: the column 'x' has values"):
        counted(tmp_path)


def test_digits_that_parquet_declares_text_stay_text_beside_csv(tmp_path: Path) -> None:
    """007 and 7 are two words."""
    parts(tmp_path, pa.array(["007"]))
    (tmp_path / "more.csv").write_text("x,at\n7,2026-11-22\n")

    assert counted(tmp_path) == {"007": 1, "7": 1}


def test_long_integers_of_csv_files_are_exact(tmp_path: Path) -> None:
    """With gaps, and in several files."""
    (tmp_path / "a.csv").write_text(f"x,y\n{LONG},\n,1\n")
    (tmp_path / "b.csv").write_text(f"x,y\n{LONG - 1},2\nNA,1\n")

    assert counted(tmp_path) == {LONG: 1, LONG - 1: 1}


def test_long_integers_of_csv_files_beside_fractions_are_an_error(tmp_path: Path) -> None:
    """As pandas writes them once there was a gap."""
    (tmp_path / "a.csv").write_text(f"x,y\n{LONG},1\n")
    (tmp_path / "b.csv").write_text("x,y\n1.2033e+17,2\n")

    with pytest.raises(DataError, match="the column 'x' has values that the common type") as caught:
        counted(tmp_path)

    assert caught.value.reason is Reason.DATA_UNREADABLE


@pytest.mark.parametrize("header", ["x;y", "x\ty", "x|y", '"x";"y"', "sep=;"])
def test_another_separator_is_told_with_the_header(tmp_path: Path, header: str) -> None:
    """Nothing is read by guesswork; a byte order mark does not matter."""
    (tmp_path / "a.csv").write_text(f"\ufeff{header}\n1;2\n")

    with pytest.raises(DataError, match=r"its header reads .* must be separated by commas"):
        counted(tmp_path)


def test_rows_of_a_partition_without_a_time_are_counted(tmp_path: Path) -> None:
    """A partition that cannot be read as a time is not silently outside the window."""
    for name in ("day=2026-11-22", "day=unknown"):
        (tmp_path / name).mkdir()
        parts(tmp_path / name, pa.array([1, 2]))
    place = Place(source=DataSource(uri=str(tmp_path)), field="spec.dataset.current.uri")

    found = open_table(place, Asked(span=TimeSpan("day", SLOT - timedelta(days=2), SLOT)))

    assert (found.rows.kept, found.rows.without_timestamp) == (2, 2)
