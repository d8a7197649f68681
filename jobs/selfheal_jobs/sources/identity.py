"""Which data lies at a place, told without reading it: so that what was once learnt of it can be used again.

A file is told by its path, its size and the time of its last change, and a Parquet file on a volume by its
footer too: copies can be made to carry an older file's time, and the footer holds the statistics of what is
in it. An object store sets the time of each upload itself, and nobody can set it back. A file of a web server
is told by its ETag.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from pyarrow import fs

from selfheal_jobs.sources.listing import DataFile, root_of_glob
from selfheal_jobs.sources.place import Place

_SETTLED_NS: Final = 2_000_000_000
"""The coarsest clock of a file system, that of FAT. A file that changed so shortly before it was listed could
change once more without another time to show for it."""
_TAIL: Final = 8
"""Bytes after a Parquet footer: its length, and the four letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What told the data at a place from any other, at one moment."""

    digest: str
    size: int
    """Bytes of all files together."""
    changed_ns: int
    """When the newest file changed, in nanoseconds since 1970; 0 where something else tells."""
    folder: Path | None
    """The folder of a mounted volume where the files are; None elsewhere."""

    def is_settled(self, now_ns: int) -> bool:
        """Return whether a later change would show: that of a file takes another time than this one's."""
        return now_ns - self.changed_ns > _SETTLED_NS


def identity_of_files(
    filesystem: fs.FileSystem, path: str, files: Sequence[DataFile], place: Place, *, on_volume: bool
) -> Identity:
    """Return which data files are, by their listing, and on a volume by the footers of Parquet too.

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
    """Return how many bytes files have together."""
    return sum(file.size for file in files)


def _footer(filesystem: fs.FileSystem, file: DataFile) -> Iterator[bytes]:
    with filesystem.open_input_file(file.path) as content:
        tail = content.read_at(_TAIL, file.size - _TAIL)
        yield tail
        length = int.from_bytes(tail[:4], "little")
        yield content.read_at(length, file.size - _TAIL - length)


def _folder(path: str, files: Sequence[DataFile]) -> Path:
    if files[0].path == path:
        return Path(path).parent
    if all(PurePosixPath(file.path).is_relative_to(path) for file in files):
        return Path(path)
    return Path(root_of_glob(path))
