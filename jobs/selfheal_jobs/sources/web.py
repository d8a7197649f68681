"""Fetches the one file that an http(s) address names.

It is written to /tmp first, whole: many servers know no ranges, and so it need not fit into memory.
"""

import base64
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import fsspec

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.sources.credentials import lacks, secret_values
from selfheal_jobs.sources.place import Place

logger = logging.getLogger(__name__)

_PAUSES: Final = (0.5, 2.0)
"""Seconds before the second and the third try."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
_TIMEOUT_OF_A_QUESTION: Final = aiohttp.ClientTimeout(total=5)
"""Fetching the file is the answer to everything else."""


@contextmanager
def downloaded(place: Place) -> Iterator[Path]:
    """Yield a copy of the file, under its own name.

    Raises:
        DataError: The server does not answer, or refuses.
    """
    name = PurePosixPath(urlsplit(place.source.uri).path).name or "data"
    with tempfile.TemporaryDirectory(prefix="selfheal-") as folder:
        target = Path(folder) / name
        _fetch(place, target)
        yield target


def version_of(place: Place) -> tuple[str, int] | None:
    """Return what the server tells a file by, its ETag, and its size in bytes; None if it does not say."""
    try:
        found = _filesystem(place, _TIMEOUT_OF_A_QUESTION).info(place.source.uri)
    except (DataError, aiohttp.ClientError, OSError, ValueError) as error:  # a server may know no HEAD
        logger.debug("%s: %s", place.uri, one_line(error))
        return None
    etag, size = found.get("ETag", ""), found.get("size")
    # A weak one (W/"...") stays the same where the server finds a change too small to matter.
    return (etag, size) if etag.startswith('"') and size is not None else None


def _filesystem(place: Place, timeout: aiohttp.ClientTimeout) -> Any:
    return fsspec.filesystem("http", **_options(place, timeout), skip_instance_cache=True)


def _fetch(place: Place, target: Path) -> None:
    filesystem = _filesystem(place, _TIMEOUT)
    cause: Exception
    for pause in (*_PAUSES, None):
        try:
            filesystem.get_file(place.source.uri, str(target))
        except FileNotFoundError as error:
            raise place.not_found("no file was found") from error
        except aiohttp.ClientResponseError as error:
            if error.status in {401, 403}:
                raise place.denied() from error
            if error.status < 500 and error.status != 429:
                raise place.unreadable(f"the server answers {error.status}. Correct the address.") from error
            problem, cause = f"the server answers {error.status}", error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            problem, cause = _why(error), error
        else:
            return
        if pause is None:
            raise place.unreachable(problem) from cause
        logger.info("%s: %s; next try in %.1f s", place.uri, problem, pause)
        time.sleep(pause)


def _options(place: Place, timeout: aiohttp.ClientTimeout) -> dict[str, Any]:
    """Return what aiohttp is told: the proxies of the environment, and the Secret's credential."""
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
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the file broke off on the way"
    return one_line(error)
