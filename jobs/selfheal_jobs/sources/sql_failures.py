"""Converts database errors to our own messages: the original ones contain the URL and more."""

import re
from typing import Final, NamedTuple

import sqlalchemy as sa

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason


class _Sign(NamedTuple):
    """How to recognise an error: by prefixes of its SQLSTATE, or by a pattern in its message."""

    states: tuple[str, ...]
    text: str
    meaning: str


_SIGNS: Final = (
    _Sign(
        ("28", "42501"),
        r"password authentication failed|no password supplied|permission denied|access denied"
        r"|no pg_hba.conf entry|role .* does not exist",
        "denied",
    ),
    _Sign(("3D000",), r"database .* does not exist|unable to open database file", "no such database"),
    _Sign(("42P01", "3F000"), r"no such table", "no such table"),
    _Sign(("42703",), r"no such column|column .* does not exist", "no such column"),
    _Sign(("42",), r"syntax error", "no such query"),
    _Sign(
        (),
        r"could not translate host|resolve host|name or service not known|Temporary failure in name",
        "no such host",
    ),
    _Sign(("57014",), r"timeout|timed out", "it does not answer in time"),
    _Sign(
        ("08", "53", "57P"),
        r"connection refused|connection failed|could not connect|server closed the connection|starting up"
        r"|too many clients|connection to server|terminating connection|the connection is lost",
        "no connection",
    ),
)


def as_data_error(place: Place, error: Exception, backend: str) -> DataError:
    """Return the DataError for an error of SQLAlchemy or of its driver."""
    if isinstance(error, ImportError | sa.exc.NoSuchModuleError):
        return place.unreadable(
            f"the image has no driver for {backend}. Use one of your own that has it (docs/own-image.md)."
        )
    original = getattr(error, "orig", None) or error
    state = str(getattr(original, "sqlstate", None) or "")
    match meaning := _meaning(state, str(original)):
        case "denied":
            return place.denied("the database refuses the user")
        case "no such database" | "no such table":
            return place.not_found(meaning)
        case "no such column":
            said = f"{place.field}: the database has no such column. Correct the query."
            return DataError(Reason.COLUMN_MISSING, said)
        case "no such query" | "":
            name = f"{type(original).__name__} {state}".rstrip()
            what = "does not understand the query" if meaning else "fails"
            return place.unreadable(f"the database {what} ({name}). Try it in the database's own client.")
        case _:
            return place.unreachable(meaning)


def _meaning(state: str, text: str) -> str:
    for sign in _SIGNS:
        if (sign.states and state.startswith(sign.states)) or re.search(sign.text, text, re.IGNORECASE):
            return sign.meaning
    return ""
