import gzip
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource


def load(place: Any, **asked: Any) -> pd.DataFrame:
    """Return what is at a place, as pandas holds it."""
    return frame(open_table(place, Asked(**asked)))


TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def place(uri: Any, kind: Literal["CSV", "Parquet"] | None = None) -> Any:
    """Return the place of the current data."""
    return Place(source=DataSource(uri=str(uri), format=kind), field="spec.dataset.current.uri")


def refused(uri: Any, kind: Literal["CSV", "Parquet"] | None = None) -> Any:
    """Return the complaint about a place."""
    with pytest.raises(DataError) as caught:
        load(place(uri, kind))
    return caught.value


@pytest.mark.parametrize(
    "name",
    ["t.csv", "t.csv.gz", "T.CSV", "t.csv.bz2", "t.csv.xz", "t.csv.zst", "t.csv.zip", "t.parquet", "t.pq"],
)
def test_a_file_is_read_by_its_name(tmp_path: Path, name: str) -> None:
    """CSV, plain or compressed, and Parquet give the same table."""
    path = tmp_path / name
    if name.endswith(".zst"):  # Arrow knows it, pandas only with one more package
        with pa.output_stream(path, compression="zstd") as content:
            content.write(TABLE.to_csv(index=False).encode())
    elif "csv" in name.lower():
        TABLE.to_csv(path, index=False)
    else:
        TABLE.to_parquet(path)

    pd.testing.assert_frame_equal(load(place(path)), TABLE)


def test_a_file_address_is_a_path(tmp_path: Path) -> None:
    """file:// names a mounted volume."""
    TABLE.to_csv(tmp_path / "t.csv", index=False)

    pd.testing.assert_frame_equal(load(place(f"file://{tmp_path}/t.csv")), TABLE)


def test_the_format_of_the_spec_comes_before_the_name(tmp_path: Path) -> None:
    """A file may have any name if its format is declared."""
    TABLE.to_csv(tmp_path / "part-0001", index=False)

    pd.testing.assert_frame_equal(load(place(tmp_path / "part-0001", "CSV")), TABLE)


def test_a_file_whose_format_nobody_knows_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """The sentence says which field helps."""
    (tmp_path / "t.dat").write_text("a\n1\n")

    error = refused(tmp_path / "t.dat")

    assert error.reason is Reason.DATA_UNREADABLE
    assert "Set format to CSV or Parquet" in str(error)


def test_a_folder_is_one_table_in_the_order_of_its_names(tmp_path: Path) -> None:
    """All its CSV and Parquet files count, in sub-folders too; what other programs leave there does not."""
    (tmp_path / "later").mkdir()
    (tmp_path / "_temporary").mkdir()
    TABLE.to_parquet(tmp_path / "later" / "z.parquet")
    TABLE.assign(a=[3, 4])[["b", "a"]].to_csv(tmp_path / "a.csv", index=False)
    for name in ("_SUCCESS", "notes.txt", ".a.csv.crc", "_temporary/half.csv"):
        (tmp_path / name).write_text("broken,\n1\n")

    assert load(place(tmp_path))["a"].tolist() == [3, 4, 1, 2]


def test_a_glob_takes_what_matches(tmp_path: Path) -> None:
    """Only the files that the pattern names are read."""
    for day in (1, 2, 3):
        TABLE.assign(a=day).to_csv(tmp_path / f"d{day}.csv", index=False)

    assert load(place(tmp_path / "d[12].csv"))["a"].tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize("pattern", ["day=2026-11-*", "day=2026-11-*/", "day=2026-1[1]-*", "*", "**"])
def test_a_glob_that_matches_folders_reads_what_is_in_them(tmp_path: Path, pattern: str) -> None:
    """Deeper folders and partition columns included; by-products beside them match as well."""
    for day in ("2026-11-01", "2026-11-02"):
        (tmp_path / f"day={day}" / "store=1").mkdir(parents=True)
        TABLE.to_parquet(tmp_path / f"day={day}" / "store=1" / "part-0.parquet")
        (tmp_path / f"day={day}" / "_SUCCESS").touch()

    table = load(place(f"{tmp_path}/{pattern}"))

    assert table["day"].tolist() == ["2026-11-01", "2026-11-01", "2026-11-02", "2026-11-02"]
    assert table["store"].tolist() == [1, 1, 1, 1]


