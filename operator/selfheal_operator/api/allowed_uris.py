"""The addresses that the platform team permits for data and for MLflow, as patterns of URIs."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class _Address(NamedTuple):
    scheme: str
    authority: str
    path: str


def is_allowed(uri: str, patterns: Iterable[str]) -> bool:
    """Return whether an address matches one of the patterns; without patterns every address does.

    In a pattern `*` stands for any characters, in the host or bucket for any but a slash: a pattern of
    hosts matches no path of another host. A query of http(s) does not count. An absolute path is the same
    as `file://` and the path. Addresses with `..`, a backslash or user information match nothing.

    >>> is_allowed("https://data.example.com/churn/live.csv?sig=1", ["https://*.example.com/churn/*"])
    True
    >>> is_allowed("https://evil.test/.example.com/churn/x", ["https://*.example.com/churn/*"])
    False
    >>> is_allowed("s3://lake/team-a/../team-b/x.csv", ["s3://lake/team-a/*"])
    False
    >>> is_allowed("/data/live.csv", ["file:///data/*"])
    True
    """
    patterns = list(patterns)
    if not patterns:
        return True
    address = _address(uri)
    return not _is_ambiguous(address) and any(_matches(address, _address(pattern)) for pattern in patterns)


def is_pattern(text: str) -> bool:
    """Return whether a text has a scheme, or is an absolute path."""
    return text.startswith("/") or bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text))


def _address(uri: str) -> _Address:
    if uri.startswith("/"):
        return _Address("file", "", uri)
    scheme, _, rest = uri.partition("://")
    scheme = scheme.lower()
    if scheme in _DEFAULT_PORTS:
        rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    authority, slash, path = rest.partition("/")
    authority = authority.lower().removesuffix(_DEFAULT_PORTS.get(scheme, "/"))
    return _Address(scheme, authority, f"/{path}" if slash else "/")


def _is_ambiguous(address: _Address) -> bool:
    """Return whether another program may read the address as another one."""
    decoded = unquote(unquote(address.path))
    dotted = any(part in {".", ".."} for part in re.split(r"[/\\]", decoded))
    return dotted or bool(re.search(r"[@\\\s]", address.authority)) or "\\" in decoded


def _matches(address: _Address, pattern: _Address) -> bool:
    return (
        address.scheme == pattern.scheme
        and _is_like(address.authority, pattern.authority, "[^/]*")
        and _is_like(address.path, pattern.path, ".*")
    )


def _is_like(text: str, pattern: str, any_characters: str) -> bool:
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(any_characters.join(parts), text, re.DOTALL) is not None
