"""What the errors of stores, web servers and files mean, told apart by who has to act.

Arrow's clients for object stores have one exception for everything: what went wrong is in the text, in the
words of each provider's library, and those words are what is matched here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.sources.place import Place

_AWS: Final = re.compile(r"AWS Error (?P<code>[A-Z_]+)(?: \(HTTP status (?P<status>\d+)\))? during")
_AZURE: Final = re.compile(r"(?:HTTP status|Azure Error|status code)\D{0,20}(?P<status>[45]\d\d)")

_DENIED: Final = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN_ID|INVALID_SIGNATURE"
    r"|MISSING_AUTHENTICATION_TOKEN|UNRECOGNIZED_CLIENT|REQUEST_EXPIRED|REQUEST_TIME_TOO_SKEWED"
    r"|ExpiredToken|InvalidToken|UNAUTHENTICATED|PERMISSION_DENIED"
    r"|AuthenticationFailed|AuthorizationFailure|AuthorizationPermissionMismatch|InvalidAuthenticationInfo"
)
_ABSENT: Final = re.compile(
    r"NO_SUCH_BUCKET|NO_SUCH_KEY|RESOURCE_NOT_FOUND|ContainerNotFound|BlobNotFound|FilesystemNotFound"
    r"|Status\(NOT_FOUND"
)
_UNREACHABLE: Final = re.compile(
    r"NETWORK_CONNECTION|REQUEST_TIMEOUT|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|THROTTLING"
    r"|Status\((?:UNAVAILABLE|DEADLINE_EXCEEDED|INTERNAL|UNKNOWN)|CURL error"
    r"|[Ff]ail(?:ed)? to (?:connect|resolve)"
    r"|Could ?n[o']t (?:connect|resolve)|[Tt]imed? ?out|Connection reset"
)
_STATUSES: Final = {"401": "denied", "403": "denied", "404": "absent"}

_WHY: Final = (
    (re.compile(r"resolve host", re.IGNORECASE), "no such host"),
    (re.compile(r"curlCode: 28|[Tt]imed? ?out|too slow"), "it does not answer"),
    (re.compile(r"SSL|TLS|certificate", re.IGNORECASE), "its TLS certificate or protocol is not accepted"),
    (re.compile(r"[Cc]ould not connect|refused|Couldn't connect"), "no connection"),
    (re.compile(r"SLOW_DOWN|THROTTLING"), "it asks to slow down"),
)


@contextmanager
def as_data_errors(place: Place) -> Iterator[None]:
    """Turn the errors of reading into complaints about a place."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except (OSError, pa.ArrowException, EOFError) as error:
        raise as_data_error(place, error) from error


def as_data_error(place: Place, error: Exception) -> DataError:
    """Return what an error of a file or an object store means."""
    text = str(error)
    match _kind(error, text):
        case "denied":
            return place.denied()
        case "absent":
            return place.not_found("nothing was found")
        case "unreachable":
            return place.unreachable(_why(text))
        case _:
            return place.unreadable(f"{one_line(error)}. Check what writes this data.")


def is_damage(error: Exception) -> bool:
    """Return whether an error is about what a file holds, not about the way to it."""
    return getattr(error, "errno", None) is None and _kind(error, str(error)) == "other"


def _kind(error: Exception, text: str) -> str:
    found = _AWS.search(text) or _AZURE.search(text)
    status = found.groupdict().get("status") if found else None
    if isinstance(error, PermissionError) or _DENIED.search(text):
        return "denied"
    if isinstance(error, FileNotFoundError) or _ABSENT.search(text):
        return "absent"
    if status:
        return _STATUSES.get(status, "unreachable" if status.startswith("5") or status == "429" else "other")
    if isinstance(error, TimeoutError | ConnectionError) or _UNREACHABLE.search(text):
        return "unreachable"
    return "other"


def _why(text: str) -> str:
    return next((why for pattern, why in _WHY if pattern.search(text)), "the server fails")
