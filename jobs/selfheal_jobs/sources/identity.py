"""Identifies the data at a place without reading it, so that results from the same data can be reused.

A file is identified by its path, size and modification time, and a Parquet file on a volume by its footer
too: a copy can keep an older file's modification time, and the footer holds the statistics of the content.
An object store sets the time of each upload itself, and no client can change it. A file on a web server is
identified by its ETag.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct
from pyarrow import fs

from selfheal_jobs.sources.listing import DataFile, root_of_glob
from selfheal_jobs.sources.place import Place

_SETTLED_NS: Final = 2_000_000_000
"""The coarsest resolution of modification times, that of FAT. A file that changed less than this before it
was listed could change again without a new modification time."""
_TAIL: Final = 8
"""Bytes after a Parquet footer: its length, and the magic number."""


class Identity(Struct, frozen=True, kw_only=True):
    """The identity of the data at a place at one time."""

    digest: str
    size: int
    """Total bytes of all files."""
    changed_ns: int
    """Latest modification time, in nanoseconds since 1970; 0 if the identity does not use times."""
    folder: Path | None
    """The folder of the files if they are on a mounted volume, otherwise None."""

    def is_settled(self, now_ns: int) -> bool:
        """Return whether any later change will have another modification time."""
        return now_ns - self.changed_ns > _SETTLED_NS


def identity_of_files(
    filesystem: fs.FileSystem, path: str, files: Sequence[DataFile], place: Place, *, on_volume: bool
) -> Identity:
    """Return the identity of files by their listing, and on a volume also by their Parquet footers.

    Raises:
        OSError, ValueError, pa.ArrowException: A footer cannot be read.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.path}\0{file.size}\0{file.modified_ns}\0".encode())
        if on_volume and (place.source.format or file.format) == "Parquet":
            for part in _footer(filesystem, file):
                digest.update(part)
    return Identity(
        digest=digest.hexdigest(),
        size=total_size(files),
        changed_ns=max(file.modified_ns or 0 for file in files),
        folder=_folder(path, files) if on_volume else None,
    )


def total_size(files: Sequence[DataFile]) -> int:
    """Return the total number of bytes of files."""
    return sum(file.size for file in files)


def _footer(filesystem: fs.FileSystem, file: DataFile) -> Iterator[bytes]:
    with filesystem.open_input_file(file.path) as content:
        tail = content.read_at(_TAIL, file.size - _TAIL)
        yield tail
        # A damaged file may claim a footer of 4 GiB, and that much memory is reserved before it is read.
        length = min(int.from_bytes(tail[:4], "little"), max(0, file.size - _TAIL))
        yield content.read_at(length, file.size - _TAIL - length)


def _folder(path: str, files: Sequence[DataFile]) -> Path:
    if files[0].path == path:
        return Path(path).parent
    if all(PurePosixPath(file.path).is_relative_to(path) for file in files):
        return Path(path)
    return Path(root_of_glob(path))
