"""Malformed Parquet, and malformed folders of files."""

import datetime as dt
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from fuzzdata.inputs import CANARY, ROWS, Kind, Random, csv, table

Columns = Callable[[Random], dict[str, Any]]


def _parquet(frame: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink)
    return bytes(sink.getvalue())


def _bytes(name: str, content: Callable[[Random], bytes], *, garbage: bool) -> Kind:
    def write(folder: Path, random: Random) -> str:
        (folder / "current.parquet").write_bytes(content(random))
        return "current.parquet"

    return Kind(name=f"parquet: {name}", write=write, is_garbage=garbage)


def _column(name: str, values: Callable[[Random], Any], *, garbage: bool, column: str = "x") -> Kind:
    """Return a table one of whose columns holds something else."""

    def write(folder: Path, random: Random) -> str:
        frame = pa.Table.from_pandas(table(random), preserve_index=False)
        array = values(random)
        array = array if isinstance(array, pa.Array) else pa.array(array)
        place = frame.schema.names.index(column)
        pq.write_table(frame.set_column(place, column, array), folder / "current.parquet")
        return "current.parquet"

    return Kind(name=f"parquet: {name}", write=write, is_garbage=garbage)


def _folder(name: str, files: Callable[[Path, Random], None], *, garbage: bool) -> Kind:
    def write(folder: Path, random: Random) -> str:
        (folder / "current").mkdir()
        files(folder / "current", random)
        return "current"

    return Kind(name=f"folder: {name}", write=write, is_garbage=garbage)


def _cut(random: Random) -> bytes:
    content = _parquet(table(random))
    return content[: int(random.integers(1, len(content) - 1))]


def _flipped(random: Random, *, footer: bool) -> bytes:
    content = bytearray(_parquet(table(random)))
    length = int.from_bytes(content[-8:-4], "little") + 8
    low, high = (len(content) - length, len(content)) if footer else (4, len(content) - length)
    for place in random.integers(low, high, size=int(random.integers(1, 20))):
        content[place] ^= 1 << int(random.integers(0, 8))
    return bytes(content)


def _lying_length(random: Random) -> bytes:
    content = bytearray(_parquet(table(random)))
    content[-8:-4] = int(random.integers(0, 2**32)).to_bytes(4, "little")
    return bytes(content)


def _without(*names: str) -> Callable[[Random], bytes]:
    return lambda random: _parquet(table(random).drop(columns=list(names)))


def _every(value: Any, kind: pa.DataType) -> Callable[[Random], pa.Array]:
    return lambda _: pa.array([value] * ROWS, kind)


def _odd_floats(random: Random) -> Any:
    odd = [np.inf, -np.inf, np.nan, 5e-324, 1.7e308, -1.7e308, -0.0]
    return np.where(
        random.random(ROWS) < random.random(), random.choice(odd, size=ROWS), random.normal(size=ROWS)
    )


def _repeated_keys(random: Random) -> pa.Array:
    codes = pa.array(random.integers(0, 3, size=ROWS).astype(np.int8))
    return pa.DictionaryArray.from_arrays(codes, pa.array(["a", "a", "b"]))


def _schemas(folder: Path, random: Random) -> None:
    table(random).to_parquet(folder / "a.parquet", index=False)
    table(random).astype({"x": str}).to_parquet(folder / "b.parquet", index=False)


def _other_columns(folder: Path, random: Random) -> None:
    table(random).to_parquet(folder / "a.parquet", index=False)
    table(random).rename(columns={"x": "y"}).to_parquet(folder / "b.parquet", index=False)


def _formats(folder: Path, random: Random) -> None:
    table(random).to_parquet(folder / "a.parquet", index=False)
    (folder / "b.csv").write_bytes(csv(random))


def _half_written(folder: Path, random: Random) -> None:
    table(random).to_parquet(folder / "a.parquet", index=False)
    (folder / "b.parquet").write_bytes(_cut(random))


def _partitions(folder: Path, random: Random) -> None:
    for value in ("x=1", "x=__HIVE_DEFAULT_PARTITION__", "x=a%2Fb", "x="):
        (folder / value).mkdir()
        table(random).drop(columns="x").to_parquet(folder / value / "a.parquet", index=False)


def _loops(folder: Path, random: Random) -> None:
    table(random).to_parquet(folder / "a.parquet", index=False)
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "nowhere.parquet").symlink_to(folder / "gone.parquet")


def _named_like_files(folder: Path, random: Random) -> None:
    del random
    (folder / "a.parquet").mkdir()
    (folder / "b.csv").mkdir()


def _ipc(random: Random) -> bytes:
    sink = pa.BufferOutputStream()
    feather.write_feather(pa.Table.from_pandas(table(random)), sink)
    return bytes(sink.getvalue())


