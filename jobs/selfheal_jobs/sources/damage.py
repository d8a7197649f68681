"""Converts errors of reading a file into a DataError: file changed, truncated, or of another format."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
from msgspec import Struct
from pyarrow import fs

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.sources.csv_files import CsvError, WrittenOtherwiseError
from selfheal_jobs.sources.failures import FILE_FAILURES, Failures
from selfheal_jobs.sources.listing import DataFile, change_of, changed, require_unchanged
from selfheal_jobs.sources.place import Place

_REMEDY: Final = (
    "If it is still being written, write under another name and rename the file when it is complete."
)


class Guard(Struct, frozen=True):
    """Converts the errors of reading a source's files."""

    filesystem: fs.FileSystem
    place: Place
    failures: Failures = FILE_FAILURES

    @contextmanager
    def over(self, file: DataFile) -> Iterator[None]:
        """Convert the errors of reading one file into a DataError."""
        try:
            yield
        except (DataError, MemoryError):  # Arrow's own MemoryError is an ArrowException too
            raise
        except _damage() as error:
            raise self._damaged(file, error) from error
        except FileNotFoundError as error:  # it was there when it was listed
            raise changed(self.place, file, "vanished") from error
        except (OSError, pa.ArrowException) as error:
            damaged = self.failures.is_damage(error)
            raise (
                self._damaged(file, error) if damaged else self.failures.explain(self.place, error)
            ) from error

    def require_unchanged(self, files: Sequence[DataFile]) -> None:
        """Raise DataError if a file was deleted or rewritten since it was listed."""
        require_unchanged(self.filesystem, list(files), self.place)

    def _damaged(self, file: DataFile, error: Exception) -> DataError:
        if problem := change_of(file, self.filesystem.get_file_info(file.path)):
            return changed(self.place, file, problem)
        if isinstance(error, WrittenOtherwiseError):
            return self.place.unreadable(f"{file.name}: {error}")
        said = str(error) if isinstance(error, CsvError) else one_line(error)
        kind = self.place.source.format or file.format or "data"
        return self.place.unreadable(f"{file.name} is no {kind} file ({said}). {_REMEDY}")


def _damage() -> tuple[type[Exception], ...]:
    """Return the exception types that damaged files raise. Called only after an error."""
    import lzma  # noqa: PLC0415  for compressed files; most are neither compressed nor damaged
    import zipfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    rotten_names = UnicodeDecodeError  # those of a Parquet file's columns
    return CsvError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, EOFError, rotten_names
