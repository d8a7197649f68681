"""The profile of a reference, and the document that it is stored as.

A document is a checksum, a line break, and JSON. Whatever is not exactly that, of this version and of this
very data, is no profile: the reference is read instead.
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

VERSION: Final = 1
"""Changes with what is kept, and with what is made of the data before it is kept."""
MOST_BYTES: Final = 16 << 20
"""Of a document: a thousand columns of ordinary categories take a fifth of it."""


class ForeignProfileError(ValueError):
    """It is no profile, or not of this data: the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a reference."""

    digest: str
    """Which data it is of, and what was asked of that."""
    schema: pa.Schema
    rows: int
    columns: Mapping[str, KeptColumn | None] = field(default_factory=dict)
    """None: looked at, and too much to be kept."""
    ranks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of the thinned rows, for correlations: the place of each value among the distinct ones; -1 for gaps."""

    def to_bytes(self) -> bytes:
        """Return the document."""
        text = json.dumps(
            {
                "version": VERSION,
                "digest": self.digest,
                "schema": base64.b64encode(self.schema.remove_metadata().serialize()).decode(),
                "rows": self.rows,
                "columns": {name: kept and kept.document for name, kept in self.columns.items()},
                "ranks": {name: list(ranks) for name, ranks in self.ranks.items()},
            },
            separators=(",", ":"),
        ).encode()
        return _checksum(text) + b"\n" + text

    @classmethod
    def from_bytes(cls, document: bytes, digest: str) -> Self:
        """Return the profile that a document holds.

        Args:
            document: What was found.
            digest: Which data it has to be of.

        Raises:
            ForeignProfileError: It is damaged, of another version, or of other data.
        """
        checksum, _, text = document.partition(b"\n")
        if checksum != _checksum(text):
            raise ForeignProfileError("it is damaged")
        try:
            return cls._read(json.loads(text), digest)
        except ForeignProfileError:
            raise
        except Exception as error:  # whatever its JSON, its numbers or its schema break
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
            columns={
                name: None if kept is None else KeptColumn.from_document(kept)
                for name, kept in found["columns"].items()
            },
            ranks={name: tuple(ranks) for name, ranks in found["ranks"].items()},
        )


def ranked(numbers: Any) -> tuple[int, ...]:
    """Return the place of each number among the distinct ones, -1 for NaN: all that ranks are made of.

    >>> ranked(np.array([2.5, np.nan, 1.0, 2.5]))
    (1, -1, 0, 1)
    """
    there = ~np.isnan(numbers)
    places = np.full(len(numbers), -1)
    places[there] = np.unique(numbers[there], return_inverse=True)[1]
    return tuple(places.tolist())


def unranked(places: tuple[int, ...]) -> Any:
    """Return numbers with the same ranks as those that the places are of."""
    numbers = np.array(places, dtype=np.float64)
    numbers[numbers < 0] = np.nan
    return numbers


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
