"""JSON over HTTP(S): the few calls that a check makes, to the API server and to MLflow.

The official clients know hundreds of calls, and importing them takes half a second and two: more than a check
needs for everything else. The standard library's own client takes a twentieth, and honours the same proxy
variables.
"""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


class AnswerError(Exception):
    """The server answered, but not with success."""

    def __init__(self, status: int, reason: str, body: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.body = body
        self.headers = headers


UNREACHABLE = (OSError, http.client.HTTPException)
"""What is raised when no answer came: refused, reset, timed out, not trusted, or torn in the middle."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A base address and how one is let in there."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    context: ssl.SSLContext | None = None
    """Whom to trust over https; absent: whom the system trusts."""

    def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        content_type: str = "application/json",
        timeout_seconds: float = 10,
    ) -> Any:
        """Send a document as JSON, or bytes as they are, and return the answer's document, if it has one.

        Raises:
            AnswerError: The server answered with an error.
            OSError: No answer came; see UNREACHABLE for all the ways in which it may not.
        """
        data = document if isinstance(document, bytes | None) else json.dumps(document).encode()
        headers = {"Accept": "application/json", **self.headers}
        if data is not None:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310  see _opener
        try:
            with self._opener.open(request, timeout=timeout_seconds) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise AnswerError(error.code, error.reason, _text(error), dict(error.headers)) from error
        try:
            return json.loads(body) if body else None
        except ValueError as error:  # some proxy's page, say
            raise AnswerError(
                200, "no JSON in the answer", body[:300].decode(errors="replace"), {}
            ) from error

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        """Return a client that speaks HTTP and nothing else: `urlopen` would read a file, too."""
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=self.context),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPErrorProcessor(),
        ):
            opener.add_handler(handler)
        return opener


def _text(error: urllib.error.HTTPError) -> str:
    try:
        return error.read().decode(errors="replace")
    except UNREACHABLE:
        return ""
