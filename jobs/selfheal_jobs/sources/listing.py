"""Lists the files of a place, and checks after reading whether they have changed."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct, field
from pyarrow import fs

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.filenames import Format, format_of, is_data, partitions_of
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.table_logs import log_of

_MAGIC: Final = "*?["


class DataFile(Struct, frozen=True):
    """A file, with its size and modification time when it was listed."""

    path: str
    size: int
    modified_ns: int | None
    partitions: Mapping[str, str | None] = field(default_factory=dict)
    folder: str = ""
    """The folder that was listed; empty if the file itself was named."""

    @property
    def name(self) -> str:
        """Return the path relative to the folder, for messages: many folders have a part-0.parquet."""
        return str(_relative(self.path, self.folder)) if self.folder else PurePosixPath(self.path).name

    @property
    def format(self) -> Format | None:
        """Return the format by the name's suffix, or None."""
        return format_of(self.path)


def list_files(filesystem: fs.FileSystem, path: str, place: Place) -> list[DataFile]:
    """Return the files of a place, sorted for a reproducible order of the rows.

    Raises:
        DataError: There is none (DataNotFound), or they are those of a table format with a log, such as
            Delta (DataUnreadable).
    """
    info = filesystem.get_file_info(path)
    if info.type is fs.FileType.File:
        return [_as_listed(info)]
    if info.type is fs.FileType.Unknown:
        raise place.unreadable("it is no regular file, but a named pipe or a device. Correct the address.")
    if info.type is fs.FileType.Directory:
        listed = _beneath(filesystem, [info])
        files = _data_files(listed, path, place)
    elif any(character in path for character in _MAGIC):
        root = root_of_glob(path)
        listed = _listed(filesystem, root, path.rstrip("/"))
        matching = _matching(listed, path.rstrip("/"))
        # Folders only where no file matches: a glob over files does not reach into an archive beside them.
        files = _data_files(matching, root, place)
        if not files:
            beneath = _beneath(filesystem, matching)
            files, listed = _data_files(beneath, root, place), [*listed, *beneath]
    else:
        raise place.not_found("no file was found")
    if not files:
        raise place.not_found("no CSV or Parquet file was found")
    _require_no_log(listed, files, place)
    return sorted(files, key=lambda file: file.path)


def _require_no_log(listed: Sequence[fs.FileInfo], files: Sequence[DataFile], place: Place) -> None:
    if log := log_of((each.path for each in listed), [file.path for file in files]):
        raise place.unreadable(
            f"{PurePosixPath(log.folder).name} is a table of {log.table_format} (it has {log.path}), whose "
            f"log says which rows are deleted: selfheal reads plain Parquet and CSV. Export the table, or "
            f"query it by SQL."
        )


def _beneath(filesystem: fs.FileSystem, found: Sequence[fs.FileInfo]) -> list[fs.FileInfo]:
    """Return what is in the folders among these, each once: of a glob, one may match within another."""
    folders = [each.path for each in found if each.type is fs.FileType.Directory]
    listed = [filesystem.get_file_info(fs.FileSelector(folder, recursive=True)) for folder in folders]
    return list({each.path: each for infos in listed for each in infos}.values())


def _data_files(found: Sequence[fs.FileInfo], root: str, place: Place) -> list[DataFile]:
    declared = place.source.format is not None
    return [
        _as_listed(each, root)
        for each in found
        if each.type is fs.FileType.File and is_data(_relative(each.path, root), declared=declared)
    ]


def _as_listed(info: fs.FileInfo, folder: str = "") -> DataFile:
    partitions = partitions_of(_relative(info.path, folder)) if folder else {}
    return DataFile(
        path=info.path, size=info.size, modified_ns=info.mtime_ns, partitions=partitions, folder=folder
    )


def _relative(path: str, root: str) -> PurePosixPath:
    return PurePosixPath(path).relative_to(PurePosixPath(root))


def root_of(path: str) -> str:
    """Return a path; of a glob the deepest folder that holds all matches."""
    return root_of_glob(path) if any(character in path for character in _MAGIC) else path


def root_of_glob(path: str) -> str:
    """Return the deepest folder that holds all matches.

    >>> root_of_glob("/data/live/day=*/part-?.csv")
    '/data/live'
    """
    whole = PurePosixPath(path)
    plain = [part for part in whole.parents if not any(character in str(part) for character in _MAGIC)]
    return str(plain[0])


def _listed(filesystem: fs.FileSystem, root: str, pattern: str) -> list[fs.FileInfo]:
    """Return what a glob may match, and what lies beside it."""
    deep = "/" in pattern[len(root) :].strip("/") or "**" in pattern
    return list(filesystem.get_file_info(fs.FileSelector(root, recursive=deep, allow_not_found=True)))


def _matching(listed: Sequence[fs.FileInfo], pattern: str) -> list[fs.FileInfo]:
    import re  # noqa: PLC0415

    from fsspec.utils import glob_translate  # noqa: PLC0415  0.1 s, and few addresses are globs

    matches = re.compile(glob_translate(pattern)).match
    return [each for each in listed if matches(each.path)]


def require_unchanged(filesystem: fs.FileSystem, files: list[DataFile], place: Place) -> None:
    """Raise DataError if a file was deleted or rewritten since it was listed.

    The rows read from it may then be a mixture of the old and the new file.
    """
    for before, now in zip(files, filesystem.get_file_info([file.path for file in files]), strict=True):
        if problem := change_of(before, now):
            raise changed(place, before, problem)


def change_of(before: DataFile, now: fs.FileInfo) -> str:
    """Return how a file has changed since it was listed; empty if it has not."""
    if now.type is not fs.FileType.File:
        return "vanished"
    same = (now.size, now.mtime_ns) == (before.size, before.modified_ns)
    return "" if same else "changed"


def changed(place: Place, file: DataFile, problem: str) -> DataError:
    """Return the error for a file that changed while it was read."""
    return place.unreadable(
        f"{file.name} {problem} while it was read. Write files under another name and rename them when they "
        f"are complete, or let offsetSeconds and the schedule keep away from the writer."
    )
