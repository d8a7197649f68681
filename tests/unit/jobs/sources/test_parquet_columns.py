"""Columns that are read whole, against what Arrow itself reads."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_jobs.tables.content import content
from selfheal_operator.api.v1alpha1.dataset import DataSource

SCRIPT = """
import sys
from selfheal_jobs.check import run
from selfheal_jobs.tables.content import content
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.v1alpha1.dataset import DataSource

table = open_table(Place(source=DataSource(uri=sys.argv[1]), field="f"))
print([content(table, name).holds.value for name in table.schema.names], "pyarrow.compute" in sys.modules)
"""


def random_table(rows: int) -> pa.Table:
    """Return numbers and words, some of them missing."""
    random = np.random.default_rng(rows)
    gaps = random.random(rows) < 0.1
    words = np.array(["red", "green", "blue"])[random.integers(0, 3, rows)]
    return pa.table(
        {
            "whole": pa.array(random.integers(0, 9, rows), pa.int32()),
            "number": pa.array(random.normal(size=rows), mask=gaps),
            "small": pa.array(random.normal(size=rows).astype(np.float32)),
            "few words": pa.array(words, pa.large_string(), mask=gaps),
            "many words": pa.array([f"word {number}" for number in random.integers(0, rows, rows)]),
            "flag": pa.array(random.random(rows) < 0.5, mask=gaps),
            "coded": pa.array(words).dictionary_encode(),
        }
    )


@pytest.mark.parametrize(
    ("case", "files", "options"),
    [
        ("in one piece", 1, {}),
        ("in many row groups", 1, {"row_group_size": 700}),
        ("in words that are too many for a dictionary", 1, {"dictionary_pagesize_limit": 1000}),
        ("without a dictionary", 1, {"use_dictionary": False}),
        ("in some files", 3, {"row_group_size": 5000}),
        ("in more files than are kept open", 20, {"row_group_size": 100}),
    ],
)
def test_columns_hold_the_same_however_they_were_written(
    tmp_path: Path, case: str, files: int, options: dict[str, Any]
) -> None:
    """Numbers in the order of the rows, and how often each word occurs; the second time as well."""
    table = random_table(100_000)
    size = -(-table.num_rows // files)
    for number in range(files):
        path = tmp_path / f"{number:02}.parquet"
        pq.write_table(table.slice(number * size, size), path, **options)
    opened = open_table(Place(source=DataSource(uri=str(tmp_path)), field="f"))

    for name in table.schema.names * 2:
        found, values = content(opened, name), table.column(name).drop_null()
        if found.numbers is not None:
            assert found.numbers.tolist() == values.to_pylist(), (case, name)
        else:
            counted = values.cast(values.type.value_type) if name == "coded" else values
            assert found.counts == {
                each["values"]: each["counts"] for each in counted.value_counts().to_pylist()
            }


def test_a_column_in_one_piece_is_not_copied(tmp_path: Path) -> None:
    """Its memory is Arrow's."""
    pq.write_table(random_table(100_000), tmp_path / "t.parquet", row_group_size=30_000)
    table = open_table(Place(source=DataSource(uri=str(tmp_path)), field="f"))

    whole = content(table, "whole").numbers
    assert whole is not None
    assert not whole.flags.owndata


def test_a_parquet_file_is_read_without_arrows_functions(tmp_path: Path) -> None:
    """Their import takes longer than the reading of most files."""
    path = tmp_path / "t.parquet"
    pq.write_table(random_table(100).drop_columns(["small", "coded"]), path)

    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], check=True, capture_output=True, text=True
    ).stdout

    assert told == "['numbers', 'numbers', 'text', 'text', 'booleans'] False\n"
