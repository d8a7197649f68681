"""What a web server may answer: the whole file, compressed once or twice, or a part of it."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    credentials: list[str | None]

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
        self.server.credentials.append(self.headers["Authorization"])
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


@contextmanager
def running() -> Iterator[Server]:
    """Run a server on this machine."""
    server = Server(("127.0.0.1", 0), Handler)
    server.asked, server.accepted, server.credentials = [], [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def web() -> Iterator[Server]:
    """A server."""
    with running() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Server]:
    """A server of somebody else."""
    with running() as server:
        yield server


def place_of(uri: str) -> Place:
    """Return the place of an address; its Secret is called login."""
    source = DataSource.from_wire({"uri": uri, "secretRef": {"name": "login"}})
    return Place(source=source, field="spec.dataset.current.uri", env_prefix="SELFHEAL_CURRENT_")


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


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_gets_no_credential(
    web: Server, other: Server, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Not even where it leads back: whoever redirects chooses the address."""
    monkeypatch.setenv("SELFHEAL_CURRENT_token", "t0ken-of-ann")
    web.status, web.headers = status, {"Location": f"{other.address}/t.csv"}

    assert open_table(place_of(f"{web.address}/t.csv")).num_rows == 2

    assert web.credentials == ["Bearer t0ken-of-ann"]
    assert (other.asked, other.credentials) == (["/t.csv"], [None])


def test_a_redirect_within_an_origin_keeps_the_credential(
    web: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may store its files elsewhere, and read the address as it is written."""
    monkeypatch.setenv("SELFHEAL_CURRENT_token", "t0ken-of-ann")
    web.status, web.headers = 302, {"Location": "/b%2Fc.csv?sig=%2f"}

    assert "redirects too often" in str(refused(f"{web.address}/t.csv"))
    web.asked.clear()
    web.credentials.clear()
    with pytest.raises(DataError):
        open_table(place_of(f"{web.address}/t.csv"))

    assert web.asked == ["/t.csv", *["/b%2Fc.csv?sig=%2f"] * 10]
    assert set(web.credentials) == {"Bearer t0ken-of-ann"}


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/t.csv", "file:///etc/passwd", "http://"])
def test_a_redirect_leads_to_no_other_scheme(web: Server, location: str) -> None:
    """A server does not name a file of the pod."""
    web.status, web.headers = 302, {"Location": location}

    assert refused(f"{web.address}/t.csv").reason is Reason.DATA_UNREADABLE


def test_a_redirect_leads_to_permitted_addresses_only(
    web: Server, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that the platform team trusts may redirect to any other."""
    web.status, web.headers = 302, {"Location": f"{other.address}/t.csv"}
    monkeypatch.setenv("SELFHEAL_ALLOWED_URIS", f"{web.address}/*,{other.address}/*")
    assert read(f"{web.address}/t.csv") == [1, 2]
    monkeypatch.setenv("SELFHEAL_ALLOWED_URIS", f"{web.address}/*")

    error = refused(f"{web.address}/t.csv")

    assert error.reason is Reason.DATA_ACCESS_DENIED
    assert len(other.asked) == 1


LINK_LOCAL = (
    "169.254.169.254",
    "169.254.0.1",
    "[fe80::1]",
    "[febf::1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "2852039166",
    "0xa9.0376.43518",
    "metadata.google.internal",
    "METADATA.google.internal.",
)
REFUSED = "link-local addresses and metadata servers are never read"


@pytest.mark.parametrize("host", LINK_LOCAL)
def test_a_link_local_address_is_refused(host: str) -> None:
    """Clouds give whoever asks there the credentials of the node."""
    error = refused(f"http://{host}/latest/meta-data.csv")

    assert (error.reason, REFUSED in str(error)) == (Reason.DATA_ACCESS_DENIED, True), str(error)


@pytest.mark.parametrize("host", LINK_LOCAL)
def test_a_redirect_to_a_link_local_address_is_refused(web: Server, host: str) -> None:
    """The address in the spec is checked, and so is each one on the way."""
    web.status, web.headers = 302, {"Location": f"http://{host}/t.csv"}

    error = refused(f"{web.address}/t.csv")

    assert (error.reason, REFUSED in str(error)) == (Reason.DATA_ACCESS_DENIED, True), str(error)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
def test_a_name_that_stands_for_a_link_local_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Anybody may own a name; what counts is the address that is connected to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 80, 0, 0)[: 4 if ":" in address else 2])]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    error = refused("http://innocent.example/t.csv")

    assert (error.reason, REFUSED in str(error)) == (Reason.DATA_ACCESS_DENIED, True), str(error)


@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "gzip"}])
def test_a_download_has_a_limit(
    web: Server, monkeypatch: pytest.MonkeyPatch, encoding: dict[str, str]
) -> None:
    """Of the bytes that are stored: a small answer may be compressed."""
    web.body = gzip.compress(CSV) if encoding else CSV
    web.headers = encoding
    monkeypatch.setenv("SELFHEAL_MAX_DOWNLOAD_BYTES", str(len(CSV)))
    assert read(f"{web.address}/t.csv") == [1, 2]
    monkeypatch.setenv("SELFHEAL_MAX_DOWNLOAD_BYTES", str(len(CSV) - 1))

    error = refused(f"{web.address}/t.csv")

    assert error.reason is Reason.DATA_UNREADABLE
    assert "larger than 5 bytes" in str(error)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_an_answer_is_not_quoted(web: Server, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A spec may name a server that its author cannot reach."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    web.status, web.body = status, b"the-inner-secret"

    assert "the-inner-secret" not in str(refused(f"{web.address}/t.csv"))
