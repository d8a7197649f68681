"""The profile of a reference, and its serialisation.

A document is a checksum, a line break, and JSON. If it is malformed, of another version or of other data, it
is ignored and the reference is read instead.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from selfheal_jobs.reference_profile.kept_column import KeptColumn

VERSION: Final = 3
"""Increase it when the content of a profile changes, or the processing of the data before it is cached."""
MOST_BYTES: Final = 16 << 20
"""Maximum size of a document: a thousand columns of ordinary categories take a fifth of it."""


class ForeignProfileError(ValueError):
    """The document is not a profile of this data; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
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
    def from_bytes(cls, document: bytes, digest: str) -> Self:
        """Parse a document.

        Args:
            document: The stored bytes.
            digest: The digest that the profile must have.

        Raises:
            ForeignProfileError: The document is damaged, of another version, or of other data.
        """
        checksum, _, text = document.partition(b"\n")
        if checksum != _checksum(text):
            raise ForeignProfileError("it is damaged")
        try:
            return cls._read(json.loads(text), digest)
        except ForeignProfileError:
            raise
        except Exception as error:  # invalid JSON, numbers or schema
            raise ForeignProfileError("it is not what selfheal writes") from error

    @classmethod
    def _read(cls, found: Mapping[str, Any], digest: str) -> Self:
        if found["version"] != VERSION:
            raise ForeignProfileError("another version of selfheal wrote it")
        if found["digest"] != digest:
            raise ForeignProfileError("the reference, or what is asked of it, has changed")
        return cls(
            digest=digest,
            schema=pa.ipc.read_schema(pa.py_buffer(base64.b64decode(found["schema"]))),
            rows=int(found["rows"]),
            offered=tuple(map(str, found["offered"])),
            columns={
                name: None if kept is None else KeptColumn.from_document(kept)
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


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
