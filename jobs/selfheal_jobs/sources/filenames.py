"""Parses a file's path: whether it is data, its format, compression and Hive partitions. Pure."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

Format = Literal["CSV", "Parquet"]

_FORMATS: Final[Mapping[str, Format]] = {
    ".csv": "CSV",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".parq": "Parquet",
}
COMPRESSIONS: Final = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".xz": "xz", ".zip": "zip"}
_HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


def format_of(path: str) -> Format | None:
    """Return the format by the name's suffix, or None."""
    return _FORMATS.get(_suffixes(path)[0])


def compression_of(path: str) -> str | None:
    """Return the compression by the name's suffix, or None."""
    return COMPRESSIONS.get(_suffixes(path)[1])


def _suffixes(path: str) -> tuple[str, str]:
    """Return the suffix that names the format, and the one that names the compression, or empty strings.

    >>> _suffixes("http://lake/live.CSV.gz?sig=1")
    ('.csv', '.gz')
    """
    name = PurePosixPath(urlsplit(path).path if "://" in path else path)
    suffixes = [suffix.lower() for suffix in name.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    return (suffixes[-1] if suffixes else "", compression)


def is_data(relative: PurePosixPath, *, declared: bool) -> bool:
    """Return whether a file is data, not a by-product of its writer such as _SUCCESS, .crc or _temporary/."""
    hidden = any(part.startswith(("_", ".")) for part in relative.parts)
    return not hidden and (declared or format_of(str(relative)) is not None)


def partitions_of(relative: PurePosixPath) -> dict[str, str | None]:
    """Return the Hive partition columns in a path and their values.

    >>> partitions_of(PurePosixPath("country=DE/day=2026-11-23/part-0.parquet"))
    {'country': 'DE', 'day': '2026-11-23'}
    """
    found: dict[str, str | None] = {}
    for part in relative.parts[:-1]:
        key, separator, value = part.partition("=")
        if separator and key:
            found[unquote(key)] = None if value == _HIVE_NULL else unquote(value)
    return found
