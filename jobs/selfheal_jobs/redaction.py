"""Removes secrets from all text that is printed, stored or shown: those in URLs, and values of Secrets."""

import os
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from selfheal_operator.api.names import ENV_PREFIX_CURRENT, ENV_PREFIX_LABELS, ENV_PREFIX_REFERENCE

MASK: Final = "***"

_URL: Final = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)"
    # After a colon that precedes no port, a password that may hold / ? # and @: all up to the last @.
    r"(?:[^\s/?#@'\"<>[]*:(?:\d*[^\s\d/?#@'\"<>]|[/?#]|\d{6}|\d+@)[^\s'\"<>]*@|[^\s/?#'\"<>]*@)?"
    r"(?P<place>[^\s?#'\"<>]*)(?:[?#][^\s'\"<>]*)?"
)
_REQUEST_TARGET: Final = re.compile(r"(?P<key>url: )(?P<place>/[^\s?)]*)\?[^\s)]*")
"""How urllib3's messages show the URL of a request, without the host."""

_SECRETS: Final = (
    *(ENV_PREFIX_REFERENCE, ENV_PREFIX_CURRENT, ENV_PREFIX_LABELS),
    *("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"),
)
"""Prefixes of the environment variables that contain values of Secrets."""
_PUBLIC: Final = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
"""Suffixes of such variables that are not secret, and without which an error message would be useless."""
_TELLING: Final = re.compile(r"pass|secret|token|key|sig|cred", re.IGNORECASE)
"""Names of URL parameters with secret values."""
_WORD: Final = 6
"""Shorter secrets are masked only as whole words, since a password `a` occurs in most words."""


def without_secrets(text: str) -> str:
    """Return the text with every URL reduced to scheme, host and path, and the values of Secrets masked.

    User information and query strings are removed: signed URLs have their signatures there.

    >>> without_secrets("GET https://ann:secret@lake/a.csv?sig=abc failed")
    'GET https://lake/a.csv failed'
    """
    for secret in sorted(_secrets(), key=len, reverse=True):
        pattern = re.escape(secret)
        text = re.sub(pattern if len(secret) >= _WORD else rf"(?<!\w){pattern}(?!\w)", MASK, text)
    return _REQUEST_TARGET.sub(r"\g<key>\g<place>", _URL.sub(r"\g<scheme>\g<place>", text))


def _secrets() -> set[str]:
    return {
        secret
        for name, value in os.environ.items()
        if name.startswith(_SECRETS) and not name.endswith(_PUBLIC)
        for secret in _spellings(value.strip())
        if secret
    }


def _spellings(value: str) -> Iterator[str]:
    """Yield all forms in which an error may show a secret, including its parts and encoding in a URL."""
    if "://" not in value:
        yield from (value, *(line.strip() for line in value.splitlines() if len(line.strip()) >= _WORD))
        return
    user, _, password = value.partition("://")[2].rpartition("@")[0].partition(":")
    parts: list[str | None] = [value, user, password]
    try:
        address = urlsplit(value)
        parts += [address.username, address.password, address.query]
        parts += [value for key, value in parse_qsl(address.query) if _TELLING.search(key)]
    except ValueError:  # not a URL
        pass
    for part in parts:
        if part:
            yield from (part, unquote(part))


def one_line(error: BaseException, limit: int = 300) -> str:
    """Return an error as one line for a status: its type and the start of its message, without secrets.

    Unprintable characters, such as bytes of a file in the message, become question marks.
    """
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    text = f"{type(error).__name__}: {without_secrets(first)}"[:limit].rstrip(": ")
    return "".join(character if character.isprintable() else "?" for character in text)
