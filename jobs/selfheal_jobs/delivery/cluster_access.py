"""Authenticates to the API server: with the pod's ServiceAccount, or with a kubeconfig."""

import base64
import json
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from selfheal_jobs.transport.json_http import Server
from selfheal_operator.api.names import SERVICE_ACCOUNT_FOLDER

_ACCOUNT: Final = Path(SERVICE_ACCOUNT_FOLDER)


class AccessError(Exception):
    """The environment's configuration does not give access to the API server."""


class Access(Struct, frozen=True):
    """An API server, and the token or client certificate for it."""

    url: str
    context: ssl.SSLContext | None
    token: str = ""
    token_file: Path | None = None
    """Read before each request, since the kubelet rotates the token."""

    def server(self) -> Server:
        """Return a client with one connection. Its requests raise AccessError for an unreadable token."""
        return Server(self.url, headers=self._authorization, context=self.context, any_address=True)

    def tokens(self) -> Iterator[str]:
        """Yield the token as it is now, for masking."""
        if self.token:
            yield self.token
        with suppress(OSError):
            if self.token_file:
                yield self.token_file.read_text(encoding="utf-8").strip()

    def _authorization(self) -> dict[str, str]:
        try:
            token = self.token_file.read_text(encoding="utf-8").strip() if self.token_file else self.token
        except OSError as error:
            raise AccessError(f"the token cannot be read: {error}") from error
        return {"Authorization": f"Bearer {token}"} if token else {}


def of_pod(environment: Mapping[str, str], account: Path = _ACCOUNT) -> Access:
    """Return the access of the pod's own ServiceAccount.

    Raises:
        AccessError: No token is mounted.
    """
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    if ":" in host:
        host = f"[{host}]"
    token, authority = account / "token", account / "ca.crt"
    for needed in (token, authority):
        if not needed.is_file():
            raise AccessError(f"{needed} is not there")
    return Access(
        f"https://{host}:{port}", ssl.create_default_context(cafile=str(authority)), token_file=token
    )


def of_kubeconfig(path: Path) -> Access:
    """Return the access of a kubeconfig's current context: a token, or a client certificate.

    Raises:
        AccessError: It cannot be read, or needs an exec plugin or an auth provider.
    """
    try:
        document = _document(path.read_text(encoding="utf-8"))
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        url, trusted = str(cluster["server"]).rstrip("/"), _context(cluster, user, path.parent)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise AccessError(f"{type(error).__name__}: {error}") from error
    if "exec" in user or "auth-provider" in user:
        raise AccessError("it calls a program for its credentials; use one with a token or a certificate")
    token_file = path.parent / user["tokenFile"] if "tokenFile" in user else None
    return Access(url, trusted, token=user.get("token", ""), token_file=token_file)


def _document(text: str) -> Any:
    """Parse a kubeconfig: first as JSON, since importing a YAML parser takes 30 ms."""
    try:
        return json.loads(text)
    except ValueError:
        import yaml  # noqa: PLC0415  for runs by hand and local clusters; a pod has no kubeconfig

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"no YAML: {error}") from error


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in entries if each["name"] == name)


def _context(cluster: Mapping[str, Any], user: Mapping[str, Any], folder: Path) -> ssl.SSLContext | None:
    if not cluster["server"].startswith("https://"):  # no TLS: saves reading certificates, 30 ms
        return None
    authority = _bytes(cluster, "certificate-authority", folder)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _bytes(user, "client-certificate", folder)
    key = _bytes(user, "client-key", folder)
    if certificate and key:
        with tempfile.NamedTemporaryFile() as both:  # the ssl module reads them only from files
            both.write(certificate + b"\n" + key)
            both.flush()
            context.load_cert_chain(both.name)
    return context


def _bytes(part: Mapping[str, Any], name: str, folder: Path) -> bytes:
    if f"{name}-data" in part:
        return base64.b64decode(part[f"{name}-data"])
    return (folder / part[name]).read_bytes() if name in part else b""
