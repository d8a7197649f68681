"""Somebody at the API server, by a credential of theirs. A body may be text that no JSON library writes."""

import http.client
import json
import ssl
import threading
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from selfheal_operator.api.names import API_VERSION, PLURAL
from testbed.kubectl import Document

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"
CORE: Final = "v1"
GROUPS: Final = {
    PLURAL: API_VERSION,
    "jobs": "batch/v1",
    "roles": "rbac.authorization.k8s.io/v1",
    "rolebindings": "rbac.authorization.k8s.io/v1",
    "clusterrolebindings": "rbac.authorization.k8s.io/v1",
    "clusterroles": "rbac.authorization.k8s.io/v1",
    "leases": "coordination.k8s.io/v1",
    "validatingadmissionpolicies": "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings": "admissionregistration.k8s.io/v1",
    "customresourcedefinitions": "apiextensions.k8s.io/v1",
}
DRY: Final = "?dryRun=All"
_SECONDS: Final = 90
_LOST: Final = (http.client.HTTPException, ConnectionError, ssl.SSLEOFError)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API server."""

    code: int
    text: str

    @property
    def taken(self) -> bool:
        """Whether the request was accepted."""
        return self.code < 300

    @property
    def document(self) -> Document:
        """The document of the answer."""
        document: Document = json.loads(self.text)
        return document

    def __str__(self) -> str:
        return f"{self.code} taken" if self.taken else f"{self.code} {self._message()}"

    def _message(self) -> str:
        try:
            return str(json.loads(self.text)["message"])
        except (ValueError, KeyError, TypeError):
            return self.text[:200]


def collection(plural: str, namespace: str = "", *names: str) -> str:
    """Return the path of a kind of object, or of one of them by its name and a subresource."""
    group = GROUPS.get(plural, CORE)
    root = f"/api/{group}" if group == CORE else f"/apis/{group}"
    within = f"/namespaces/{namespace}" if namespace else ""
    return "/".join((f"{root}{within}/{plural}", *names))


class Caller:
    """One identity. Requests are sent one after the other.

    Args:
        server: The API server's URL.
        trust: Verifies it, and may have a client certificate.
        token: A bearer token, or none.
    """

    def __init__(self, server: str, trust: ssl.SSLContext, token: str = "") -> None:
        self._address, self._trust = urlsplit(server), trust
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._lock = threading.Lock()
        self._connection = self._connected()

    def ask(self, method: str, path: str, body: Any = None, *, kind: str = JSON) -> Reply:
        """Send a request, and return the answer; once more if the server has closed the connection.

        Args:
            method: The HTTP method.
            path: With its query.
            body: A document; text is sent as it is.
            kind: The content type.
        """
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        headers = self._headers | {"Content-Type": kind, "Accept": JSON}
        with self._lock:
            try:
                return self._exchanged(method, path, text, headers)
            except _LOST:
                self._connection.close()
                self._connection = self._connected()
                return self._exchanged(method, path, text, headers)

    def merge(self, path: str, changes: Document) -> Reply:
        """Send a merge patch."""
        return self.ask("PATCH", path, changes, kind=MERGE)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _connected(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            str(self._address.hostname), self._address.port, context=self._trust, timeout=_SECONDS
        )

    def _exchanged(self, method: str, path: str, text: str | None, headers: dict[str, str]) -> Reply:
        self._connection.request(method, path, text.encode() if text is not None else None, headers)
        response = self._connection.getresponse()
        return Reply(response.status, response.read().decode(errors="replace"))
