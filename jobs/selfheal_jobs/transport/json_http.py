"""A minimal JSON client over HTTP(S), for the few requests of a run to the API server and to MLflow.

The official clients of Kubernetes and MLflow take half a second and two seconds to import: more than the rest
of a check. Even urllib3 takes 50 ms to import. The standard library's own client takes 2 ms.
"""

import base64
import http.client
import json
import os
import re
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from selfheal_jobs.transport.forbidden_addresses import require_address, require_host


class AnswerError(Exception):
    """The server sent an unsuccessful response."""

    def __init__(self, status: int, reason: str, body: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.body = body
        self.headers = headers


UNREACHABLE = (OSError, http.client.HTTPException)
"""Raised if there is no response: connection refused or reset, timeout, untrusted certificate, truncation."""

_CLOSED_WHILE_IDLE: Final = (ConnectionError, http.client.RemoteDisconnected, ssl.SSLEOFError)

_MOST_BYTES: Final = 64 << 20
"""The largest answer. A profile of a reference takes 16 MiB, and becomes larger as a JSON string."""
_QUERY: Final = re.compile(r"[?#].*", re.DOTALL)


class Server:
    """A client for one base URL with authentication, over one persistent connection.

    Args:
        url: The base URL, without a trailing slash.
        headers: Returns the authentication headers; called before each request, since tokens are rotated.
        context: The trusted certificates for https; None for those of the system.
        any_address: Whether the address comes from the cluster, not from a spec. Otherwise
            ForbiddenAddressError, an OSError, is raised for a link-local one.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        context: ssl.SSLContext | None = None,
        any_address: bool = False,
    ) -> None:
        self.url = url
        self._any_address = any_address
        self._headers = headers
        self._address = urlsplit(url)
        self._proxy = _proxy_of(self._address)
        self._connection = _connection(self._address, self._proxy, context)
        self._lock = threading.Lock()
        weakref.finalize(self, self._connection.close)

    def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        content_type: str = "application/json",
        timeout_seconds: float = 10,
    ) -> Any:
        """Send a document as JSON, or bytes unchanged, and return the JSON response, or None if it is empty.

        Raises:
            AnswerError: The server responded with an error or a redirect.
            OSError: There was no response; UNREACHABLE lists all exception types for this.
        """
        data = document if isinstance(document, bytes | None) else json.dumps(document).encode()
        headers = {"Accept": "application/json", **self._headers()}
        if data is not None:
            headers["Content-Type"] = content_type
        with self._lock:
            answer = self._answer(method, path, data, headers, timeout_seconds)
        if not 200 <= answer.status < 300:
            raise AnswerError(
                answer.status, answer.reason, answer.body.decode(errors="replace"), answer.headers
            )
        try:
            return json.loads(answer.body) if answer.body else None
        except (ValueError, RecursionError) as error:  # such as a proxy's error page
            shown = answer.body[:300].decode(errors="replace")
            raise AnswerError(answer.status, "no JSON in the answer", shown, {}) from error

    def _answer(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], timeout_seconds: float
    ) -> "_Answer":
        """Send a request and read the response; retry once if the server had closed an idle connection.

        The server closes a connection that was idle for long, and the client notices at the next request. On
        a new connection the same error means that the server is unreachable.
        """
        was_open = self._connection.sock is not None
        try:
            return self._exchange(method, path, data, headers, timeout_seconds)
        except _CLOSED_WHILE_IDLE:
            if not was_open:
                raise
        return self._exchange(method, path, data, headers, timeout_seconds)

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], timeout_seconds: float
    ) -> "_Answer":
        connection = self._connection
        connection.timeout = timeout_seconds
        if connection.sock is not None:
            connection.sock.settimeout(timeout_seconds)
        else:
            self._connect()
        target = self._address.path + path
        if self._proxy is not None and self._address.scheme == "http":
            target, headers = self.url + path, _proxy_headers(self._proxy) | headers
        try:
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            return _Answer(response.status, _reason(response), _body(response), dict(response.headers))
        except BaseException:  # part of the response may still arrive
            connection.close()
            raise

    def _connect(self) -> None:
        """Connect, and raise ForbiddenAddressError before anything is sent to a forbidden address."""
        connection = self._connection
        if not self._any_address:
            require_host(self._address.hostname or "")
        try:
            connection.connect()
            if not self._any_address:
                require_address(connection.sock.getpeername()[0])
        except BaseException:
            connection.close()
            raise


class _Answer(Struct, frozen=True):
    status: int
    reason: str
    body: bytes
    headers: Mapping[str, str]


def _body(response: http.client.HTTPResponse) -> bytes:
    body = response.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        raise http.client.HTTPException(f"the answer is larger than {_MOST_BYTES} bytes")
    return body


def _reason(response: http.client.HTTPResponse) -> str:
    """Return the reason phrase, and the target of a redirect, which is not followed: it would lose a POST."""
    elsewhere = response.headers.get("Location") if 300 <= response.status < 400 else None
    if not elsewhere:
        return response.reason
    # A query may hold a token, such as that of a login page.
    return f"{response.reason}: the address has moved to {_QUERY.sub('', elsewhere)}"


def _connection(
    address: SplitResult, proxy: SplitResult | None, context: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    """Return a connection, through the proxy if there is one; it is opened by the first request."""
    nearest = proxy or address
    host, port = nearest.hostname or "", nearest.port
    if address.scheme != "https":
        # With a port in any case: without one, the client takes the end of an IPv6 address for it.
        return http.client.HTTPConnection(host, port or 80)
    # Created only for https, since reading the system's certificates takes 30 ms.
    secure = http.client.HTTPSConnection(host, port or (80 if proxy else 443), context=context)
    if proxy is not None:
        secure.set_tunnel(address.hostname or "", address.port or 443, _proxy_headers(proxy))
    return secure


def _proxy_of(address: SplitResult) -> SplitResult | None:
    """Return the proxy that the environment names for an address (http_proxy, https_proxy, no_proxy)."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Imported here, since it takes 1 % of a check and most containers have no proxy.
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

    named = getproxies().get(address.scheme)
    if not named or proxy_bypass(address.netloc):
        return None
    return urlsplit(named if "://" in named else f"http://{named}")


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    both = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(both.encode()).decode()}
