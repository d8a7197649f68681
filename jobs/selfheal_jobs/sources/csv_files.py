"""Reads CSV files, plain or compressed, block by block as text; `text_types` infers the types."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from msgspec import Struct
from pyarrow import fs

from selfheal_jobs.sources.filenames import compression_of
from selfheal_jobs.sources.listing import DataFile

if TYPE_CHECKING:
    import zipfile

_BLOCK_BYTES: Final = 2 << 20
"""Also the maximum length of a row."""
_TOO_LONG: Final = f"a row is longer than {_BLOCK_BYTES >> 20} MiB; perhaps a quotation mark is missing"
_BUFFER_BYTES: Final = 4 << 20
_GAPS: Final = ("",)
"""Words such as NA are gaps in columns of numbers only: `text_types` decides."""
_ENCRYPTED: Final = 1
"""A flag of a zip archive's member."""
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What other programs write between values."""
_MOST_OF_HEADER: Final = 120
_WEB_PAGE: Final = re.compile(r"<(!doctype html|html)\b", re.IGNORECASE)
_DOCUMENT: Final = re.compile(r"[{\[<]\s*$|\{\s*[\"}]|\[\s*[\"{\[\]]|<[!?]|<html\b", re.IGNORECASE)
"""How JSON, XML and HTML begin. A header such as <TICKER>,<OPEN> is one of a table."""
_ROW_LENGTH: Final = re.compile(r"Expected (\d+) columns, got (\d+)")


csv.field_size_limit(_BLOCK_BYTES + 1)  # the lines of a header are counted here


class CsvError(Exception):
    """Describes an error in a file without quoting its content."""


class WrittenOtherwiseError(CsvError):
    """A file, which may well be complete, is written in a way that is not read; says the remedy."""


class SeparatorError(WrittenOtherwiseError):
    """The values of a file are not separated by commas."""


class CsvReader(Struct, frozen=True):
    """A CSV file whose header has been read."""

    filesystem: fs.FileSystem
    file: DataFile
    names: tuple[str, ...]
    """Without names if the file is empty, as a writer without rows may leave it."""

    @classmethod
    def open(cls, filesystem: fs.FileSystem, file: DataFile) -> "CsvReader":
        """Read the header.

        Raises:
            CsvError, OSError: The file does not exist or is not a CSV file.
        """
        # With Python's csv: Arrow's reader would already read dozens of megabytes of each file ahead.
        with ExitStack() as open_files:
            content = io.TextIOWrapper(_decompressed(filesystem, file, open_files), "utf-8-sig", newline="")
            try:
                header: list[str] = next((row for row in csv.reader(_lines(content)) if row), [])
            except (csv.Error, UnicodeDecodeError) as error:
                raise _csv_error(error) from error
            _require_no_document(header)
            _require_commas(header)
            return cls(filesystem, file, tuple(_names(header)))

    @property
    def schema(self) -> pa.Schema:
        """Return the columns, all of them text."""
        return pa.schema([pa.field(name, pa.string()) for name in self.names])

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield these columns, in this order.

        Raises:
            CsvError, OSError: A row does not match the header, or a value is not valid text.
        """
        positions = [self.names.index(name) for name in names]
        with ExitStack() as open_files:
            reader = _open(self.filesystem, self.file, open_files)
            while reader:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
                except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                    raise _csv_error(error) from error
                columns = [batch.column(position) for position in positions]
                yield pa.RecordBatch.from_arrays(columns, names=list(names))


