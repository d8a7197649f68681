"""The only reading of data: from a place that fsspec knows to one table.

A place is a file, a folder or a glob. All files of a folder or a glob are one table, so they must share
their columns. Over HTTP it is one file.
"""

import io
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, Final, Literal, Self
from urllib.parse import urlsplit

import aiohttp
import fsspec
import pandas as pd
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1 import DataSource, ModelMonitorSpec

Format = Literal["CSV", "Parquet"]

_FORMATS: Final[Mapping[str, Format]] = {
    ".csv": "CSV",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".parq": "Parquet",
}
_COMPRESSIONS: Final[Mapping[str, Literal["gzip", "bz2", "xz", "zip"]]] = {
    ".gz": "gzip",
    ".bz2": "bz2",
    ".xz": "xz",
    ".zip": "zip",
}
_PANDAS_INDEX: Final = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A data source of the spec, and the field that names it: every complaint begins with that field."""

    source: DataSource
    field: str

    @classmethod
    def of_reference(cls, spec: ModelMonitorSpec) -> Self:
        """Return where the reference is."""
        return cls(source=spec.dataset.reference, field="spec.dataset.reference.uri")

    @classmethod
    def of_current(cls, spec: ModelMonitorSpec) -> Self:
        """Return where the current data is."""
        return cls(source=spec.dataset.current, field="spec.dataset.current.uri")

    @property
    def uri(self) -> str:
        """Return the address as it may be shown."""
        return without_secrets(self.source.uri)

    def not_found(self, what: str) -> DataError:
        """Return the complaint that there is nothing to read."""
        return DataError(
            Reason.DATA_NOT_FOUND,
            f"{self.field}: {what} at {self.uri}. Correct the address, or check that the data was delivered "
            f"and that podTemplate.volumeMounts mounts its volume there.",
        )

    def require_rows(self, rows: int) -> None:
        """Complain about a table without rows."""
        if not rows:
            raise DataError(
                Reason.EMPTY_DATA, f"{self.field}: {self.uri} has no rows. Check what writes this data."
            )

    def unreadable(self, what: str) -> DataError:
        """Return the complaint that there is something, but not a table."""
        return DataError(Reason.DATA_UNREADABLE, f"{self.field}: {self.uri} cannot be read: {what}")


def load(place: Place, *, text_columns: Collection[str] = ()) -> pd.DataFrame:
    """Return the table at a place.

    Args:
        place: Where to look.
        text_columns: Columns that a CSV holds as text even if all of it looks like numbers.

    Raises:
        DataError: There is nothing there (DataNotFound), or it is not a table (DataUnreadable).
    """
    try:
        filesystem, path = url_to_fs(place.source.uri, **_options(place.source.uri))
        files = _files(filesystem, path, place)
        return _read_all(filesystem, files, place, frozenset(text_columns))
    except FileNotFoundError as error:
        raise place.not_found("no file was found") from error
    except (OSError, aiohttp.ClientError) as error:  # permissions, disks, connections
        raise place.unreadable(_reason_of(error)) from error


def _options(uri: str) -> dict[str, Any]:
    """Let HTTP honour the proxies of the environment, as every other client in the container does."""
    return {"client_kwargs": {"trust_env": True}} if uri.startswith(("http://", "https://")) else {}


def _reason_of(error: Exception) -> str:
    status = getattr(error, "status", None)
    if status in (401, 403) or isinstance(error, PermissionError):
        return "access is denied. Allow it to this Job, or correct the address."
    return one_line(error)


def _files(filesystem: fsspec.AbstractFileSystem, path: str, place: Place) -> list[str]:
    """Return the paths to read, sorted so that the rows always come in the same order."""
    if _is_http(filesystem) or filesystem.isfile(path):
        return [path]
    if filesystem.isdir(path):
        found = filesystem.find(path)
        root = path
    elif _has_magic(path):
        found = [each for each in filesystem.glob(path) if filesystem.isfile(each)]
        root = str(PurePosixPath(path).parent)
    else:
        raise FileNotFoundError(path)
    files = sorted(each for each in found if _is_data(each, root, place.source.format))
    if not files:
        raise place.not_found("no CSV or Parquet file was found")
    return files


def _is_http(filesystem: fsspec.AbstractFileSystem) -> bool:
    protocols = filesystem.protocol
    return "http" in ((protocols,) if isinstance(protocols, str) else protocols)


def _has_magic(path: str) -> bool:
    return any(character in path for character in "*?[")


def _is_data(path: str, root: str, declared: str | None) -> bool:
    """Leave out what writers of data sets put beside them: _SUCCESS, .crc files, _temporary/ and the like."""
    try:
        parts = PurePosixPath(path).relative_to(root).parts
    except ValueError:  # a glob with magic in its folders
        parts = (PurePosixPath(path).name,)
    hidden = any(part.startswith(("_", ".")) for part in parts)
    return not hidden and (declared is not None or _format(path) is not None)


def _format(path: str) -> Format | None:
    return _FORMATS.get(_suffixes(path)[0])


def _suffixes(path: str) -> tuple[str, str]:
    """Return the suffix that names the format, and the one that names the compression, or empty strings.

    >>> _suffixes("http://lake/live.CSV.gz?sig=1")
    ('.csv', '.gz')
    """
    name = PurePosixPath(urlsplit(path).path if "://" in path else path)
    suffixes = [suffix.lower() for suffix in name.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in _COMPRESSIONS else ""
    return (suffixes[-1] if suffixes else "", compression)


def _read_all(
    filesystem: fsspec.AbstractFileSystem, files: list[str], place: Place, text_columns: frozenset[str]
) -> pd.DataFrame:
    frames = {path: _read(filesystem, path, place, text_columns) for path in files}
    frames = {path: frame for path, frame in frames.items() if len(frame.columns)}
    if not frames:
        return pd.DataFrame()
    _require_same_columns(frames, place)
    # One file's numbers may be the next file's text. Read again as text: once parsed, 007 is 7 for ever.
    if mixed := _text_in_some(frames) - text_columns:
        frames = {path: _read(filesystem, path, place, text_columns | mixed) for path in frames}
    order = next(iter(frames.values())).columns
    table = pd.concat([frame[order] for frame in frames.values()], ignore_index=True)
    table.attrs.clear()  # Evidently cannot join frames that carry attributes
    return table


def _read(
    filesystem: fsspec.AbstractFileSystem, path: str, place: Place, text_columns: frozenset[str]
) -> pd.DataFrame:
    kind = place.source.format or _format(path)
    if kind is None:
        raise place.unreadable(
            "its name does not say what it is. Set format to CSV or Parquet beside the uri."
        )
    content = _open(filesystem, path)
    try:
        with content:
            table = _parse(content, kind, path, text_columns)
    except Exception as error:  # pandas, pyarrow and the decompressors share no base class
        raise place.unreadable(f"{PurePosixPath(path).name} is no {kind} file ({one_line(error)})") from error
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise place.unreadable(f"its column {twice!r} appears twice. Rename one.")
    return table


def _open(filesystem: fsspec.AbstractFileSystem, path: str) -> IO[bytes]:
    if _is_http(filesystem):  # whole: many servers know no ranges, and a table is read from end to end
        return io.BytesIO(filesystem.cat_file(path))
    content: IO[bytes] = filesystem.open(path, "rb")
    return content


def _parse(content: IO[bytes], kind: Format, path: str, text_columns: frozenset[str]) -> pd.DataFrame:
    if kind == "CSV":
        table = _parse_csv(content, path, text_columns)
    else:
        # What pandas noted in the file is ignored: it would bring back indices and nullable types.
        table = pq.read_table(content).to_pandas(ignore_metadata=True, date_as_object=False)
    table.columns = table.columns.map(str)
    return table[[name for name in table.columns if not _PANDAS_INDEX.fullmatch(name)]]


def _parse_csv(content: IO[bytes], path: str, text_columns: frozenset[str]) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # Rows longer than the header: pandas would take the surplus for an index, or cut it off with a
            # warning, and every value would stand under its neighbour's name.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                content,
                compression=_COMPRESSIONS.get(_suffixes(path)[1]),
                dtype=dict.fromkeys(text_columns, "str"),
                index_col=False,
                low_memory=False,  # else a column's type may change from one chunk to the next
            )
    except pd.errors.EmptyDataError:  # not even a header: no rows, as after a writer that had nothing to say
        return pd.DataFrame()


def _require_same_columns(frames: Mapping[str, pd.DataFrame], place: Place) -> None:
    first, *others = frames
    for other in others:
        if differing := set(frames[first].columns) ^ set(frames[other].columns):
            raise place.unreadable(
                f"its files must share their columns, but {PurePosixPath(first).name} and "
                f"{PurePosixPath(other).name} differ in {min(differing)!r}. Keep them in separate folders."
            )


def _text_in_some(frames: Mapping[str, pd.DataFrame]) -> frozenset[str]:
    """Return the columns that hold text in one file and something else, but not nothing, in another."""
    kinds: dict[str, set[bool]] = {}
    for frame in frames.values():
        for name in frame.columns:
            if frame[name].notna().any():
                kinds.setdefault(name, set()).add(
                    pd.api.types.infer_dtype(frame[name], skipna=True) == "string"
                )
    return frozenset(name for name, found in kinds.items() if len(found) > 1)
