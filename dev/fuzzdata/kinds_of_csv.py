"""Malformed CSV: truncated, in other encodings, hostile, and decompression bombs."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fuzzdata.inputs import CANARY, ROWS, Kind, Random, csv, table

_BOMB_BYTES: Final = 16 << 20
"""Unpacked. Packed it is a thousand times smaller."""

Content = Callable[[Random], bytes]


def _kind(name: str, content: Content, *, garbage: bool, file: str = "current.csv") -> Kind:
    def write(folder: Path, random: Random) -> str:
        (folder / file).write_bytes(content(random))
        return file

    return Kind(name=name, write=write, is_garbage=garbage)


def _cut(content: bytes, random: Random) -> bytes:
    return content[: int(random.integers(1, len(content) - 1))]


def _flipped(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for place in random.integers(0, len(content), size=int(random.integers(1, 20))):
        changed[place] ^= 1 << int(random.integers(0, 8))
    return bytes(changed)


def _ragged(random: Random) -> bytes:
    lines = csv(random).splitlines()
    row = int(random.integers(1, len(lines)))
    lines[row] += b",1" * int(random.integers(1, 9)) if random.random() < 0.5 else b""
    if lines[row].count(b",") == lines[0].count(b","):
        lines[row] = lines[row].rpartition(b",")[0]
    return b"\n".join(lines)


def _value(values: list[str]) -> Content:
    """Return a table one of whose columns holds odd texts."""

    def content(random: Random) -> bytes:
        frame = table(random).astype("object")
        name = str(random.choice(["x", "n", "plan", "flag", "label"]))
        for row in random.integers(0, ROWS, size=int(random.integers(1, ROWS))):
            frame.loc[int(row), name] = str(random.choice(values))
        return frame.to_csv(index=False).encode("utf-8", "surrogateescape")

    return content


def _header(name: str) -> Content:
    def content(random: Random) -> bytes:
        return table(random).rename(columns={"x": name}).to_csv(index=False).encode()

    return content


def _wide(random: Random) -> bytes:
    names = [f"c{number}" for number in range(int(random.integers(500, 2000)))]
    row = ",".join(str(number) for number in random.integers(0, 9, size=len(names)))
    return "\n".join([",".join(names), *[row] * ROWS]).encode()


def _categories(random: Random) -> bytes:
    frame = table(random, 20_000)
    return frame.assign(plan=[f"{CANARY}-{row}" for row in range(len(frame))]).to_csv(index=False).encode()


def _bomb(random: Random) -> bytes:
    first = csv(random)
    return first + b"0,0,a,True,0,0\n" * (_BOMB_BYTES // 15)


def _one_line_bomb(random: Random) -> bytes:
    return csv(random) + b'"' + b"0" * _BOMB_BYTES


def _zip(*members: str) -> Content:
    def content(random: Random) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in members:
                archive.writestr(name, csv(random))
        return packed.getvalue()

    return content


def _noise(random: Random) -> bytes:
    return random.bytes(int(random.integers(1, 5000)))


_PAGE: Final = b"<!DOCTYPE html><html><body><h1>403 Forbidden</h1><p>Token expired</p></body></html>"
_NUMBERS: Final = [
    "1e400",
    "-1e400",
    "inf",
    "-Infinity",
    "nan",
    "0x1f",
    "1_000",
    "1,5",
    "٣",
    "1e-400",
    "--1",
    "+5",
]
_BIG: Final = ["99999999999999999999", "-9223372036854775809", "18446744073709551616", "1" * 400]
_TEXTS: Final = [
    "=cmd|' /C calc'!A0",
    "\u202etxt",
    "a\u0301",
    "\U0001f4a9" * 50,
    "'; DROP TABLE x; --",
    "{{7*7}}",
    "\x1b[31m",
]

KINDS: Final = (
    _kind("csv: empty file", lambda _: b"", garbage=True),
    _kind("csv: blank lines only", lambda random: b"\n" * int(random.integers(1, 99)), garbage=True),
    _kind("csv: header only", lambda random: csv(random).splitlines()[0], garbage=True),
    _kind("csv: noise", _noise, garbage=True),
    _kind("csv: a web page", lambda _: _PAGE, garbage=True),
    _kind(
        "csv: JSON lines",
        lambda random: table(random).to_json(orient="records", lines=True).encode(),
        garbage=True,
    ),
    _kind(
        "csv: semicolons", lambda random: table(random).to_csv(index=False, sep=";").encode(), garbage=True
    ),
    _kind("csv: tabs", lambda random: table(random).to_csv(index=False, sep="\t").encode(), garbage=True),
    _kind("csv: ragged rows", _ragged, garbage=True),
    _kind("csv: cut off", lambda random: _cut(csv(random), random), garbage=False),
    _kind("csv: bits flipped", lambda random: _flipped(csv(random), random), garbage=False),
    _kind("csv: UTF-16", lambda random: csv(random).decode().encode("utf-16"), garbage=True),
    _kind("csv: UTF-32", lambda random: csv(random).decode().encode("utf-32"), garbage=True),
    _kind("csv: Latin-1", lambda random: csv(random).replace(b"canary", b"can\xe4ry"), garbage=True),
    _kind("csv: EBCDIC", lambda random: csv(random).decode().encode("cp500"), garbage=True),
    _kind("csv: byte order mark", lambda random: b"\xef\xbb\xbf" + csv(random), garbage=False),
    _kind("csv: NUL bytes", lambda random: csv(random).replace(b"1", b"\0", 5), garbage=False),
    _kind("csv: a quote never closed", lambda random: csv(random).replace(b"\n", b'\n"', 1), garbage=True),
    _kind("csv: old Mac lines", lambda random: csv(random).replace(b"\n", b"\r"), garbage=False),
    _kind("csv: columns twice", _header("n"), garbage=True),
    _kind("csv: column without a name", _header(""), garbage=True),
    _kind("csv: name with line breaks", _header('x\n"y"\r\n'), garbage=True),
    _kind("csv: a name of a megabyte", _header("x" * 1_000_000), garbage=True),
    _kind("csv: name of control characters", _header("\x1b[31m\x07\u202e"), garbage=True),
    _kind("csv: two thousand columns", _wide, garbage=True),
    _kind("csv: odd numbers", _value(_NUMBERS), garbage=False),
    _kind("csv: numbers too big", _value(_BIG), garbage=False),
    _kind("csv: hostile texts", _value(_TEXTS), garbage=False),
    _kind("csv: every value a category", _categories, garbage=False),
    _kind(
        "csv: all values missing",
        lambda random: csv(random).splitlines()[0] + b"\n" + b",,,,,\n" * ROWS,
        garbage=True,
    ),
    _kind(
        "csv: few rows",
        lambda random: table(random, int(random.integers(1, 100))).to_csv(index=False).encode(),
        garbage=True,
    ),
    _kind(
        "gzip: cut off",
        lambda random: _cut(gzip.compress(csv(random)), random),
        garbage=True,
        file="c.csv.gz",
    ),
    _kind(
        "gzip: bits flipped",
        lambda random: _flipped(gzip.compress(csv(random)), random),
        garbage=False,
        file="c.csv.gz",
    ),
    _kind("gzip: not packed at all", csv, garbage=True, file="c.csv.gz"),
    _kind("gzip: bomb of rows", lambda random: gzip.compress(_bomb(random)), garbage=False, file="c.csv.gz"),
    _kind(
        "gzip: bomb of one line",
        lambda random: gzip.compress(_one_line_bomb(random)),
        garbage=True,
        file="c.csv.gz",
    ),
    _kind("bzip2: noise", _noise, garbage=True, file="c.csv.bz2"),
    _kind(
        "bzip2: cut off",
        lambda random: _cut(bz2.compress(csv(random)), random),
        garbage=True,
        file="c.csv.bz2",
    ),
    _kind(
        "xz: cut off", lambda random: _cut(lzma.compress(csv(random)), random), garbage=True, file="c.csv.xz"
    ),
    _kind("zst: noise", _noise, garbage=True, file="c.csv.zst"),
    _kind("zip: cut off", lambda random: _cut(_zip("a.csv")(random), random), garbage=True, file="c.csv.zip"),
    _kind(
        "zip: bits flipped",
        lambda random: _flipped(_zip("a.csv")(random), random),
        garbage=False,
        file="c.csv.zip",
    ),
    _kind("zip: two files", _zip("a.csv", "b.csv"), garbage=True, file="c.csv.zip"),
    _kind("zip: no file", _zip(), garbage=True, file="c.csv.zip"),
    _kind("zip: a way out of the folder", _zip("../../../tmp/a.csv"), garbage=False, file="c.csv.zip"),
)
