"""Keeps secrets that travel in URLs out of everything that is printed, stored or shown."""

import re
from typing import Final

_URL: Final = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?:[^\s/?#'\"<>]*@)?(?P<place>[^\s?#'\"<>]*)(?:[?#][^\s'\"<>]*)?"
)
_REQUEST_TARGET: Final = re.compile(r"(?P<key>url: )(?P<place>/[^\s?)]*)\?[^\s)]*")
"""How urllib3 names what it asked for, without the host."""


def without_secrets(text: str) -> str:
    """Return the text with every URL in it cut down to scheme, host and path.

    User information and query strings go: signed URLs carry their signatures there.

    >>> without_secrets("GET https://ann:secret@lake/a.csv?sig=abc failed")
    'GET https://lake/a.csv failed'
    """
    return _REQUEST_TARGET.sub(r"\g<key>\g<place>", _URL.sub(r"\g<scheme>\g<place>", text))


def one_line(error: BaseException, limit: int = 300) -> str:
    """Return an error as one line for a status: its type and how its text begins, without secrets."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {without_secrets(first)}"[:limit].rstrip(": ")
