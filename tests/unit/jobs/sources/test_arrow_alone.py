import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_operator.api.v1alpha1.dataset import DataSource
from datetime import UTC, datetime

span = TimeSpan("ts", datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
table = open_table(Place(source=DataSource(uri=sys.argv[1]), field="f"), Asked(span=span, max_rows=1000))
values = [table.column(name).to_pylist() for name in table.schema.names]
heavy = {"pandas", "fsspec", "aiohttp", "sqlalchemy", "s3fs", "sklearn", "mlflow", "evidently", "pydantic"}
foreign = heavy & set(sys.modules)
import pyarrow as pa
frame = pa.table({"a": [1, None]}).to_pandas()
import pandas as pd
again = pa.Array.from_pandas(pd.Series([1.0, float("nan")]))
print(len(values[0]), sorted(foreign), frame["a"].dtype, again.null_count)
"""


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_file_is_read_without_what_other_sources_need(tmp_path: Path, name: str) -> None:
    """Neither pandas nor any client; and pandas is there for whoever asks for it later."""
    text = "ts,x\n2026-11-23T06:00:00Z,1\n2025-11-23T06:00:00Z,2\n"
    path = tmp_path / name
    if name == "t.csv":
        path.write_text(text)
    else:
        write = "import io, sys, pandas as pd; pd.read_csv(io.StringIO(sys.argv[2])).to_parquet(sys.argv[1])"
        subprocess.run([sys.executable, "-c", write, str(path), text], check=True)

    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], check=True, capture_output=True, text=True
    ).stdout

    assert told == "1 [] float64 1\n"