def _many(random: Random) -> bytes:
    return _parquet(table(random, 20_000).assign(plan=[f"{CANARY}-{row}" for row in range(20_000)]))


def _twice(random: Random) -> bytes:
    frame = pa.Table.from_pandas(table(random), preserve_index=False)
    sink = pa.BufferOutputStream()
    pq.write_table(frame.append_column("x", frame.column("n")), sink)
    return bytes(sink.getvalue())


KINDS: Final = (
    _bytes("cut off", _cut, garbage=True),
    _bytes("bits of the footer flipped", lambda random: _flipped(random, footer=True), garbage=False),
    _bytes("bits of the pages flipped", lambda random: _flipped(random, footer=False), garbage=False),
    _bytes("a footer of another length", _lying_length, garbage=True),
    _bytes("its magic number only", lambda _: b"PAR1", garbage=True),
    _bytes("its magic number twice", lambda _: b"PAR1\0\0\0\0PAR1", garbage=True),
    _bytes("empty file", lambda _: b"", garbage=True),
    _bytes("noise", lambda random: random.bytes(int(random.integers(1, 5000))), garbage=True),
    _bytes("noise between magic numbers", lambda random: b"PAR1" + random.bytes(500) + b"PAR1", garbage=True),
    _bytes("CSV under its name", csv, garbage=True),
    _bytes("Feather under its name", _ipc, garbage=True),
    _bytes("no rows", lambda random: _parquet(table(random)[:0]), garbage=True),
    _bytes("no columns", lambda random: _parquet(table(random)[[]]), garbage=True),
    _bytes("few rows", lambda random: _parquet(table(random, int(random.integers(1, 100)))), garbage=True),
    _bytes("a column less", _without("x"), garbage=True),
    _bytes("columns twice", _twice, garbage=True),
    _bytes("every value a category", _many, garbage=False),
    _column("odd floats", _odd_floats, garbage=False),
    _column("a column of nulls", _every(None, pa.null()), garbage=False),
    _column("a column of NaN", _every(float("nan"), pa.float64()), garbage=False),
    _column("half floats", lambda random: random.normal(size=ROWS).astype(np.float16), garbage=False),
    _column("the greatest integers", _every(2**64 - 1, pa.uint64()), garbage=False, column="n"),
    _column("the least integers", _every(-(2**63), pa.int64()), garbage=False, column="n"),
    _column("decimals", _every(decimal.Decimal("1.5"), pa.decimal128(38, 10)), garbage=False),
    _column("large decimals", _every(decimal.Decimal("1.5"), pa.decimal256(76, 10)), garbage=False),
    _column("lists", _every([1.0, None], pa.list_(pa.float64())), garbage=True),
    _column("structs", _every({"a": 1}, pa.struct([("a", pa.int64())])), garbage=True),
    _column("maps", _every([("a", 1)], pa.map_(pa.string(), pa.int64())), garbage=True),
    _column("binary", _every(b"\xff\0", pa.binary()), garbage=True),
    _column("words for numbers", _every(CANARY, pa.string()), garbage=True),
    _column("numbers for words", _every(1, pa.int64()), garbage=True, column="plan"),
    _column("dates for numbers", _every(dt.date(2026, 1, 1), pa.date32()), garbage=True),
    _column("durations", _every(5, pa.duration("ns")), garbage=True),
    _column("times of day", _every(5, pa.time64("ns")), garbage=True),
    _column("a dictionary with repeats", _repeated_keys, garbage=False, column="plan"),
    _column("text that is no UTF-8", lambda _: _not_utf8(), garbage=True, column="plan"),
    _column("a megabyte in each word", _every("a" * 100_000, pa.string()), garbage=False, column="plan"),
    _column("lists for labels", _every([1], pa.list_(pa.int64())), garbage=False, column="label"),
    _column("fractions for predictions", _every(0.5, pa.float64()), garbage=False, column="score"),
    _folder("nothing in it", lambda *_: None, garbage=True),
    _folder("files whose types differ", _schemas, garbage=True),
    _folder("files whose columns differ", _other_columns, garbage=True),
    _folder("CSV beside Parquet", _formats, garbage=False),
    _folder("one file half written", _half_written, garbage=True),
    _folder("odd partitions", _partitions, garbage=False),
    _folder("links in circles and to nowhere", _loops, garbage=False),
    _folder("folders named like files", _named_like_files, garbage=True),
)


def _not_utf8() -> pa.Array:
    """Return what another writer may call text: Arrow takes its word for it."""
    words = pa.array([b"a\xff\xfe", b"b"] * (ROWS // 2), pa.binary())
    return pa.Array.from_buffers(pa.string(), ROWS, words.buffers())