def _open(filesystem: fs.FileSystem, file: DataFile, open_files: ExitStack) -> Any:
    """Return Arrow's reader, or None if the file is empty."""
    from pyarrow import csv as arrow_csv  # noqa: PLC0415  Parquet does not need it

    convert = arrow_csv.ConvertOptions(
        default_column_type=pa.string(), null_values=_GAPS, strings_can_be_null=True, check_utf8=True
    )
    content = _decompressed(filesystem, file, open_files)
    try:
        return arrow_csv.open_csv(
            content,
            read_options=arrow_csv.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=convert,
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        if "Empty CSV file" in str(error):
            return None
        raise _csv_error(error) from error


def _decompressed(filesystem: fs.FileSystem, file: DataFile, open_files: ExitStack) -> Any:
    match compression_of(file.path):
        case None:
            return _bytes_of(filesystem, file, open_files)
        case "gzip":
            import gzip  # noqa: PLC0415  few files are compressed so

            # Unlike Arrow's, as fast, it takes zeros after the end, with which a copy by blocks pads a file.
            return open_files.enter_context(gzip.open(_bytes_of(filesystem, file, open_files)))
        case "xz":
            import lzma  # noqa: PLC0415  few files are compressed so

            return open_files.enter_context(lzma.open(_bytes_of(filesystem, file, open_files)))
        case "zip":
            import zipfile  # noqa: PLC0415  few files are compressed so

            content = open_files.enter_context(filesystem.open_input_file(file.path))
            return _only_member(open_files.enter_context(zipfile.ZipFile(content)), open_files)
        case compression:
            raw = _bytes_of(filesystem, file, open_files)
            return open_files.enter_context(pa.CompressedInputStream(raw, compression))


def _bytes_of(filesystem: fs.FileSystem, file: DataFile, open_files: ExitStack) -> Any:
    return open_files.enter_context(
        filesystem.open_input_stream(file.path, compression=None, buffer_size=_BUFFER_BYTES)
    )


def _only_member(archive: "zipfile.ZipFile", open_files: ExitStack) -> Any:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise WrittenOtherwiseError(f"a zip archive must hold one file, and this one holds {len(members)}.")
    try:
        return open_files.enter_context(archive.open(members[0]))
    except RuntimeError as error:  # encrypted, or compressed by a method that Python lacks, such as Deflate64
        encrypted = members[0].flag_bits & _ENCRYPTED
        how = "is encrypted" if encrypted else f"uses the compression method {members[0].compress_type}"
        raise WrittenOtherwiseError(f"the zip archive {how}. Write it unencrypted, by Deflate.") from error


def _lines(content: io.TextIOBase) -> Iterator[str]:
    """Yield the lines of a header; raise CsvError before more than a block of them is in memory."""
    left = _BLOCK_BYTES
    while line := content.readline(left + 1):
        left -= len(line)
        if left < 0:
            raise CsvError(_TOO_LONG)
        yield line


def _require_no_document(header: Sequence[str]) -> None:
    """Raise WrittenOtherwiseError for JSON, XML and HTML, which a server may answer instead of the table."""
    first = header[0].lstrip() if header else ""
    if _WEB_PAGE.match(first):
        raise WrittenOtherwiseError(
            "this is a web page, not a table; http(s) reads one file, not a folder. Correct the address."
        )
    if _DOCUMENT.match(first) or (len(header) == 1 and first.startswith(("{", "[", "<"))):
        raise WrittenOtherwiseError(
            "this is JSON or XML, perhaps the message of an error, and not a table. Correct the address, or "
            "write it as CSV or Parquet."
        )


def _require_commas(header: Sequence[str]) -> None:
    """Raise SeparatorError if the values are separated by something else.

    They are not read by guesswork: where semicolons separate values, 1,500 may be 1.5 or 1500.
    """
    if len(header) != 1:
        return
    if used := next((words for each, words in _SEPARATORS.items() if each in header[0]), None):
        raise SeparatorError(
            f"its header reads {header[0][:_MOST_OF_HEADER]!r}: values must be separated by commas, not by "
            f"{used}, and numbers must have a decimal point. Write it so, or as Parquet."
        )


def _names(header: Sequence[str]) -> Iterator[str]:
    """Name unnamed columns as pandas does; the index that pandas writes is such a column."""
    return (name or f"Unnamed: {position}" for position, name in enumerate(header))


def _csv_error(error: Exception) -> CsvError:
    """Return the error for one of a reader: text in another encoding is complete, and no half of a file."""
    is_cut = isinstance(error, UnicodeDecodeError) and error.reason == "unexpected end of data"
    if not is_cut and (isinstance(error, UnicodeDecodeError) or "UTF8" in str(error)):
        return WrittenOtherwiseError("it is not UTF-8 text. Write it as UTF-8.")
    return CsvError(_said(error))


def _said(error: Exception) -> str:
    """Return our own description of an error: Arrow's message quotes the row."""
    text = str(error)
    if found := _ROW_LENGTH.search(text):
        wanted, got = found.groups()
        return f"a row has {got} values under a header of {wanted}; perhaps it is still being written"
    if isinstance(error, UnicodeDecodeError):
        return "it breaks off within a character"
    if "straddling" in text:
        return _TOO_LONG
    return "it breaks off, or is damaged" if "compressed" in text.lower() else type(error).__name__
