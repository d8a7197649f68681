"""Makes hostile inputs, each from a number: files that are broken, odd, huge, or no data at all.

What is `garbage` must not lead to a verdict. All else may, or may not: it must only end in a sentence.
"""

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS: Final = 600


@dataclass(frozen=True, slots=True)
class Hostile:
    """An input: what the current data is, and whether a verdict from it would be wrong."""

    uri: str
    garbage: bool
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """Writes one kind of input into an empty folder."""

    folder: Path
    random: np.random.Generator

    def any_bytes(self) -> Hostile:
        """Write bytes that mean nothing, under a name that promises something."""
        suffix = self.pick("csv", "parquet", "csv.gz", "csv.bz2", "csv.xz", "csv.zst", "csv.zip")
        return Hostile(self.file(f"t.{suffix}", self.random.bytes(self.size(4000))), garbage=suffix != "csv")

    def half_a_parquet(self) -> Hostile:
        """Cut a Parquet file off somewhere."""
        whole = self.parquet_bytes(self.table())
        return Hostile(self.file("t.parquet", whole[: self.size(len(whole))]), garbage=True)

    def rotten_parquet(self) -> Hostile:
        """Change a few bytes of a Parquet file: in a page this may be just another number."""
        content = bytearray(self.parquet_bytes(self.table()))
        for _ in range(int(self.random.integers(1, 20))):
            content[int(self.random.integers(len(content)))] ^= int(self.random.integers(1, 256))
        return Hostile(self.file("t.parquet", bytes(content)), garbage=False)

    def half_compressed(self) -> Hostile:
        """Cut a compressed file off somewhere."""
        suffix = self.pick("gz", "bz2", "xz", "zst", "zip")
        whole = self.compressed(self.csv().encode(), suffix)
        return Hostile(self.file(f"t.csv.{suffix}", whole[: self.size(len(whole))]), garbage=True)

    def wrong_name(self) -> Hostile:
        """Promise what is not there: CSV under a Parquet's name, or the other way round."""
        if self.random.random() < 0.5:
            return Hostile(self.file("t.parquet", self.csv().encode()), garbage=True)
        return Hostile(self.file("t.csv", self.parquet_bytes(self.table())), garbage=True)

    def bomb(self) -> Hostile:
        """Write a hundred kilobytes that are a hundred megabytes."""
        row = self.pick(b"1,2,3\n", b"0" * 100, b'"', b"\n", b",")
        content = b"x,n,label\n" + row * (100_000_000 // len(row) // 20)
        return Hostile(self.file("t.csv.gz", gzip.compress(content, 1)), garbage=False)

    def ragged(self) -> Hostile:
        """Leave out a value, or add one, in one row."""
        lines = self.csv().splitlines()
        at = int(self.random.integers(1, len(lines)))
        lines[at] = self.pick(lines[at] + ",1", lines[at].rpartition(",")[0])
        return Hostile(self.file("t.csv", "\n".join(lines).encode()), garbage=True)

    def encoded(self) -> Hostile:
        """Write CSV in an encoding that is not UTF-8; Latin-1 only shows where a letter is not ASCII."""
        encoding = self.pick("utf-16", "utf-32", "latin-1", "cp500")
        text = "x,n,label,größe\n" + "1,2,0,süß\n" * ROWS
        return Hostile(self.file("t.csv", text.encode(encoding)), garbage=True)

    def odd_header(self) -> Hostile:
        """Name columns twice, not at all, by an essay, or by control characters."""
        header = self.pick(
            *("x,x,label", ",,", "x,n,x", "x," + "n" * 5000 + ",label"),
            *("x\0,\x1b[31mn,label", '"x","n\n2",l'),
        )
        return Hostile(self.file("t.csv", (header + "\n" + "1,2,0\n" * ROWS).encode()), garbage=False)

    def odd_values(self) -> Hostile:
        """Put values among the numbers that are none, or are hardly any."""
        odd = self.pick(
            *(
                "inf",
                "-Infinity",
                "1e400",
                "0x1F",
                "1_000",
                "1,5",
                "",
                "NaN",
                "null",
                "١٢",
                "=1+1",
                "'; DROP TABLE t",
            ),
            *("9" * 400, "-0", "1e-400", "TRUE", "🦊" * 10, "\0", '"', "2026-02-30", "a" * 100_000),
        )
        lines = self.csv().splitlines()
        for at in self.random.integers(1, len(lines), 5):
            lines[at] = f"{odd},2,0"
        return Hostile(self.file("t.csv", "\n".join(lines).encode()), garbage=False)

    def nothing(self) -> Hostile:
        """Write nothing, or hardly anything."""
        content = self.pick(
            b"", b"\n", b"\n\n\n", b"x,n,label", b"x,n,label\n", b"\xef\xbb\xbf", b"\r", b'"', b",,,\n"
        )
        return Hostile(self.file("t.csv", content), garbage=True)

    def no_rows(self) -> Hostile:
        """Write Parquet without rows, or without columns."""
        table = self.pick(self.table().slice(0, 0), pa.table({}))
        return Hostile(self.file("t.parquet", self.parquet_bytes(table)), garbage=True)

    def odd_types(self) -> Hostile:
        """Hold the columns in types that a data frame hardly ever has."""
        name = self.pick(*_TYPES)
        table = self.table()
        for column in self.pick(["x"], ["n"], ["x", "n"], ["x", "n", "label"]):
            table = table.set_column(table.schema.get_field_index(column), column, _TYPES[name](self.random))
        return Hostile(self.file("t.parquet", self.parquet_bytes(table)), garbage=False)

    def twins(self) -> Hostile:
        """Name two columns of a Parquet file alike."""
        table = self.table()
        twin = pa.Table.from_arrays([*table.columns, table.column("x")], names=[*table.schema.names, "x"])
        return Hostile(self.file("t.parquet", self.parquet_bytes(twin)), garbage=True)

    def gaps(self) -> Hostile:
        """Leave columns empty, or nearly so, or constant, or infinite."""
        value = self.pick(None, float("nan"), float("inf"), 0.0, 1e308)
        values = np.full(ROWS, np.nan) if value is None else np.full(ROWS, value)
        values[: int(self.random.integers(0, 3))] = 1.0
        column = pa.array(values, from_pandas=value is None)
        table = self.table().set_column(0, "x", column)
        return Hostile(self.file("t.parquet", self.parquet_bytes(table)), garbage=False)

    def many(self) -> Hostile:
        """Bring many columns, or many categories, or one row only."""
        match self.pick("columns", "categories", "one row"):
            case "columns":
                extra = {f"c{number}": [0.0] * ROWS for number in range(2000)}
                table = pa.table({name: self.table().column(name) for name in ("x", "n", "label")} | extra)
            case "categories":
                rows = 20_000
                words = [f"category-{number}" for number in self.random.integers(0, rows, rows)]
                table = pa.table({"x": words, "n": np.arange(rows), "label": [0] * rows})
            case _:
                table = self.table().slice(0, 1)
        return Hostile(self.file("t.parquet", self.parquet_bytes(table)), garbage=False)

    def folder_of_odds(self) -> Hostile:
        """Mix files that do not fit together in one folder."""
        for number in range(int(self.random.integers(1, 5))):
            kind = self.pick(*(name for name in KINDS if name not in {"folder_of_odds", "no_place", "bomb"}))
            below = (
                self.folder
                / self.pick("", "a=1", "a=b/c=d", "day=2026-11-23", "_hidden", "=", "a=")
                / str(number)
            )
            below.mkdir(parents=True)
            KINDS[kind](Maker(below, self.random))
        return Hostile(str(self.folder), garbage=False)

    def no_place(self) -> Hostile:
        """Name a place that is not there, or is no file: nobody will ever write into the pipe."""
        path = self.folder / "t.csv"
        match self.pick("pipe", "loop", "folder", "absent", "name", "glob", "unknown"):
            case "pipe":
                os.mkfifo(path)
            case "loop":
                path.symlink_to(path)
            case "folder":
                path.mkdir()
            case "name":
                return Hostile(str(self.folder / ("n" * 300 + ".csv")), garbage=True)
            case "glob":
                return Hostile(f"{self.folder}/[*?.csv", garbage=True)
            case "unknown":
                return Hostile(self.file("t.dat", b"x,n,label\n1,2,3\n"), garbage=True)
            case _:
                pass
        return Hostile(str(path), garbage=True)

    def pick(self, *choices: Any) -> Any:
        """Return one of them."""
        return choices[int(self.random.integers(len(choices)))]

    def size(self, most: int) -> int:
        """Return a length below `most`."""
        return int(self.random.integers(most))

    def file(self, name: str, content: bytes) -> str:
        """Write a file, and return its path."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def table(self) -> pa.Table:
        """Return rows as the reference has them."""
        return table(self.random)

    def csv(self) -> str:
        """Return such rows as CSV."""
        rows = self.table().to_pylist()
        return "x,n,label\n" + "".join(f"{row['x']},{row['n']},{row['label']}\n" for row in rows)

    def parquet_bytes(self, rows: pa.Table) -> bytes:
        """Return a table as Parquet, in one of the ways in which it may be written."""
        content = io.BytesIO()
        compression = self.pick("none", "snappy", "zstd", "gzip")
        pq.write_table(rows, content, compression=compression, row_group_size=self.pick(50, 10_000))
        return content.getvalue()

    def compressed(self, content: bytes, suffix: str) -> bytes:
        """Return bytes as a file with that suffix holds them."""
        if suffix == "zip":
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
                writer.writestr("t.csv", content)
            return archive.getvalue()
        if suffix == "zst":
            return bytes(pa.compress(content, "zstd", asbytes=True))
        pack: dict[str, Callable[[bytes], bytes]] = {
            "gz": gzip.compress,
            "bz2": bz2.compress,
            "xz": lzma.compress,
        }
        return pack[suffix](content)


def table(random: np.random.Generator) -> pa.Table:
    """Return two columns of numbers and a label."""
    numbers = random.normal(size=(2, ROWS))
    return pa.table({"x": numbers[0], "n": numbers[1], "label": random.integers(0, 2, ROWS)})


_TYPES: Final[Mapping[str, Callable[[np.random.Generator], pa.Array]]] = {
    "decimal": lambda _: pa.array([Decimal("1.23")] * ROWS, pa.decimal128(38, 2)),
    "decimal256": lambda _: pa.array([Decimal(10) ** 60] * ROWS, pa.decimal256(70, 2)),
    "list": lambda _: pa.array([[1, None]] * ROWS),
    "struct": lambda _: pa.array([{"a": 1, "b": {"c": "d"}}] * ROWS),
    "map": lambda _: pa.array([[("k", 1)]] * ROWS, pa.map_(pa.string(), pa.int64())),
    "binary": lambda _: pa.array([b"\xff\x00"] * ROWS),
    "fixed binary": lambda _: pa.array([b"ab"] * ROWS, pa.binary(2)),
    "time": lambda _: pa.array([1] * ROWS, pa.time32("s")),
    "duration": lambda _: pa.array([1] * ROWS, pa.duration("s")),
    "timestamp of the year 290000": lambda _: pa.array([9_151_000_000_000] * ROWS, pa.timestamp("s")),
    "date": lambda _: pa.array([1] * ROWS, pa.date32()),
    "half": lambda random: pa.array(random.normal(size=ROWS).astype(np.float16)),
    "uint64": lambda _: pa.array([2**64 - 1] * ROWS, pa.uint64()),
    "int8": lambda _: pa.array([1] * ROWS, pa.int8()),
    "boolean": lambda _: pa.array([True, None] * (ROWS // 2)),
    "null": lambda _: pa.nulls(ROWS),
    "large string": lambda _: pa.array(["a"] * ROWS, pa.large_string()),
    "string view": lambda _: pa.array(["a"] * ROWS, pa.string_view()),
    "dictionary": lambda _: pa.array(["a", "b"] * (ROWS // 2)).dictionary_encode(),
    "dictionary of numbers": lambda _: pa.array([1, 2] * (ROWS // 2)).dictionary_encode(),
    "list of dictionaries": lambda _: pa.ListArray.from_arrays(
        pa.array(range(ROWS + 1), pa.int32()), pa.array(["a"] * ROWS).dictionary_encode()
    ),
    "extension": lambda _: pa.array([b"0123456789abcdef"] * ROWS, pa.uuid()),
    "text": lambda _: pa.array(
        ["a\ud83e".encode("utf-16", "surrogatepass").decode("utf-16", "replace")] * ROWS
    ),
}

KINDS: Final[Mapping[str, Callable[[Maker], Hostile]]] = {
    name: kind
    for name, kind in vars(Maker).items()
    if callable(kind)
    and not name.startswith("_")
    and name not in {"pick", "size", "file", "table", "csv", "parquet_bytes", "compressed"}
}
