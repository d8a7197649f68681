"""One table, whatever it is stored as: CSV and Parquet, in one file or in many, in memory or put aside."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfheal_jobs.sources import collector, opening
from selfheal_jobs.sources.asked import Asked, ColumnChoice
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.spool import Spool
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.v1alpha1.dataset import DataSource

SLOT = datetime(2026, 11, 23, 6, tzinfo=UTC)

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=8
)
ROW = st.fixed_dictionaries(
    {
        "integer": st.integers(-(2**63), 2**63 - 1),
        "number": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "text": st.none() | TEXTS.map(lambda text: f"t{text}t"),
        "flag": st.booleans(),
        "ts": st.integers(-7200, 7200).map(lambda offset: (SLOT + timedelta(seconds=offset)).isoformat()),
    }
)
ASKED = st.builds(
    Asked,
    columns=st.sampled_from([ColumnChoice(), ColumnChoice(only=frozenset({"number", "text"}))]),
    span=st.none() | st.just(TimeSpan("ts", SLOT - timedelta(hours=1), SLOT)),
    max_rows=st.none() | st.integers(1, 20),
    seed=st.integers(0, 9),
)


def opened(path: Path, asked: Asked) -> Table:
    """Return the table at a path."""
    return opening.open_table(Place(source=DataSource(uri=str(path)), field="f"), asked)


def content(table: Table) -> dict[str, Any]:
    """Return all values, column by column, and check that both ways to read a column agree."""
    found = {name: table.column(name).to_pylist() for name in table.schema.names}
    batched = pa.Table.from_batches(table.batches(table.schema.names), table.schema)
    assert batched.to_pydict() == found
    assert table.num_rows == batched.num_rows
    return found


@given(
    rows=st.lists(ROW, min_size=1, max_size=30),
    cut=st.integers(0, 30),
    asked=ASKED,
    in_memory_bytes=st.sampled_from([0, 1 << 20]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_rows_are_the_same_table(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    *,
    rows: list[dict[str, Any]],
    cut: int,
    asked: Asked,
    in_memory_bytes: int,
) -> None:
    """Types, values, order, window and sample: as one Parquet file, as two, as CSV, and as CSV cut in two."""
    monkeypatch.setattr(collector, "Spool", lambda: Spool(in_memory_bytes))
    root = tmp_path_factory.mktemp("same")
    frame = pd.DataFrame(rows)
    parts = [part for part in (frame.iloc[:cut], frame.iloc[cut:]) if len(part)]
    for kind, pieces in {"one": [frame], "two": parts}.items():
        for number, piece in enumerate(pieces):
            (root / f"{kind}-parquet").mkdir(exist_ok=True)
            (root / f"{kind}-csv").mkdir(exist_ok=True)
            # Without a gap pandas writes integers; the type of a column must not hang on that.
            typed = piece.astype({"number": "float64", "text": "str"})
            typed.to_parquet(root / f"{kind}-parquet" / f"{number}.parquet", row_group_size=7, index=False)
            typed.to_csv(root / f"{kind}-csv" / f"{number}.csv", index=False)

    first = content(opened(root / "one-parquet", asked))

    assert content(opened(root / "two-parquet", asked)) == first
    for csv in ("one-csv", "two-csv"):
        assert equal(content(opened(root / csv, asked)), first)


def equal(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Compare values: a CSV of whole numbers or of gaps alone does not say what else it could have held."""
    return list(found) == list(wanted) and all(
        len(found[name]) == len(wanted[name])
        and all(_same(one, other) for one, other in zip(found[name], wanted[name], strict=True))
        for name in found
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


def test_a_mixed_folder_holds_what_its_files_hold(tmp_path: Path) -> None:
    """What a CSV cannot say is told from all files together: 007 is text, since A1 is."""
    pd.DataFrame({"code": ["A1"], "n": [2]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("code,n\n007,3\n")

    table = opened(tmp_path, Asked())

    assert content(table) == {"code": ["A1", "007"], "n": [2, 3]}
    assert [str(kind) for kind in table.schema.types] == ["string", "int64"]


def test_types_of_parquet_files_widen(tmp_path: Path) -> None:
    """A column of nothing, of integers and of fractions is one of fractions."""
    for name, values in {"a": [None], "b": [1], "c": [0.5]}.items():
        pd.DataFrame({"n": values}).to_parquet(tmp_path / f"{name}.parquet")

    assert content(opened(tmp_path, Asked())) == {"n": [None, 1.0, 0.5]}


def test_codes_are_handed_over_as_categories(tmp_path: Path) -> None:
    """Numbers that the spec calls categorical, in CSV and in Parquet, in place and put aside."""
    frame = pd.DataFrame({"plan": range(30), "n": range(30)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")

    for name in ("t.csv", "t.parquet"):
        for most in (None, 10):
            table = opened(tmp_path / name, Asked(categorical=frozenset({"plan", "gone"}), max_rows=most))
            assert str(table.schema.field("plan").type).startswith("dictionary<values=int64")
            assert table.column("plan").type == table.schema.field("plan").type
            assert table.column("plan").to_pylist() == table.column("n").to_pylist()


@pytest.mark.parametrize(
    "values",
    [pa.array(np.array([1.5, 2.5], "float16")), pa.array([[1], [2]]), pa.array([{"a": 1}, {"a": 2}])],
)
def test_a_declared_category_that_arrow_cannot_encode_is_read(values: pa.Array, tmp_path: Path) -> None:
    """Half floats, lists and structs: no sign of a damaged file."""
    pq.write_table(pa.table({"plan": values}), tmp_path / "t.parquet")

    table = opened(tmp_path / "t.parquet", Asked(categorical=frozenset({"plan"})))

    assert table.column("plan").to_pylist() == values.to_pylist()
