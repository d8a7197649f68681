"""Folders of table formats, whose Parquet files are no table without their log."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

TABLE = pd.DataFrame({"a": [1, 2]})
LOGS = {
    "Delta": ("_delta_log/00000000000000000000.json", "day=1/part-0.parquet"),
    "Hudi": (".hoodie/hoodie.properties", "day=1/part-0.parquet"),
    "Iceberg": ("metadata/00000-1f.metadata.json", "data/part-0.parquet"),
}


def place(uri: Any) -> Place:
    """Return the place of the current data."""
    return Place(source=DataSource(uri=str(uri)), field="spec.dataset.current.uri")


def put(folder: Path, log: str, data: str) -> None:
    """Write a table, and an empty log."""
    for path in (log, data):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / log).touch()
    TABLE.to_parquet(folder / data)


@pytest.mark.parametrize("address", ["lake/sales", "lake", "lake/*", "lake/s*s", "lake/sales/*/*.parquet"])
@pytest.mark.parametrize("table_format", LOGS)
def test_a_table_with_a_log_is_refused(tmp_path: Path, table_format: str, address: str) -> None:
    """Deleted rows would come back: the message names the format, the log and the way out."""
    put(tmp_path / "lake" / "sales", *LOGS[table_format])

    with pytest.raises(DataError, match=f"sales is a table of {table_format}") as caught:
        open_table(place(tmp_path / address))

    assert caught.value.reason is Reason.DATA_UNREADABLE
    assert str(caught.value).startswith("spec.dataset.current.uri: ")
    assert "query it by SQL" in str(caught.value)


@pytest.mark.parametrize(
    ("beside", "data"),
    [
        ("metadata/columns.json", "data/part-0.parquet"),
        ("metadata/00000-1f.metadata.json", "part-0.parquet"),
        ("data/_delta_log.txt", "data/part-0.parquet"),
        ("other/_delta_log/0.json", "data/part-0.parquet"),
        (".hoodie_partition_metadata", "data/part-0.parquet"),
    ],
)
def test_other_files_beside_the_data_are_no_log(tmp_path: Path, beside: str, data: str) -> None:
    """A log is that of the folder it is in."""
    put(tmp_path, beside, data)

    pd.testing.assert_frame_equal(frame(open_table(place(tmp_path))), TABLE)


def test_a_glob_over_files_reads_beside_a_table_with_a_log(tmp_path: Path) -> None:
    """Only the files that match count."""
    put(tmp_path / "sales", *LOGS["Delta"])
    TABLE.to_parquet(tmp_path / "plain.parquet")

    pd.testing.assert_frame_equal(frame(open_table(place(tmp_path / "*.parquet"))), TABLE)
