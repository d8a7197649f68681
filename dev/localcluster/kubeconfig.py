"""Builds kubeconfig documents."""

import base64
from pathlib import Path
from typing import Any

import yaml

NAME = "localcluster"


def kubeconfig(server: str, ca: bytes, user: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
    """Make a kubeconfig with one cluster, one user and one context.

    Args:
        server: The API server's URL.
        ca: The authority's certificate, PEM.
        user: The user's credentials, as `certificate_user` or `token_user` give them.
        namespace: The default namespace.
    """
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": user}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": namespace}}],
        "current-context": NAME,
    }


def certificate_user(certificate: bytes, key: bytes) -> dict[str, Any]:
    """Make the credentials of a client certificate, carried inside the kubeconfig."""
    pair = {"client-certificate-data": certificate, "client-key-data": key}
    return {name: base64.b64encode(pem).decode() for name, pem in pair.items()}


def token_user(token_file: Path) -> dict[str, Any]:
    """Make the credentials of a token that is kept, and renewed, in a file."""
    return {"tokenFile": str(token_file)}


def write_kubeconfig(path: Path, document: dict[str, Any]) -> None:
    """Write a kubeconfig that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
