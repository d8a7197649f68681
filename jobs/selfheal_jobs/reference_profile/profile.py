"""The profile of a reference, and its serialisation.

A document is a checksum, a line break, and JSON. If it is malformed, of another version or of other data, it
is ignored and the reference is read instead.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from selfheal_jobs.columns.scan import ROWS_THINNED
from selfheal_jobs.reference_profile.kept_column import KeptColumn

VERSION: Final = 3
"""Increase it when the content of a profile changes, or the processing of the data before it is cached."""
MOST_BYTES: Final = 16 << 20
"""Maximum size of a document: a thousand columns of ordinary categories take a fifth of it."""

_MOST_COLUMNS: Final = 100_000


class ForeignProfileError(ValueError):
    """The document is not a profile of this data; the message says why."""


class Profile(Struct, frozen=True, kw_only=True):
    """The cached content of a reference."""

    digest: str
    """Identifies the data and the request."""
    schema: pa.Schema
    rows: int
    offered: tuple[str, ...] = ()
    """All columns of the reference, also those that are not read."""
    columns: Mapping[str, KeptColumn | None] = field(default_factory=dict)
    """None for a column with too many distinct values."""
    ranks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Dense ranks, from 0, of each column's values in the sampled rows, for correlations; -1 for gaps."""
    stored_as: str = ""
    """A digest of the document that it was read from; empty if it was not."""

    def to_bytes(self) -> bytes:
        """Return the document."""
        text = json.dumps(
            {
                "version": VERSION,
                "digest": self.digest,
                "schema": base64.b64encode(self.schema.remove_metadata().serialize()).decode(),
                "rows": self.rows,
                "offered": list(self.offered),
                "columns": {name: kept and kept.document for name, kept in self.columns.items()},
                "ranks": {name: list(ranks) for name, ranks in self.ranks.items()},
            },
            separators=(",", ":"),
        ).encode()
        return _checksum(text) + b"\n" + text

    @classmethod
    def from_bytes(cls, document: bytes, digest: str, *, most_rows: int | None = None) -> Self:
        """Parse a document.

        The checksum shows damage, but anybody can compute one: who may write to the folder of the data or
        to MLflow may have written the document. Its numbers are held to what a reference can have.

        Args:
            document: The stored bytes.
            digest: The digest that the profile must have.
            most_rows: The rows that the run may read of the reference; None for any number.

        Raises:
            ForeignProfileError: The document is damaged, of another version, of other data, or has numbers
                that no reference has.
        """
        if len(document) > MOST_BYTES:
            raise ForeignProfileError("it is too large")
        checksum, _, text = document.partition(b"\n")
        if checksum != _checksum(text):
            raise ForeignProfileError("it is damaged")
        try:
            profile = replace(
                cls._read(json.loads(text), digest, most_rows), stored_as=checksum.decode()[:32]
            )
            _require_names_and_ranks(profile)
        except ForeignProfileError:
            raise
        except Exception as error:  # invalid JSON, numbers or schema
            raise ForeignProfileError("it is not what selfheal writes") from error
        return profile

    @classmethod
    def _read(cls, found: Mapping[str, Any], digest: str, most_rows: int | None) -> Self:
        if found["version"] != VERSION:
            raise ForeignProfileError("another version of selfheal wrote it")
        if found["digest"] != digest:
            raise ForeignProfileError("the reference, or what is asked of it, has changed")
        rows = found["rows"]
        if type(rows) is not int or rows < 0:
            raise TypeError("rows are counted")
        if most_rows is not None and rows > most_rows:
            raise ForeignProfileError("it has more rows than may be read")
        return cls(
            digest=digest,
            schema=pa.ipc.read_schema(pa.py_buffer(base64.b64decode(found["schema"]))),
            rows=rows,
            offered=tuple(map(str, found["offered"])),
            columns={
                name: None if kept is None else KeptColumn.from_document(kept, rows)
                for name, kept in found["columns"].items()
            },
            ranks={name: tuple(ranks) for name, ranks in found["ranks"].items()},
        )


def ranked(numbers: Any) -> tuple[int, ...]:
    """Return the dense ranks of numbers, from 0; -1 for NaN.

    >>> ranked(np.array([2.5, np.nan, 1.0, 2.5]))
    (1, -1, 0, 1)
    """
    there = ~np.isnan(numbers)
    places = np.full(len(numbers), -1)
    places[there] = np.unique(numbers[there], return_inverse=True)[1]
    return tuple(places.tolist())


def unranked(places: tuple[int, ...]) -> Any:
    """Return numbers with the given dense ranks; NaN for -1."""
    numbers = np.array(places, dtype=np.float64)
    numbers[numbers < 0] = np.nan
    return numbers


def _require_names_and_ranks(profile: Profile) -> None:
    """Raise ValueError if a column is not in the schema, or ranks are not those of a sample of the rows."""
    if not {*profile.columns, *profile.ranks} <= {*profile.schema.names}:
        raise ValueError("a column is not in the schema")
    if len(profile.offered) > _MOST_COLUMNS:
        raise ValueError("no reference has as many columns")
    for ranks in profile.ranks.values():
        if len(ranks) > min(profile.rows, ROWS_THINNED) or not set(map(type, ranks)) <= {int}:
            raise ValueError("there are no more ranks than rows in a sample")
        if not -1 <= min(ranks, default=0) <= max(ranks, default=0) <= len(ranks):
            raise ValueError("ranks are dense")


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
