"""The floor does no more than it says, or the ratio to it would flatter us."""

import json
import subprocess
import sys

from selfheal_bench.check.contenders import CONTENDERS, FLOOR, PROGRAMS
from selfheal_bench.check.tables import SIZES, write_tables

PROGRAM = str(PROGRAMS / CONTENDERS[FLOOR].program)


def read(tables, *options):
    """Run it as the benchmark does."""
    paths = [str(tables.reference), str(tables.current), "unused"]
    return subprocess.run(
        [sys.executable, "-P", *options, PROGRAM, *paths], check=True, capture_output=True, text=True
    )


def test_it_reads_all_columns_of_both_sides(tmp_path):
    """It says how many, as every contender does."""
    said = json.loads(read(write_tables(tmp_path, SIZES["S"])).stdout)

    assert (said["columns"], said["drifted"]) == (6, 0)


def test_it_imports_numpy_and_arrow_and_no_data_frame(tmp_path):
    """Pandas alone would triple its time."""
    imported = read(write_tables(tmp_path, SIZES["S"]), "-X", "importtime").stderr
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in imported.splitlines()}

    assert {"numpy", "pyarrow"} <= names
    assert not names & {"pandas", "scipy", "fsspec", "selfheal_jobs", "selfheal_bench"}