def test_a_glob_that_matches_files_does_not_read_the_folders_beside_them(tmp_path: Path) -> None:
    """An archive beside the live files stays out."""
    (tmp_path / "archive").mkdir()
    for name in ("t.csv", "archive/t.csv"):
        TABLE.to_csv(tmp_path / name, index=False)

    assert len(load(place(tmp_path / "*"))) == len(TABLE)


@pytest.mark.parametrize("where", ["nothing.csv", "no/folder/", "*.parquet", "empty"])
def test_what_is_not_there_is_named_with_its_field(tmp_path: Path, where: str) -> None:
    """A missing file, folder or match, and a folder without data: DataNotFound."""
    (tmp_path / "empty").mkdir()

    error = refused(tmp_path / where)

    assert error.reason is Reason.DATA_NOT_FOUND
    assert str(error).startswith("spec.dataset.current.uri: no ")
    assert str(tmp_path) in str(error)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.parquet", b"no parquet"),
        ("t.parquet", b""),
        ("t.csv.gz", b"no gzip"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-12]),
        ("t.csv", b"a\n1\n2,3,4\n"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0) + b"junk"),
    ],
)
def test_a_broken_file_is_unreadable(tmp_path: Path, name: str, content: bytes) -> None:
    """Never a stack trace: the field, the file, and what the reader said."""
    (tmp_path / name).write_bytes(content)

    error = refused(tmp_path / name)

    assert error.reason is Reason.DATA_UNREADABLE
    assert str(error).startswith(f"spec.dataset.current.uri: {tmp_path}/{name} cannot be read: {name} is no ")


