"""One file on a web server.

The whole file is downloaded to /tmp first: many servers do not support range requests, and the file need not
fit into memory.
"""

import asyncio
import base64
import hashlib
import logging
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
from msgspec import Struct
from pyarrow import fs
from yarl import URL

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.credentials import lacks, secret_values
from selfheal_jobs.sources.damage import Guard
from selfheal_jobs.sources.failures import FILE_FAILURES, as_data_errors
from selfheal_jobs.sources.file_table import open_files
from selfheal_jobs.sources.identity import Identity
from selfheal_jobs.sources.listing import list_files
from selfheal_jobs.sources.permitted import refusing, require_permitted
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.transport.forbidden_addresses import require_address, require_host
from selfheal_operator.api.names import ENV_MAX_DOWNLOAD_BYTES

logger = logging.getLogger(__name__)

_PAUSES: Final = (0.5, 2.0)
"""Seconds before the second and the third attempt."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
_TIMEOUT_OF_A_QUESTION: Final = aiohttp.ClientTimeout(total=5)
"""Short, since without an answer the file is simply downloaded."""
_MALFORMED: Final = "the address is malformed. Correct it."
_CHUNK_BYTES: Final = 1 << 20
_MOST_REDIRECTS: Final = 10
_MOST_BYTES: Final = 8 << 30
"""The largest download where the operator says nothing else."""
_SHARE_OF_DISK: Final = 0.5
"""Share of the free disk that a download may take: the rows are spooled beside it."""
_GZIP: Final = b"\x1f\x8b"
_LONGEST_NAME: Final = 255
"""Of a file, in bytes."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ESCAPED: Final = re.compile(r"(?:[\w\-.~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+", re.ASCII)
"""An address whose characters are all legal: it is sent as it is written."""


class Web:
    """A web server, by http or https."""

    def locate(self, place: Place) -> "WebFile":
        """Return the file of a place, without sending a request."""
        return WebFile(place)

    def explain(self, place: Place, error: Exception) -> DataError:
        """Return the DataError for an error of the client or of writing the copy."""
        match error:
            case aiohttp.ClientResponseError(status=404):
                return place.not_found("no file was found")
            case aiohttp.ClientResponseError(status=401 | 403):
                return place.denied()
            case ValueError():  # of yarl, or of encoding the host's name; its message quotes the address
                return place.unreadable(_MALFORMED)
            case aiohttp.ClientError() | TimeoutError() | ConnectionError() if _may_pass(error):
                return place.unreachable(_why(error))
            case aiohttp.ClientResponseError():
                return place.unreadable(f"{_why(error)}. Correct the address.")
            case _:
                return FILE_FAILURES.explain(place, error)


SOURCE: Final = Web()


class WebFile(Struct, frozen=True):
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
    address = _address(place)
    with tempfile.TemporaryDirectory(prefix="selfheal-") as folder:
        target = Path(folder) / _file_name(address)
        unpacked = _fetch(place, address, target)
        yield _plainly_named(target) if unpacked else target


def _address(place: Place) -> URL:
    """Return the address as it is written: other spellings of escaped characters break signatures."""
    uri = place.source.uri
    try:
        address = URL(uri, encoded=bool(_ESCAPED.fullmatch(uri)))
        is_complete = bool(address.host and address.port)  # a port that is no number raises too
    except ValueError as error:
        raise SOURCE.explain(place, error) from None
    if not is_complete:
        raise place.unreadable(_MALFORMED)
    return address


def _file_name(address: URL) -> str:
    """Return the last part of the address, whose suffixes tell the format, as a name for a file."""
    name = address.raw_path.rpartition("/")[2]
    return (name if len(name) < _LONGEST_NAME else name[-_LONGEST_NAME // 2 :]) if name.strip(".") else "data"


def _plainly_named(target: Path) -> Path:
    """Rename a file that the server has unpacked: it is called .gz, and is not compressed any more."""
    with target.open("rb") as file:
        if target.suffix.lower() != ".gz" or file.read(len(_GZIP)) == _GZIP:
            return target
    return target.rename(target.with_suffix(""))


def _version_of(place: Place) -> tuple[str, int] | None:
    """Return the file's ETag and its size in bytes; None if the server does not send both."""
    try:
        found = asyncio.run(_headers(place, _address(place)))
    except (DataError, aiohttp.ClientError, OSError, ValueError) as error:  # a server may not support HEAD
        logger.debug("%s: %s", place.uri, one_line(error))
        return None
    etag, size = found.get("ETag", ""), found.get("Content-Length", "")
    # A weak ETag (W/"...") stays the same for changes that the server considers insignificant.
    return (etag, int(size)) if etag.startswith('"') and size.isdecimal() else None


def _session(timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
    """Return a client with the proxies of the environment."""
    # A file that is sent compressed may be a compressed file, or one that the server has compressed.
    headers = {"Accept-Encoding": "identity"}
    connector = aiohttp.TCPConnector(socket_factory=_socket_to)
    return aiohttp.ClientSession(headers=headers, timeout=timeout, trust_env=True, connector=connector)


def _socket_to(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket for an address that a host was resolved to; raise ForbiddenAddressError."""
    family, kind, protocol, _, place = address
    require_address(str(place[0]))
    return socket.socket(family, kind, protocol)


@asynccontextmanager
async def _answer(
    place: Place, method: str, address: URL, limits: aiohttp.ClientTimeout
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Yield the answer at an address, or at the one that it redirects to.

    The Secret's credential is sent to the origin of the address only. Each address on the way has to be
    permitted.
    """
    credential = _credential(place)
    with refusing(place):
        async with _session(limits) as session:
            for _ in range(_MOST_REDIRECTS + 1):
                require_permitted(place, str(address))
                require_host(address.host or "")
                asked = session.request(method, address, headers=credential, allow_redirects=False)
                async with asked as answer:
                    if (target := _target_of(answer)) is None:
                        _require_whole(answer)
                        yield answer
                        return
                credential = credential if target.origin() == address.origin() else {}
                address = target
    raise place.unreadable("the server redirects too often. Correct the address.")


def _target_of(answer: aiohttp.ClientResponse) -> URL | None:
    """Return where a redirect leads to, without user and password; None for any other answer."""
    location = answer.headers.get("Location")
    if location is None or answer.status not in _REDIRECTS:
        return None
    target = answer.url.join(URL(location, encoded=True))
    if target.scheme not in {"http", "https"} or not target.host:
        raise aiohttp.ClientResponseError(answer.request_info, answer.history, status=answer.status)
    return target.with_user(None)


async def _headers(place: Place, address: URL) -> Mapping[str, str]:
    async with _answer(place, "HEAD", address, _TIMEOUT_OF_A_QUESTION) as answer:
        return answer.headers


async def _download(place: Place, address: URL, target: Path) -> bool:
    """Write the file, and return whether the client has decompressed it."""
    left = most = _most_bytes(target.parent)
    async with _answer(place, "GET", address, _TIMEOUT) as answer:
        with target.open("wb") as file:
            async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise place.unreadable(_too_large(most))
                file.write(chunk)
        return "Content-Encoding" in answer.headers


def _most_bytes(folder: Path) -> int:
    """Return how many bytes a download may have: the operator's limit, and no more than fits on the disk."""
    limit = int(os.environ.get(ENV_MAX_DOWNLOAD_BYTES) or _MOST_BYTES)
    return min(limit, int(shutil.disk_usage(folder).free * _SHARE_OF_DISK))


def _too_large(most: int) -> str:
    return (
        f"it is larger than {most} bytes, and no more is downloaded. Store it in an object store, of which "
        f"only the needed columns are read, or have the platform team raise {ENV_MAX_DOWNLOAD_BYTES}."
    )


def _require_whole(answer: aiohttp.ClientResponse) -> None:
    """Raise ClientResponseError unless the answer is the whole file: 204 has none, and 206 a part of it."""
    if answer.status != HTTPStatus.OK:
        raise aiohttp.ClientResponseError(answer.request_info, answer.history, status=answer.status)


def _fetch(place: Place, address: URL, target: Path) -> bool:
    """Download the file, and return whether the client has decompressed it."""
    pauses = iter(_PAUSES)
    while True:
        try:
            return asyncio.run(_download(place, address, target))
        except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError) as error:
            pause = next(pauses, None)
            if pause is None or not _may_pass(error):
                raise SOURCE.explain(place, error) from error
            logger.info("%s: %s; next try in %.1f s", place.uri, _why(error), pause)
            time.sleep(pause)


def _may_pass(error: Exception) -> bool:
    """Return whether a retry may succeed: a server error, rate limiting, or no response."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status >= 500 or error.status == 429
    return not isinstance(error, ValueError)


def _credential(place: Place) -> dict[str, str]:
    if place.secret is None:
        return {}
    values = secret_values(place)
    if token := values.get("token"):
        return {"Authorization": f"Bearer {token}"}
    if values.get("username") and values.get("password"):
        both = f"{values['username']}:{values['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
    raise lacks(place, "token", "username", "password")


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
