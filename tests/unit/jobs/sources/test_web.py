"""What a web server may answer: the whole file, compressed once or twice, or a part of it."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

CSV = b"a\n1\n2\n"


class Server(ThreadingHTTPServer):
    """Answers every request alike, and keeps what it was asked."""

    status = 200
    body = CSV
    headers: dict[str, str] = {}  # noqa: RUF012  each test sets its own
    asked: list[str]
    accepted: list[str | None]

    @property
    def address(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers as its server says."""

    server: Server

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append(self.path)
        self.server.accepted.append(self.headers["Accept-Encoding"])
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        body = b"" if self.server.status in {204, 304} else self.server.body
        if body:  # the two statuses have none
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[Server]:
    """A server on this machine."""
    server = Server(("127.0.0.1", 0), Handler)
    server.asked, server.accepted = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def read(uri: str) -> list[Any]:
    """Return the column a of the file at an address."""
    place = Place(source=DataSource(uri=uri), field="spec.dataset.current.uri")
    return list(open_table(place).column("a").to_pylist())


def refused(uri: str) -> DataError:
    """Return the complaint about an address."""
    with pytest.raises(DataError) as caught:
        read(uri)
    return caught.value


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("t.csv", gzip.compress(CSV, mtime=0)),
        ("t.csv.gz", gzip.compress(CSV, mtime=0)),
        ("t.CSV.GZ", gzip.compress(CSV, mtime=0)),
        ("t.csv.gz", gzip.compress(gzip.compress(CSV, mtime=0), mtime=0)),
    ],
)
def test_a_compressed_answer_is_decompressed_as_often_as_it_was_compressed(
    web: Server, name: str, body: bytes
) -> None:
    """Servers declare a compressed file, as well as one that they compress themselves, by one header."""
    web.body, web.headers = body, {"Content-Encoding": "gzip"}

    assert read(f"{web.address}/{name}") == [1, 2]
    assert web.accepted == ["identity"]


def test_a_compressed_file_without_a_header_is_read_by_its_name(web: Server) -> None:
    """As on a volume."""
    web.body = gzip.compress(CSV, mtime=0)

    assert read(f"{web.address}/t.csv.gz") == [1, 2]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (202, Reason.DATA_UNREADABLE),
        (203, Reason.DATA_UNREADABLE),
        (204, Reason.DATA_UNREADABLE),
        (206, Reason.DATA_UNREADABLE),
        (304, Reason.DATA_UNREADABLE),
        (503, Reason.DATA_UNREACHABLE),
    ],
)
def test_only_200_is_the_whole_file(
    web: Server, monkeypatch: pytest.MonkeyPatch, status: int, reason: Reason
) -> None:
    """A part of the rows would look like drift, and no rows like a table without data."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    web.status = status

    error = refused(f"{web.address}/t.csv")

    assert error.reason is reason
    assert f"the server answers {status}" in str(error)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/a%2Fb%7Ec+d.csv?sig=%2f%7e%2B+%3D", "/a%2Fb%7Ec+d.csv?sig=%2f%7e%2B+%3D"),
        ("/ä b.csv", "/%C3%A4%20b.csv"),
        ("/100%.csv", "/100%25.csv"),
    ],
)
def test_an_address_is_sent_as_it_is_written(web: Server, written: str, sent: str) -> None:
    """A signature covers the spelling; only characters that no address may have are escaped."""
    read(web.address + written)

    assert web.asked == [sent]


@pytest.mark.parametrize("length", [255, 256, 900])
def test_the_last_part_of_an_address_may_be_longer_than_a_file_name(web: Server, length: int) -> None:
    """Its suffix still tells the format."""
    assert read(f"{web.address}/{'x' * (length - 4)}.csv") == [1, 2]


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:99999/t.csv",
        "http://127.0.0.1:port/t.csv",
        "http://[::1/t.csv",
        "http:///t.csv",
        "http://a..b/t.csv",
        f"http://{'x' * 64}.example/t.csv",
    ],
)
def test_a_malformed_address_is_named_with_its_field(uri: str) -> None:
    """It is the user's to correct."""
    error = refused(uri)

    assert error.reason is Reason.DATA_UNREADABLE
    assert str(error).startswith("spec.dataset.current.uri: ")
    assert str(error).endswith("the address is malformed. Correct it.")
