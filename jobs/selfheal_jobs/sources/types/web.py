"""One file on a web server.

The whole file is downloaded to /tmp first: many servers do not support range requests, and the file need not
fit into memory.
"""

import base64
import hashlib
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import fsspec
from pyarrow import fs

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.credentials import lacks, secret_values
from selfheal_jobs.sources.damage import Guard
from selfheal_jobs.sources.failures import FILE_FAILURES, as_data_errors
from selfheal_jobs.sources.file_table import open_files
from selfheal_jobs.sources.identity import Identity
from selfheal_jobs.sources.listing import list_files
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.tables import SourceTable

logger = logging.getLogger(__name__)

_PAUSES: Final = (0.5, 2.0)
"""Seconds before the second and the third attempt."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
_TIMEOUT_OF_A_QUESTION: Final = aiohttp.ClientTimeout(total=5)
"""Short, since without an answer the file is simply downloaded."""


class Web:
    """A web server, by http or https."""

    def locate(self, place: Place) -> "WebFile":
        """Return the file of a place, without sending a request."""
        return WebFile(place)

    def explain(self, place: Place, error: Exception) -> DataError:
        """Return the DataError for an error of the client or of writing the copy."""
        match error:
            case FileNotFoundError():
                return place.not_found("no file was found")
            case aiohttp.ClientResponseError(status=401 | 403):
                return place.denied()
            case aiohttp.ClientError() | TimeoutError() | ConnectionError() if _may_pass(error):
                return place.unreachable(_why(error))
            case aiohttp.ClientResponseError():
                return place.unreadable(f"{_why(error)}. Correct the address.")
            case _:
                return FILE_FAILURES.explain(place, error)


SOURCE: Final = Web()


@dataclass(frozen=True, slots=True)
class WebFile:
    """The file at one address."""

    place: Place

    def identity(self, *, least_bytes: int = 0) -> Identity | None:
        """Return the file's identity by its current ETag; None if the server sends none."""
        if (found := _version_of(self.place)) is None or found[1] < least_bytes:
            return None
        etag, size = found
        digest = hashlib.sha256(f"{etag}\0{size}".encode()).hexdigest()
        return Identity(digest=digest, size=size, changed_ns=0, folder=None)

    def open(self, asked: Asked) -> SourceTable:
        """Return the table; raise DataError if the server does not respond, or denies access."""
        with as_data_errors(SOURCE.explain, self.place), _downloaded(self.place) as copy:
            filesystem = fs.LocalFileSystem()
            files = list_files(filesystem, str(copy), self.place)
            return open_files(Guard(filesystem, self.place), files, asked, stays=False)


@contextmanager
def _downloaded(place: Place) -> Iterator[Path]:
    """Yield a copy of the file, under its own name."""
    name = PurePosixPath(urlsplit(place.source.uri).path).name or "data"
    with tempfile.TemporaryDirectory(prefix="selfheal-") as folder:
        target = Path(folder) / name
        _fetch(place, target)
        yield target


def _version_of(place: Place) -> tuple[str, int] | None:
    """Return the file's ETag and its size in bytes; None if the server does not send both."""
    try:
        found = _filesystem(place, _TIMEOUT_OF_A_QUESTION).info(place.source.uri)
    except (DataError, aiohttp.ClientError, OSError, ValueError) as error:  # a server may not support HEAD
        logger.debug("%s: %s", place.uri, one_line(error))
        return None
    etag, size = found.get("ETag", ""), found.get("size")
    # A weak ETag (W/"...") stays the same for changes that the server considers insignificant.
    return (etag, size) if etag.startswith('"') and size is not None else None


def _filesystem(place: Place, timeout: aiohttp.ClientTimeout) -> Any:
    return fsspec.filesystem("http", **_options(place, timeout), skip_instance_cache=True)


def _fetch(place: Place, target: Path) -> None:
    filesystem = _filesystem(place, _TIMEOUT)
    for pause in (*_PAUSES, None):
        try:
            filesystem.get_file(place.source.uri, str(target))
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if pause is None or not _may_pass(error):
                raise SOURCE.explain(place, error) from error
            logger.info("%s: %s; next try in %.1f s", place.uri, _why(error), pause)
            time.sleep(pause)
        else:
            return


def _may_pass(error: Exception) -> bool:
    """Return whether a retry may succeed: a server error, rate limiting, or no response."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status >= 500 or error.status == 429
    return True


def _options(place: Place, timeout: aiohttp.ClientTimeout) -> dict[str, Any]:
    """Return aiohttp's options: the proxies of the environment, and the Secret's credential."""
    client: dict[str, Any] = {"trust_env": True, "timeout": timeout}
    if place.secret is not None:
        values = secret_values(place)
        if token := values.get("token"):
            client["headers"] = {"Authorization": f"Bearer {token}"}
        elif values.get("username") and values.get("password"):
            both = f"{values['username']}:{values['password']}".encode()
            client["headers"] = {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
        else:
            raise lacks(place, "token", "username", "password")
    return {"client_kwargs": client}


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the server answers {error.status}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the file broke off on the way"
    return one_line(error)
