"""A web server whose every answer is chosen by an attack, and which keeps what it was asked."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from siege.ground import Ground


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; a body of several parts is sent without its length."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    method: str
    path: str
    authorization: str | None
    body: bytes
    headers: Mapping[str, str]


class Web(ThreadingHTTPServer):
    """A server on 127.0.0.1. Paths that `route` does not know are answered by 404."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self._routes: dict[str, Callable[[Asked], Answer]] = {}
        self.otherwise: Callable[[Asked], Answer] = lambda _: Answer(status=404)

    @property
    def address(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.server_port}"

    def route(self, path: str, answer: Answer | Callable[[Asked], Answer]) -> str:
        """Choose the answer at a path, and return its address."""
        self._routes[path] = answer if callable(answer) else lambda _: answer
        return self.address + path

    def to(self, path: str) -> list[Asked]:
        """Return the requests for a path."""
        return [each for each in self.asked if each.path == path]

    def answer(self, asked: Asked) -> Answer:
        """Return the answer to a request."""
        self.asked.append(asked)
        return self._routes.get(asked.path.partition("?")[0], self.otherwise)(asked)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients may hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: Web
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Answer as the server says."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, self.headers["Authorization"], body, dict(self.headers))
        found = self.server.answer(asked)
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        parts: Iterable[bytes] = [found.body] if isinstance(found.body, bytes) else found.body
        if isinstance(found.body, bytes):
            self.send_header("Content-Length", str(len(found.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(OSError):
            for part in parts:
                self.wfile.write(part)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class' names

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(_: object = None) -> Iterator[Web]:
    """Run a server until the end of the block."""
    server = Web()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def web(ground: Ground, name: str = "web") -> Web:
    """Return a server of this name, which runs until the end of the siege."""
    return ground.server(name, serving)
