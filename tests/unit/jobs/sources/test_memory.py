"""Data that is ten times larger than the memory in which it is read."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

TESTS: Final = Path(__file__).resolve().parents[3]
LIMIT_MIB: Final = 256
"""Python and Arrow take 85 of them before the first row."""
FILE_ROWS: Final = 400_000
COLUMNS: Final = 20


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 2.6 GB: one file of random numbers under many names, since only reading matters here."""
    folder = tmp_path_factory.mktemp("lake")
    random = np.random.default_rng(0)
    table = pa.table({f"c{number}": random.normal(size=FILE_ROWS) for number in range(COLUMNS)})
    first = folder / "part-000.parquet"
    pq.write_table(table, first, compression="none", use_dictionary=False)
    for number in range(1, 10 * (LIMIT_MIB << 20) // first.stat().st_size + 1):
        os.link(first, folder / f"part-{number:03}.parquet")
    return folder


def read(uri: str | Path, max_rows: int) -> dict[str, Any]:
    """Read in a process of its own; return what it tells."""
    script = str(TESTS / "support/processes/reading_process.py")
    run = subprocess.run(
        [sys.executable, script, str(uri), str(max_rows)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("max_rows", [10**9, 100_000], ids=["every row", "a sample"])
def test_ten_times_the_memory_is_read_within_it(lake: Path, max_rows: int) -> None:
    """All of it column by column where it lies, or once from end to end to draw a sample.

    The peak is that of all pages of the process, also of those that the kernel could take back.
    """
    files = list(lake.iterdir())
    assert sum(file.stat().st_size for file in files) >= 10 * (LIMIT_MIB << 20)

    told = read(lake, max_rows)

    assert told["rows"] == len(files) * FILE_ROWS
    assert told["kept"] == min(told["rows"], max_rows)
    assert told["values"] == told["kept"] * COLUMNS
    assert told["mib"] <= LIMIT_MIB