def test_a_parquet_file_whose_names_have_rotted_is_unreadable(tmp_path: Path) -> None:
    """They are no text any more, in the schema of the footer."""
    pq.write_table(pa.table({"name-of-a-column": [1]}), tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(content.replace(b"name-of-a-column", b"name-\xff\xfe-a-column"))

    error = refused(tmp_path / "t.parquet")

    assert error.reason is Reason.DATA_UNREADABLE
    assert "t.parquet is no Parquet file" in str(error)


@pytest.mark.parametrize(
    "content", ["a,ä\n1,2\n".encode("latin-1"), "a,b\n1,ä\n".encode("latin-1"), "a,b\n1,2\n".encode("utf-16")]
)
def test_text_in_another_encoding_is_to_be_written_as_utf_8(tmp_path: Path, content: bytes) -> None:
    """It is complete, and no writer will finish it."""
    (tmp_path / "t.csv").write_bytes(content)

    error = refused(tmp_path / "t.csv")

    assert error.reason is Reason.DATA_UNREADABLE
    assert str(error).endswith("t.csv: it is not UTF-8 text. Write it as UTF-8.")


@pytest.mark.parametrize("zeros", [1, 3, 512])
def test_zeros_after_the_end_of_a_gzip_file_are_padding(tmp_path: Path, zeros: int) -> None:
    """As a copy by blocks leaves them; a second member before them is read."""
    content = gzip.compress(b"a\n1\n") + gzip.compress(b"2\n") + bytes(zeros)
    (tmp_path / "t.csv.gz").write_bytes(content)

    assert load(place(tmp_path / "t.csv.gz"))["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [(6, 1, "is encrypted"), (8, 9, "uses the compression method 9")],
)
def test_a_zip_archive_that_cannot_be_opened_is_told_with_the_cause(
    tmp_path: Path, at: int, value: int, said: str
) -> None:
    """Encrypted, or compressed by Deflate64, as Windows does it for large files."""
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", "a\n1\n")
    content = bytearray((tmp_path / "t.csv.zip").read_bytes())
    central = content.index(b"PK\x01\x02")
    content[at] = content[central + at + 2] = value
    (tmp_path / "t.csv.zip").write_bytes(content)

    error = refused(tmp_path / "t.csv.zip")

    assert error.reason is Reason.DATA_UNREADABLE
    assert f"t.csv.zip: the zip archive {said}" in str(error)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("content", [b"\0" * (3 << 20), b"a,b" * (1 << 20), b'"' + b"a\n" * (2 << 20)])
def test_a_header_without_an_end_is_not_read_into_memory(tmp_path: Path, name: str, content: bytes) -> None:
    """No row may be longer than a block; a file of zeros is a single one."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)

    error = refused(path)

    assert error.reason is Reason.DATA_UNREADABLE
    assert "a row is longer than 2 MiB" in str(error)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A named pipe would wait for its writer; beside files it is no data."""
    os.mkfifo(tmp_path / "pipe.csv")

    error = refused(tmp_path / "pipe.csv")
    TABLE.to_csv(tmp_path / "t.csv", index=False)

    assert error.reason is Reason.DATA_UNREADABLE
    assert "no regular file" in str(error)
    pd.testing.assert_frame_equal(load(place(tmp_path)), TABLE)


@pytest.mark.parametrize("content", ["a,b\n", "<TICKER>,<OPEN>\n", "[a],b\n"])
def test_a_csv_without_rows_is_an_empty_table(tmp_path: Path, content: str) -> None:
    """It is there and can be read; that it is empty is for the check to judge."""
    (tmp_path / "t.csv").write_text(content)

    assert len(load(place(tmp_path / "t.csv"))) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it has not even a header"),
        ("\n\n", "it has not even a header"),
        ('{"error":"expired"}', "this is JSON or XML"),
        ('{"code":1,"error":"expired"}', "this is JSON or XML"),
        ('{\n  "a": 1\n}\n', "this is JSON or XML"),
        ('[{"a":1,"b":2}]', "this is JSON or XML"),
        ("<Error><Code>AccessDenied</Code></Error>", "this is JSON or XML"),
        ('<?xml version="1.0"?>\n<Error/>\n', "this is JSON or XML"),
        ("<!DOCTYPE html>\n<title>Index</title>\n", "this is a web page"),
        ('<html lang="de">\n', "this is a web page"),
    ],
)
def test_what_is_no_table_is_unreadable(tmp_path: Path, content: str, said: str) -> None:
    """A server may answer with a message and status 200: that is no table without rows."""
    (tmp_path / "t.csv").write_text(content)

    error = refused(tmp_path / "t.csv")

    assert error.reason is Reason.DATA_UNREADABLE
    assert said in str(error)


def test_files_that_do_not_share_their_columns_are_refused(tmp_path: Path) -> None:
    """Filling the gap with nothing would look like drift."""
    TABLE.to_csv(tmp_path / "a.csv", index=False)
    TABLE[["a"]].to_csv(tmp_path / "b.csv", index=False)

    error = refused(tmp_path)

    assert error.reason is Reason.DATA_UNREADABLE
    assert "a.csv has 'b' and b.csv has not" in str(error)


@pytest.mark.parametrize("pattern", ["", "/*/*.parquet"])
def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path, pattern: str) -> None:
    """Every day has a part-0.parquet."""
    for day, table in (("day=1", TABLE[["a"]]), ("day=2", TABLE)):
        (tmp_path / day).mkdir()
        table.to_parquet(tmp_path / day / "part-0.parquet")

    error = refused(f"{tmp_path}{pattern}")
    (tmp_path / "day=2/part-0.parquet").write_bytes(b"no parquet")

    assert "day=2/part-0.parquet has 'b' and day=1/part-0.parquet has not" in str(error)
    assert "day=2/part-0.parquet is no Parquet file" in str(refused(f"{tmp_path}{pattern}"))


