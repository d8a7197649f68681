"""Recognises the rows that a model version has learnt, by digests of their values. Pure."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray

from selfheal_jobs.retrain.equal_rows import chance_of_equal_rows
from selfheal_jobs.retrain.row_digests import VERSION, Digests, digests


class LearntRows(Struct, frozen=True, kw_only=True):
    """The rows that a model version has learnt."""

    columns: tuple[str, ...] = ()
    """The columns that the digests are of; none where the digests cannot be read."""
    digests: Digests
    until: datetime | None = None
    """The newest of their timestamps."""

    @classmethod
    def of(cls, rows: pd.DataFrame, columns: Sequence[str], until: datetime | None) -> Self:
        """Return what a model learns from rows."""
        return cls(columns=tuple(columns), digests=np.unique(digests(rows, columns)), until=until)

    def contain(self, rows: pd.DataFrame, known: Digests | None = None) -> NDArray[np.bool_]:
        """Return which rows are among them; none where the columns are others now.

        None either where chance explains at least half of the rows that would be: among rows of a few
        categories nearly every one equals a row that was learnt.

        Args:
            rows: The rows.
            known: Their digests, if somebody has computed them.
        """
        if not self.columns or not set(self.columns) <= set(rows.columns):
            return np.zeros(len(rows), dtype=bool)
        found = np.isin(digests(rows, self.columns) if known is None else known, self.digests)
        if found.any() and self._by_chance(rows) >= found.mean() / 2:
            return np.zeros(len(rows), dtype=bool)
        return found

    def _by_chance(self, rows: pd.DataFrame) -> float:
        """Return the share of rows that would be among them by chance, at most 1."""
        return min(1.0, len(self.digests) * chance_of_equal_rows(rows, self.columns))

    def to_wire(self) -> dict[str, Any]:
        """Return a document for JSON: eight bytes for each distinct row."""
        return {
            "version": VERSION,
            "columns": list(self.columns),
            "until": self.until.isoformat() if self.until else None,
            "digests": base64.b64encode(self.digests.astype("<u8").tobytes()).decode(),
        }

    @classmethod
    def from_wire(cls, document: dict[str, Any]) -> Self:
        """Read such a document; of one with digests of another version only the time.

        Raises:
            ValueError, LookupError, TypeError: It is none.
        """
        until = datetime.fromisoformat(document["until"]) if document["until"] else None
        if document.get("version") != VERSION:
            return cls(columns=(), digests=np.empty(0, dtype=np.uint64), until=until)
        return cls(
            columns=tuple(document["columns"]),
            digests=np.frombuffer(base64.b64decode(document["digests"]), dtype="<u8").astype(np.uint64),
            until=until,
        )

    @property
    def are_known(self) -> bool:
        """Return whether the rows can be told from others."""
        return bool(self.columns)
