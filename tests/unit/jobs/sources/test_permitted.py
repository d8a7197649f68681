"""Servers that a run does not read, whatever source leads there."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

PREFIX = "SELFHEAL_CURRENT_"
REFUSED = "link-local addresses and metadata servers are never read"
KEYS = {"AWS_ACCESS_KEY_ID": "id-of-ann", "AWS_SECRET_ACCESS_KEY": "k3y-of-ann"}
SOURCES: tuple[tuple[str, dict[str, str]], ...] = (
    ("s3://lake/t.csv", KEYS | {"AWS_ENDPOINT_URL": "http://{}:9000"}),
    ("s3://lake/t.csv", KEYS | {"AWS_ENDPOINT_URL_S3": "https://{}"}),
    ("gs://lake/t.csv", {"GOOGLE_CREDENTIALS": "{}", "STORAGE_EMULATOR_HOST": "http://{}:4443"}),
    ("sql://t", {"url": "postgresql://ann:pw@{}/db"}),
    ("sql://t", {"url": "postgresql://ann:pw@/db?host={}"}),
    ("sql://t", {"url": "postgresql://ann:pw@innocent.test/db?hostaddr={}"}),
    ("sql://t", {"url": "postgresql://ann:pw@/db?host=localhost:1&host={}:5432"}),
    ("sql://t", {"url": "mysql://ann:pw@{}/db"}),
)


def refused(uri: str) -> DataError:
    """Return the complaint about an address; its Secret is called lake."""
    source = DataSource.from_wire({"uri": uri, "secretRef": {"name": "lake"}})
    place = Place(source=source, field="spec.dataset.current.uri", env_prefix=PREFIX)
    with pytest.raises(DataError) as caught:
        open_table(place)
    return caught.value


@pytest.mark.parametrize(("uri", "secret"), SOURCES)
@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal"])
def test_a_link_local_server_is_refused(
    monkeypatch: pytest.MonkeyPatch, uri: str, secret: dict[str, str], host: str
) -> None:
    """A Secret is the user's too, and names the server of an object store or a database."""
    for name, value in secret.items():
        monkeypatch.setenv(PREFIX + name, value.replace("{}", host))

    error = refused(uri)

    assert (error.reason, REFUSED in str(error)) == (Reason.DATA_ACCESS_DENIED, True), str(error)


@pytest.mark.parametrize(("uri", "secret"), [SOURCES[0], SOURCES[2], SOURCES[3]])
def test_a_server_whose_name_stands_for_a_link_local_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, uri: str, secret: dict[str, str]
) -> None:
    """Anybody may own a name."""
    found: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    for name, value in secret.items():
        monkeypatch.setenv(PREFIX + name, value.replace("{}", "innocent.test"))

    error = refused(uri)

    assert (error.reason, REFUSED in str(error)) == (Reason.DATA_ACCESS_DENIED, True), str(error)


@pytest.mark.parametrize("account", ["169.254.169.254/?", "evil.test#", "UPPER", "ab"])
def test_an_account_of_azure_is_a_name(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    """It becomes a part of a host's name."""
    monkeypatch.setenv(f"{PREFIX}AZURE_STORAGE_ACCOUNT", account)
    monkeypatch.setenv(f"{PREFIX}AZURE_STORAGE_KEY", "k3y-of-lake")

    assert "is no name of a storage account" in str(refused("az://lake/t.csv"))


@pytest.mark.parametrize(
    ("uri", "secret", "shown"),
    [
        ("https://other.test/t.csv?sig=s1gnature", {"token": "t0ken-of-ann"}, "https://other.test/t.csv"),
        ("/data/t.csv", {}, "/data/t.csv"),
        ("s3://other/t.csv", KEYS, "s3://other/t.csv"),
        ("s3://lake/t.csv", KEYS | {"AWS_ENDPOINT_URL": "http://other.test:9000"}, "http://other.test:9000"),
        ("sql://t", {"url": "postgresql://ann:pw@other.test:5432/db"}, "postgresql://other.test:5432/db"),
    ],
)
def test_an_address_that_the_platform_team_does_not_permit_is_refused(
    monkeypatch: pytest.MonkeyPatch, uri: str, secret: dict[str, str], shown: str
) -> None:
    """The operator has refused those that are in the spec; others are in a Secret."""
    monkeypatch.setenv("SELFHEAL_ALLOWED_URIS", "https://lake.test/*,s3://lake/*")
    for name, value in secret.items():
        monkeypatch.setenv(PREFIX + name, value)

    error = refused(uri)

    assert error.reason is Reason.DATA_ACCESS_DENIED
    assert f"{shown} matches none of the platform team's SELFHEAL_ALLOWED_URIS" in str(error)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 418, 500])
@pytest.mark.parametrize("uri", ["s3://lake/t.csv", "s3://lake/t/", "s3://lake/t/*.csv"])
@pytest.mark.parametrize("head", [None, 404])
def test_an_answer_of_a_store_is_not_quoted(
    monkeypatch: pytest.MonkeyPatch, uri: str, status: int, head: int | None
) -> None:
    """An endpoint may be any server in the cluster."""
    page = b"<Error><Code>inner-code</Code><Message>inner-secret</Message></Error>"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer as any server would."""
            self.send_response(head or status if self.command == "HEAD" else status, "inner-reason")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page if self.command == "GET" else b"")

        do_HEAD = do_GET  # noqa: N815 - the base class looks for these names

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
        for name, value in KEYS.items():
            monkeypatch.setenv(PREFIX + name, value)
        monkeypatch.setenv(f"{PREFIX}AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        error = refused(uri)
        server.shutdown()

    assert "inner" not in str(error)