def test_a_column_that_is_text_in_one_file_is_text_in_all(tmp_path: Path) -> None:
    """Leading zeros survive, although the first file alone would be numbers."""
    (tmp_path / "a.csv").write_text("zip,n\n007,1\n")
    (tmp_path / "b.csv").write_text("zip,n\nA1,\n")

    table = load(place(tmp_path))

    assert table["zip"].tolist() == ["007", "A1"]
    assert table["n"].dtype == "float64"


def test_a_column_that_the_reference_holds_as_text_is_read_as_text(tmp_path: Path) -> None:
    """A day on which all codes happen to be digits is no change of type."""
    (tmp_path / "t.csv").write_text("zip\n007\n")

    assert load(place(tmp_path / "t.csv"), text_columns=frozenset({"zip", "gone"}))["zip"].tolist() == ["007"]


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_partition_that_the_reference_holds_as_text_is_read_as_text(tmp_path: Path, name: str) -> None:
    """A day on which all stores happen to have digits is no change of type."""
    folder = tmp_path / "store=007"
    folder.mkdir()
    if name == "t.csv":
        TABLE.to_csv(folder / name, index=False)
    else:
        TABLE.to_parquet(folder / name)

    assert load(place(tmp_path))["store"].tolist() == [7, 7]
    assert load(place(tmp_path), text_columns=frozenset({"store"}))["store"].tolist() == ["007", "007"]


@pytest.mark.parametrize(
    ("text_columns", "flags"),
    [(frozenset(), [False, True]), (frozenset({"flag"}), ["false", "true"])],
)
def test_a_partition_of_true_and_false_is_boolean(
    tmp_path: Path, text_columns: frozenset[str], flags: list[Any]
) -> None:
    """Unless the reference holds it as text: as in a CSV file."""
    for flag in ("false", "true"):
        (tmp_path / f"flag={flag}").mkdir()
        TABLE[:1].to_parquet(tmp_path / f"flag={flag}" / "part-0.parquet")

    assert load(place(tmp_path), text_columns=text_columns)["flag"].tolist() == flags


def test_a_parquet_file_brings_no_index_and_no_special_types(tmp_path: Path) -> None:
    """What pandas noted in the file would change columns and types from one writer to the next."""
    odd = pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}, index=[7, 9])
    odd.to_parquet(tmp_path / "t.parquet")

    table = load(place(tmp_path / "t.parquet"))

    assert list(table.columns) == ["n"]
    assert table["n"].dtype == "float64"
    assert table.index.tolist() == [0, 1]


@pytest.fixture(scope="module")
def web() -> Iterator[Any]:
    """A web server that knows /t.csv, and answers /<status> with that status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.startswith("/t.csv")
            self.send_response(200 if found else int(self.path[1:4]))
            self.end_headers()
            if found:
                self.wfile.write(TABLE.to_csv(index=False).encode())

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_read_over_http(web: str) -> None:
    """The format is that of the path; a query may follow."""
    pd.testing.assert_frame_equal(load(place(f"{web}/t.csv?sig=hush")), TABLE)


@pytest.mark.parametrize(
    ("path", "reason", "said"),
    [
        ("/404.csv?sig=hush", Reason.DATA_NOT_FOUND, "no file was found"),
        ("/410.csv?sig=hush", Reason.DATA_UNREADABLE, "answers 410"),
        ("/403.csv?sig=hush", Reason.DATA_ACCESS_DENIED, "access is denied"),
        ("/500.csv?sig=hush", Reason.DATA_UNREACHABLE, "answers 500"),
    ],
)
def test_what_a_web_server_refuses_is_told_without_the_signature(
    web: str, path: str, reason: Any, said: str
) -> None:
    """A signed address in the status would give the data to everybody who may read it."""
    error = refused(web + path)

    assert error.reason is reason
    assert said in str(error)
    assert "hush" not in str(error)


def test_a_web_server_that_is_not_there_is_unreachable() -> None:
    """It may be back for the next check."""
    error = refused("http://127.0.0.1:9/t.csv")

    assert error.reason is Reason.DATA_UNREACHABLE
    assert "Cannot connect" in str(error)
