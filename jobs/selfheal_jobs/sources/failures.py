"""Classifies the errors of files and object stores by the person who must fix them.

Arrow's clients for object stores raise one exception type for all errors. The cause is only in the message,
whose wording depends on each provider's library. This module matches these messages.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
from msgspec import Struct

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.sources.place import Place

_NEVER: Final = r"(?!)"
_HTTP: Final = re.compile(r"(?:HTTP status|Azure Error|status code)\D{0,20}(?P<status>[45]\d\d)")
_UNREACHABLE: Final = (
    r"[Ff]ail(?:ed)? to (?:connect|resolve)|Could ?n[o']t (?:connect|resolve)|[Tt]imed? ?out|Connection reset"
)
_STATUSES: Final = {"401": "denied", "403": "denied", "404": "absent"}

_WHY: Final = (
    (re.compile(r"resolve host", re.IGNORECASE), "no such host"),
    (re.compile(r"curlCode: 28|[Tt]imed? ?out|too slow"), "it does not answer"),
    (re.compile(r"SSL|TLS|certificate", re.IGNORECASE), "its TLS certificate or protocol is not accepted"),
    (re.compile(r"[Cc]ould not connect|refused|Couldn't connect"), "no connection"),
    (re.compile(r"SLOW_DOWN|THROTTLING"), "it asks to slow down"),
)


class Failures(Struct, frozen=True, kw_only=True):
    """Patterns for the error messages of one provider's library, in addition to the common ones.

    Each is a regular expression. The first match decides, in the order of the fields.
    """

    denied: str = _NEVER
    absent: str = _NEVER
    code: re.Pattern[str] | None = None
    """Has the groups `code`, and `status`, the HTTP status code, if the library has a format for them."""
    unreachable: str = _NEVER

    def explain(self, place: Place, error: Exception) -> DataError:
        """Return the DataError for an error of a file or of the provider's library."""
        text = str(error)
        match self._kind(error, text):
            case "denied":
                return place.denied()
            case "absent":
                return place.not_found("nothing was found")
            case "unreachable":
                return place.unreachable(_why(text))
            case _ if answer := self._answer(text):
                return place.unreadable(f"{answer}. Correct the address, or check what serves this data.")
            case _:
                return place.unreadable(f"{one_line(error)}. Check what writes this data.")

    def _answer(self, text: str) -> str:
        """Return what a server has answered, without its words; empty if there was no answer.

        The author of a spec may name any server.
        """
        if self.code and (found := self.code.search(text)):
            status = f" with the status {found['status']}" if found["status"] else ""
            return f"the store answers {found['code']}{status}"
        return f"the store answers {found['status']}" if (found := _HTTP.search(text)) else ""

    def is_damage(self, error: Exception) -> bool:
        """Return whether an error concerns the content of a file, not the access to it."""
        text = str(error)
        is_other = getattr(error, "errno", None) is None and self._kind(error, text) == "other"
        return is_other and not self._answer(text)

    def _kind(self, error: Exception, text: str) -> str:
        if isinstance(error, PermissionError) or re.search(self.denied, text):
            return "denied"
        if isinstance(error, FileNotFoundError) or re.search(self.absent, text):
            return "absent"
        if status := self._status(text):
            broken = status.startswith("5") or status == "429"
            return _STATUSES.get(status, "unreachable" if broken else "other")
        if isinstance(error, TimeoutError | ConnectionError):
            return "unreachable"
        return "unreachable" if re.search(f"{self.unreachable}|{_UNREACHABLE}", text) else "other"

    def _status(self, text: str) -> str | None:
        found = (self.code.search(text) if self.code else None) or _HTTP.search(text)
        return found["status"] if found else None


FILE_FAILURES: Final = Failures()
"""Patterns for local files."""


@contextmanager
def as_data_errors(explain: Callable[[Place, Exception], DataError], place: Place) -> Iterator[None]:
    """Convert the errors of reading into DataErrors about a place."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except (OSError, pa.ArrowException, EOFError) as error:
        raise explain(place, error) from error


def _why(text: str) -> str:
    return next((why for pattern, why in _WHY if pattern.search(text)), "the server fails")
