"""Opens the reference of a check: with its profile if there is one of this data, otherwise by reading it."""

import hashlib
import json
import logging
import time
from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.redaction import one_line
from selfheal_jobs.reference_profile.beside import Beside
from selfheal_jobs.reference_profile.in_mlflow import InMLflow
from selfheal_jobs.reference_profile.known_reference import KnownReference
from selfheal_jobs.reference_profile.profile import MOST_BYTES, ForeignProfileError, Profile
from selfheal_jobs.sources.asked import Asked, ColumnChoice
from selfheal_jobs.sources.identity import Identity
from selfheal_jobs.sources.opening import locate
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.sides import asked_of_reference, open_reference
from selfheal_jobs.sources.source import StoredData
from selfheal_jobs.sources.tables import SourceTable
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

LEAST_BYTES: Final = 1 << 20
"""A smaller Parquet reference costs a check 0.05 s (`make bench-reference-profile`): not worth a file."""
LEAST_BYTES_FOR_MLFLOW: Final = 8 << 20
"""Two requests to a server on the same machine take 0.01 to 0.05 s, and the profile of a reference of 6 MB
saves 0.3 s and more (`make bench-reference-profile`). A distant server, or one with authentication, takes
several times as long."""


class Store(Protocol):
    """The storage of one profile."""

    def read(self) -> bytes | None:
        """Return the document; None if there is none. Never raises."""

    def write(self, document: bytes) -> None:
        """Write the document atomically; raise OSError or TrackingError if that fails."""


class FoundReference(Struct, frozen=True):
    """The listed reference, and the time when the listing began."""

    place: Place
    now_ns: int
    data: StoredData

    @classmethod
    def of(cls, request: RunRequest) -> "FoundReference":
        """Locate a check's reference; raise DataError if there is none."""
        place, now_ns = Place.of_reference(request.spec), time.time_ns()
        return cls(place, now_ns, locate(place))


class ProfileCache(Struct, frozen=True, kw_only=True):
    """The storage of a reference's profile, and the identity of the data that the profile must have."""

    request: RunRequest
    asked: Asked
    place: Place
    data: StoredData
    identity: Identity
    store: Store
    digest: str
    settled: bool
    """Whether any change of the data after the listing can be detected."""

    @classmethod
    def of(cls, request: RunRequest, also: frozenset[str], found: "FoundReference") -> "ProfileCache | None":
        """Return the cache for a check's reference; None if a profile is impossible or not worthwhile."""
        identity = found.data.identity(least_bytes=LEAST_BYTES)
        if identity is None:
            return None
        asked = asked_of_reference(request, also=also)
        key = _key(request, asked, also)
        store = _store(request, identity, key)
        if store is None:
            return None
        return cls(
            request=request,
            asked=asked,
            place=found.place,
            data=found.data,
            identity=identity,
            store=store,
            digest=_hash([key, identity.digest]),
            settled=identity.is_settled(found.now_ns),
        )

    def open_known(self) -> KnownReference | None:
        """Return the reference with its profile; None if there is no profile of this data."""
        document = self.store.read()
        if document is None:
            return None
        try:
            profile = Profile.from_bytes(document, self.digest, most_rows=self.asked.max_rows)
        except ForeignProfileError as why:
            logger.info("The reference's profile is not used: %s", why)
            return None
        return KnownReference(profile=profile, rules=self.request.spec.drift, open=self._open)

    def _open(self, names: frozenset[str]) -> SourceTable:
        table = self.data.open(replace(self.asked, columns=ColumnChoice(only=names)))
        # The files are those of the listing, and are compared with it again after they have been read.
        # This compares footers and ETags, which the listing does not contain.
        if self.data.identity() != self.identity:
            raise self.place.unreadable(
                "it changed while it was read. Write files under another name and rename them when they are "
                "complete, or let offsetSeconds and the schedule keep away from the writer."
            )
        return table

    def keep(self, reference: KnownReference) -> None:
        """Store the extended profile. Never raises: the verdict does not depend on it."""
        try:
            self._keep(reference)
        except Exception as error:  # noqa: BLE001  the verdict does not depend on the profile
            logger.info("The reference's profile was not kept (%s)", one_line(error))

    def _keep(self, reference: KnownReference) -> None:
        profile = reference.learnt() if self.settled else None
        if profile is None:
            return
        document = profile.to_bytes()
        # Listed a second time: the profile must be of the data that the digest identifies.
        if len(document) <= MOST_BYTES and locate(self.place).identity() == self.identity:
            self.store.write(document)
            logger.info("Kept a profile of the reference for the next checks: %d bytes", len(document))


def open_known_reference(
    request: RunRequest, *, also: frozenset[str] = frozenset()
) -> tuple[SourceTable, ProfileCache | None]:
    """Return the reference, as `open_reference` does, and the cache of its profile.

    Raises:
        DataError: As `open_reference`.
    """
    found = FoundReference.of(request)
    cache = ProfileCache.of(request, also, found)
    known = cache.open_known() if cache else None
    if known is not None:
        return known, cache
    table = open_reference(request, also=also, data=found.data)
    if cache is None or table.rows.sampled:
        return table, None
    return KnownReference.unknown(cache.digest, table, request.spec.drift), cache


def _store(request: RunRequest, identity: Identity, key: str) -> Store | None:
    """Return the storage for a profile; None if a profile would not save time."""
    if identity.folder is not None and (beside := Beside.of(identity.folder, key)).is_writable():
        return beside
    return InMLflow.of(request, key) if identity.size >= LEAST_BYTES_FOR_MLFLOW else None


def _key(request: RunRequest, asked: Asked, also: Iterable[str]) -> str:
    """Return the key of a profile at one place: a hash of all that changes what is read or cached."""
    spec = request.spec
    columns = asked.columns
    return _hash(
        [
            spec.dataset.reference.uri,
            spec.dataset.reference.format,
            None if columns.only is None else sorted(columns.only),
            sorted(columns.without),
            sorted(asked.categorical),
            asked.max_rows,
            spec.target,
            sorted(also),
            spec.drift.rule,
        ]
    )


def _hash(what: list[object]) -> str:
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()
