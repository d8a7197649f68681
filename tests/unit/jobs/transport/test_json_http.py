"""The server here is a small one that notes each request and the connection that it came on."""

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Network
from typing import Any

import pytest

from selfheal_jobs.transport import forbidden_addresses, json_http
from selfheal_jobs.transport.forbidden_addresses import ForbiddenAddressError
from selfheal_jobs.transport.json_http import AnswerError, Server


class Noted:
    """What a server was asked, and how it is to answer."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b'{"a": 1}'
        self.closing = False
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections: set[Any] = set()


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Noted]:
    """A server on a free port; the environment names no proxy."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    noted = Noted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            noted.requests.append((self.command, self.path, dict(self.headers), body))
            noted.connections.add(self.client_address)
            self.send_response(noted.status)
            for name, value in noted.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(noted.body)))
            self.end_headers()
            self.wfile.write(noted.body)
            self.close_connection = self.close_connection or noted.closing

        do_GET = do_POST = do_PATCH = do_CONNECT = answer  # noqa: N815 - the base class looks for these names

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        noted.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
        yield noted
        server.shutdown()


def test_all_calls_to_a_server_go_over_one_connection(noted: Noted) -> None:
    """Whatever it answers: an error's body is read as well."""
    server = Server(noted.url)

    assert server.call("GET", "/one") == {"a": 1}
    noted.status = 503
    with pytest.raises(AnswerError):
        server.call("POST", "/two", {"b": 2})
    noted.status = 200
    server.call("PATCH", "/three", b"text", content_type="text/plain")

    assert [(method, path, body) for method, path, _, body in noted.requests] == [
        ("GET", "/one", b""),
        ("POST", "/two", b'{"b": 2}'),
        ("PATCH", "/three", b"text"),
    ]
    assert len(noted.connections) == 1


def test_a_connection_that_was_closed_while_it_was_idle_is_opened_again(noted: Noted) -> None:
    """The server does not say so in its answer: the client finds out at the next call."""
    noted.closing = True
    server = Server(noted.url)

    assert [server.call("GET", path) for path in ("/one", "/two")] == [{"a": 1}] * 2
    assert [path for _, path, _, _ in noted.requests] == ["/one", "/two"]


def test_a_server_that_is_not_there_is_unreachable(noted: Noted) -> None:
    """A connection that was never open is not opened twice."""
    with pytest.raises(ConnectionRefusedError):
        Server("http://127.0.0.1:9").call("GET", "/")


def test_a_base_address_may_have_a_path(noted: Noted) -> None:
    """An MLflow behind an ingress, say."""
    Server(f"{noted.url}/mlflow").call("GET", "/api")

    assert noted.requests[0][1] == "/mlflow/api"


def test_headers_are_asked_for_before_each_call(noted: Noted) -> None:
    """The kubelet renews a token."""
    tokens = iter(["old", "new"])
    server = Server(noted.url, headers=lambda: {"Authorization": next(tokens)})

    server.call("GET", "/")
    server.call("GET", "/")

    assert [headers["Authorization"] for _, _, headers, _ in noted.requests] == ["old", "new"]


def test_an_error_has_the_servers_words(noted: Noted) -> None:
    """Its status, its body, and its headers."""
    noted.status, noted.body, noted.headers = 429, b"busy", {"Retry-After": "7"}

    with pytest.raises(AnswerError, match="429 Too Many Requests") as error:
        Server(noted.url).call("GET", "/")
    assert (error.value.status, error.value.body, error.value.headers["Retry-After"]) == (429, "busy", "7")


def test_a_moved_address_is_an_error_that_says_where_to(noted: Noted) -> None:
    """A POST would become a GET on the way; the address has to be corrected."""
    noted.status, noted.headers = 301, {"Location": "https://mlflow.example/"}

    with pytest.raises(AnswerError, match=r"moved to https://mlflow\.example/"):
        Server(noted.url).call("GET", "/")


def test_a_moved_address_is_shown_without_its_query(noted: Noted) -> None:
    """It may be that of a login page, with a token."""
    noted.status, noted.headers = 302, {"Location": "https://login.example/?state=t0ken#t0ken"}

    with pytest.raises(AnswerError, match=r"moved to https://login\.example/$"):
        Server(noted.url).call("GET", "/")


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[::ffff:a9fe:a9fe]", "metadata.google.internal"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_link_local_address_is_not_connected_to(host: str, scheme: str) -> None:
    """A spec names the address of MLflow, and a cloud serves a node's credentials there."""
    with pytest.raises(ForbiddenAddressError):
        Server(f"{scheme}://{host}").call("GET", "/")


def test_a_name_that_stands_for_a_link_local_address_is_sent_nothing(
    noted: Noted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is the address at the other end, and a server that the cluster names is exempt."""
    monkeypatch.setattr(forbidden_addresses, "_LINK_LOCAL", (IPv4Network("127.0.0.0/8"),))
    url = noted.url.replace("127.0.0.1", "localhost")

    with pytest.raises(ForbiddenAddressError):
        Server(url).call("GET", "/")
    assert noted.requests == []
    assert Server(url, any_address=True).call("GET", "/") == {"a": 1}


def test_a_proxy_is_not_asked_for_a_link_local_address(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect to it."""
    monkeypatch.setenv("http_proxy", noted.url)

    with pytest.raises(ForbiddenAddressError):
        Server("http://169.254.169.254").call("GET", "/")
    assert noted.requests == []


def test_an_answer_has_a_limit(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any server may be named, and an answer is held in memory."""
    monkeypatch.setattr(json_http, "_MOST_BYTES", len(noted.body))
    server = Server(noted.url)
    assert server.call("GET", "/") == {"a": 1}
    noted.body += b" "

    with pytest.raises(http.client.HTTPException, match="larger than 8 bytes"):
        server.call("GET", "/")


def test_a_page_instead_of_json_is_an_error(noted: Noted) -> None:
    """Some proxy's, say."""
    noted.body = b"<html>"

    with pytest.raises(AnswerError, match="no JSON in the answer") as error:
        Server(noted.url).call("GET", "/")
    assert error.value.body == "<html>"


def test_an_empty_answer_is_none(noted: Noted) -> None:
    """As to a write that has nothing to say."""
    noted.body = b""

    assert Server(noted.url).call("POST", "/", {}) is None


def test_the_proxy_of_the_environment_is_asked(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the whole address, and its own credentials."""
    monkeypatch.setenv("http_proxy", noted.url.replace("http://", "http://user:p%40ss@"))

    assert Server("http://mlflow.invalid:5000/base").call("GET", "/path") == {"a": 1}

    ((_, path, headers, _),) = noted.requests
    assert path == "http://mlflow.invalid:5000/base/path"
    assert headers["Host"] == "mlflow.invalid:5000"
    assert headers["Proxy-Authorization"] == "Basic dXNlcjpwQHNz"


def test_https_goes_through_a_tunnel_of_the_proxy(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy here refuses it; that it was asked is what counts."""
    monkeypatch.setenv("https_proxy", noted.url)
    noted.status = 502

    with pytest.raises(OSError, match="502"):
        Server("https://mlflow.invalid").call("GET", "/path")

    assert noted.requests[0][:2] == ("CONNECT", "mlflow.invalid:443")


def test_no_proxy_names_what_is_reached_directly(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server, in most clusters with a proxy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert Server(noted.url).call("GET", "/direct") == {"a": 1}


def test_json_may_hold_any_text(noted: Noted) -> None:
    """Names of columns, say."""
    Server(noted.url).call("POST", "/", {"name": "Größe"})

    assert json.loads(noted.requests[0][3]) == {"name": "Größe"}
