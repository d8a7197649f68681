"""Google Cloud Storage."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from pyarrow import fs

from selfheal_jobs.sources.credentials import lacks, secret_values, setting
from selfheal_jobs.sources.failures import Failures
from selfheal_jobs.sources.file_store import SILENCE_SECONDS, FileStore
from selfheal_jobs.sources.permitted import require_endpoint
from selfheal_jobs.sources.place import Place


def _connect(place: Place) -> tuple[fs.FileSystem, str]:
    return _client(place), place.path


def _client(place: Place) -> fs.FileSystem:
    options: dict[str, Any] = {"retry_time_limit": timedelta(seconds=SILENCE_SECONDS)}
    if emulator := setting(place, "STORAGE_EMULATOR_HOST"):
        address = urlsplit(emulator)
        require_endpoint(place, emulator, address.hostname or "")
        options |= {"scheme": address.scheme, "endpoint_override": address.netloc}
    if place.secret is None:  # an emulator needs no authentication
        return fs.GcsFileSystem(anonymous=emulator is not None, **options)
    key = secret_values(place).get("GOOGLE_CREDENTIALS")
    if not key:
        raise lacks(place, "GOOGLE_CREDENTIALS")
    try:
        json.loads(key)
    except ValueError:  # not chained: the error contains the document
        raise place.denied("the Secret's GOOGLE_CREDENTIALS is no JSON document") from None
    with _key_file(key):
        return fs.GcsFileSystem(**options)


@contextmanager
def _key_file(key: str) -> Iterator[None]:
    """Write a service account's key to a temporary file, which Google's client reads on construction."""
    before = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(key)
        file.flush()
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = file.name
        try:
            yield
        finally:
            if before is None:
                del os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
            else:
                os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = before


SOURCE: Final = FileStore(
    connect=_connect,
    failures=Failures(
        denied="UNAUTHENTICATED|PERMISSION_DENIED",
        absent=r"Status\(NOT_FOUND",
        unreachable=r"Status\((?:UNAVAILABLE|DEADLINE_EXCEEDED|INTERNAL|UNKNOWN)|CURL error",
    ),
)
