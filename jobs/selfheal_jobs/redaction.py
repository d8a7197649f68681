"""Removes secrets from all text that is printed, stored or shown: those in URLs, and values of Secrets."""

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from selfheal_operator.api.names import (
    ENV_JOB_UID,
    ENV_PREFIX_CURRENT,
    ENV_PREFIX_LABELS,
    ENV_PREFIX_MLFLOW,
    ENV_PREFIX_REFERENCE,
)

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
    *(ENV_PREFIX_REFERENCE, ENV_PREFIX_CURRENT, ENV_PREFIX_LABELS, ENV_PREFIX_MLFLOW),
    *("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"),
    ENV_JOB_UID,
)
"""Prefixes of the environment variables that contain values of Secrets."""
_PUBLIC: Final = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
"""Suffixes of such variables that are not secret, and without which an error message would be useless."""
_TELLING: Final = re.compile(r"pass|secret|token|key|sig|cred|auth", re.IGNORECASE)
"""Names of URL parameters and of members of a JSON document with secret values."""
_WORD: Final = 6
"""Shorter secrets are masked only as whole words, since a password `a` occurs in most words."""
_SWITCHES: Final = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"})
"""Values that tell nothing. They are in Secrets beside others, such as MLFLOW_TRACKING_INSECURE_TLS."""

_learnt: set[str] = set()
"""Values of Secrets that are in no variable with one of the prefixes."""


def learn_secrets(values: Iterable[str]) -> None:
    """Mask these values too, from now on: those of Secrets in files and in variables of any name."""
    _learnt.update(values)


def without_secrets(text: str) -> str:
    """Return the text with every URL reduced to scheme, host and path, and the values of Secrets masked.

    User information and query strings are removed: signed URLs have their signatures there.

    >>> without_secrets("GET https://ann:secret@lake/a.csv?sig=abc failed")
    'GET https://lake/a.csv failed'
    """
    return _REQUEST_TARGET.sub(r"\g<key>\g<place>", _URL.sub(r"\g<scheme>\g<place>", masked(text)))


def masked(text: str) -> str:
    """Return the text with the values of Secrets masked, also percent-encoded, in base64 or escaped."""
    # A search for each form is faster by far than one pattern of all: an HTML report has megabytes.
    found = tuple(form for form in _forms_of(frozenset(_values())) if form in text)
    return _pattern(found).sub(MASK, text) if found else text


def _values() -> Iterator[str]:
    yield from _learnt
    for name, value in os.environ.items():
        if name.startswith(_SECRETS) and not name.endswith(_PUBLIC):
            yield value


@lru_cache(maxsize=8)
def _forms_of(values: frozenset[str]) -> tuple[str, ...]:
    """Return all forms of the values, the longest first."""
    parts = {part for value in values for part in _parts(value.strip()) if part.lower() not in _SWITCHES}
    forms = {form for part in parts if part for form in _forms(part)}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_matching, forms)))


def _matching(form: str) -> str:
    pattern = re.escape(form)
    return pattern if len(form) >= _WORD else rf"(?<!\w){pattern}(?!\w)"


def _forms(part: str) -> Iterator[str]:
    """Yield a secret as it is, and as a URL, a JSON document, Python or a header may show it."""
    yield part
    yield from (unquote(part), quote(part, safe=""), quote(part), quote_plus(part))
    yield from (re.sub("%..", lambda code: code[0].lower(), quote(part, safe="")),)
    yield repr(part)[1:-1]
    for escaped in (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]):
        yield from (escaped, json.dumps(escaped)[1:-1])  # twice, in a page that holds a name that is JSON
    if len(part) >= _WORD:
        yield from _in_base64(part.encode(errors="replace"))


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield the characters that the base64 of any text with this secret in it has.

    Three bytes become four characters, so that there are three ways, by where the secret begins. At both
    ends, characters that other bytes determine too are left out.
    """
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        padded = b"\0" * before + data
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(padded).decode().rstrip("=")
            yield text[shared : len(text) - (1 if len(padded) % 3 else 0)]


def _parts(value: str) -> Iterator[str]:
    """Yield a secret, and the parts of it that are secrets too: lines, and members of a URL or document."""
    yield value
    if "://" in value and "\n" not in value:
        yield from _parts_of_url(value)
        return
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _WORD)
    if value.startswith("{"):
        try:
            yield from _members(json.loads(value))
        except (ValueError, RecursionError):  # no JSON
            return


def _parts_of_url(value: str) -> Iterator[str]:
    user, _, password = value.partition("://")[2].rpartition("@")[0].partition(":")
    parts: list[str | None] = [user, password]
    try:
        address = urlsplit(value)
        parts += [address.username, address.password, address.query]
        parts += [value for key, value in parse_qsl(address.query) if _TELLING.search(key)]
    except ValueError:  # not a URL
        pass
    for part in parts:
        if part:
            yield from (part, unquote(part))


def _members(document: Any, key: str = "") -> Iterator[str]:
    """Yield the texts of a JSON document under names that tell, such as private_key."""
    if isinstance(document, dict):
        for name, member in document.items():
            yield from _members(member, str(name))
    elif isinstance(document, list):
        for member in document:
            yield from _members(member, key)
    elif isinstance(document, str) and _TELLING.search(key):
        yield from (document, *(line.strip() for line in document.splitlines() if len(line.strip()) >= _WORD))


_QUOTED_DATA: Final = re.compile(r" of data '.*$")
"""A table follows, as in MLflow's errors of a schema: rows of the user's, and the cause after them."""
_CAUSE: Final = re.compile(r"^.* Error: ")
_MOST_OF_FIRST: Final = 120
"""Characters of a first line that is followed by the cause."""


def one_line(error: BaseException, limit: int = 300) -> str:
    """Return an error as one line for a status: its type and the start of its message, without secrets.

    If the first line breaks off before the cause, the cause follows, which is in the last line. Unprintable
    characters, such as bytes of a file in the message, become question marks.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = without_secrets(_with_cause(lines[0], lines[-1])) if lines else ""
    return printable(f"{type(error).__name__}: {said}"[:limit].rstrip(": "))


def printable(text: str) -> str:
    r"""Return a text in which question marks replace line breaks, control characters and the like.

    >>> printable("red: \x1b[31m")
    'red: ?[31m'
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def _with_cause(first: str, last: str) -> str:
    """Return the first line, with the last one if it breaks off.

    >>> _with_cause("Failed to enforce schema of data '  a  b", "1  2' with schema 'c'. Error: c is missing.")
    'Failed to enforce schema: c is missing.'
    >>> _with_cause("The model raised:", "ValueError: no such word")
    'The model raised: ValueError: no such word'
    """
    begun = _QUOTED_DATA.sub(":", first)
    if not begun.endswith(":") or first == last:
        return first
    return f"{begun[:_MOST_OF_FIRST].rstrip(':')}: {_CAUSE.sub('', last)}"
