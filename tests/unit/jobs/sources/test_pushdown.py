"""What a window leaves out is not read: it could not be."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

SLOT = datetime(2026, 11, 23, 6, tzinfo=UTC)
SPAN = TimeSpan("ts", SLOT - timedelta(hours=1), SLOT)


def opened(path: Path, span: TimeSpan = SPAN) -> SourceTable:
    """Return the table at a path."""
    place = Place(source=DataSource(uri=str(path)), field="spec.dataset.current.uri")
    return open_table(place, Asked(span=span))


def break_row_group(path: Path, number: int) -> None:
    """Overwrite the pages of a row group; the footer, with its statistics, stays."""
    group = pq.read_metadata(path).row_group(number)
    with path.open("r+b") as content:
        for index in range(group.num_columns):
            content.seek(group.column(index).data_page_offset)
            content.write(b"\xff" * 32)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_row_groups_outside_are_told_by_their_statistics(tmp_path: Path, unit: str, zone: Any) -> None:
    """Their rows without a timestamp are counted from the footer."""
    minutes = [-90, None, -60, -59, None, 0, 1, 2, None]
    times = [None if m is None else SLOT + timedelta(minutes=m) for m in minutes]
    table = pa.table({"m": pa.array(minutes, pa.float64()), "ts": pa.array(times, pa.timestamp(unit, zone))})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, row_group_size=3, compression="none", use_dictionary=False)
    break_row_group(path, 0)
    break_row_group(path, 2)

    found = opened(path)

    assert found.column("m").to_pylist() == [-59.0, 0.0]
    assert found.rows.without_timestamp == 3


def test_a_row_group_without_statistics_is_read(tmp_path: Path) -> None:
    """Nothing is left out for lack of knowledge."""
    table = pa.table({"ts": pa.array([SLOT, SLOT + timedelta(hours=1)], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1, write_statistics=False)

    assert opened(tmp_path / "t.parquet").num_rows == 1


def test_a_column_of_lists_holds_no_timestamps(tmp_path: Path) -> None:
    """In a Parquet file it has another name than in the table."""
    pq.write_table(pa.table({"ts": [[1], [2]]}), tmp_path / "t.parquet")

    assert opened(tmp_path / "t.parquet").rows.without_timestamp == 2


def test_a_partition_outside_is_left_alone(tmp_path: Path) -> None:
    """A folder named for the timestamp's column says enough."""
    for day in ("2026-11-21", "2026-11-22", "2026-11-23"):
        (tmp_path / f"day={day}").mkdir()
        path = tmp_path / f"day={day}" / "t.parquet"
        pq.write_table(pa.table({"n": [1.0, 2.0]}), path, compression="none", use_dictionary=False)
    break_row_group(tmp_path / "day=2026-11-21" / "t.parquet", 0)

    found = opened(tmp_path, TimeSpan("day", SLOT - timedelta(days=2), SLOT))

    assert found.column("day").to_pylist() == ["2026-11-22"] * 2 + ["2026-11-23"] * 2


def test_partitions_have_a_type_and_gaps(tmp_path: Path) -> None:
    """Whole numbers are numbers, Hive's default partition is a gap, and escaped names are themselves."""
    for folder in ("year=2025", "year=__HIVE_DEFAULT_PARTITION__"):
        for inner in ("a%20b=x%2Fy",):
            (tmp_path / folder / inner).mkdir(parents=True)
            pd.DataFrame({"n": [1]}).to_parquet(tmp_path / folder / inner / "t.parquet")

    place = Place(source=DataSource(uri=str(tmp_path)), field="f")
    found = open_table(place)

    assert found.column("year").to_pylist() == [2025, None]
    assert found.column("a b").to_pylist() == ["x/y"] * 2


def test_a_window_without_its_column_is_told(tmp_path: Path) -> None:
    """All rows or none would both be wrong."""
    pd.DataFrame({"n": [1]}).to_parquet(tmp_path / "t.parquet")

    with pytest.raises(DataError, match="no column 'ts'") as caught:
        opened(tmp_path / "t.parquet")

    assert caught.value.reason is Reason.COLUMN_MISSING
