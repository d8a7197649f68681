"""Recognises rows that are the same, across tables and retrainings, by digests of their values. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Digests = NDArray[np.uint64]

_MOST_DELIVERIES: Final = 10
"""Rows that occur more often on average are no copies, but drawn from a few possible ones."""
_CHANCE_MEETINGS: Final = 0.05
"""Expected number of rows that equal a given one by chance. With more, equal rows are no copies."""


def digests(rows: pd.DataFrame, columns: Sequence[str]) -> Digests:
    """Return a digest of each row: equal for equal values, whatever type a file stores them in."""
    plain = pd.DataFrame({number: _plain(rows[name]) for number, name in enumerate(columns)})
    return pd.util.hash_pandas_object(plain, index=False).to_numpy().astype(np.uint64)


def _plain(values: pd.Series) -> pd.Series:
    if _is_number(values):
        return values.astype("float64") + 0.0  # -0.0 is 0.0
    return values.astype("object").where(values.notna(), "").map(str)


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values.dtype)


def tells_copies(rows: pd.DataFrame, columns: Sequence[str], known: Digests | None = None) -> bool:
    """Return whether two rows that are equal in these columns are one row, delivered twice.

    Rows of a few categories meet by chance: each is a row of its own. Only numbers can tell: fractions, and
    integers that hardly repeat themselves among different rows.

    Args:
        rows: The rows.
        columns: The columns that are compared.
        known: The rows' digests, if they are known.
    """
    known = digests(rows, columns) if known is None else known
    distinct = rows.loc[~pd.Series(known, index=rows.index).duplicated(), list(columns)]
    if len(distinct) * _MOST_DELIVERIES < len(rows):
        return False
    others = meetings = float(max(len(distinct) - 1, 0))
    for name in columns:
        if _is_number(distinct[name]):
            chance = _coincidence(distinct[name])
            if _has_fractions(distinct[name]) or chance * others <= _CHANCE_MEETINGS:
                meetings *= chance
    return meetings <= _CHANCE_MEETINGS


def _coincidence(values: pd.Series) -> float:
    """Return an unbiased estimate of the probability that two rows have the same value."""
    counts = values.value_counts().to_numpy(dtype="float64")
    return float((counts * (counts - 1)).sum() / max(len(values) * (len(values) - 1), 1))


def _has_fractions(values: pd.Series) -> bool:
    if not pd.api.types.is_float_dtype(values.dtype):
        return False
    return bool((values.dropna() % 1 != 0).any())


@dataclass(frozen=True, kw_only=True)
class LearntRows:
    """The rows that a model version has learnt."""

    columns: tuple[str, ...] = ()
    """The columns that the digests are of."""
    digests: Digests
    until: datetime | None = None
    """The newest of their timestamps."""

    @classmethod
    def of(cls, rows: pd.DataFrame, columns: Sequence[str], until: datetime | None) -> Self:
        """Return what a model learns from rows."""
        return cls(columns=tuple(columns), digests=np.unique(digests(rows, columns)), until=until)

    def contain(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows are among them; none where the columns are others now, or tell no copies."""
        if not self.columns or not set(self.columns) <= set(rows.columns):
            return np.zeros(len(rows), dtype=bool)
        found = digests(rows, self.columns)
        if not tells_copies(rows, self.columns, found):
            return np.zeros(len(rows), dtype=bool)
        return np.isin(found, self.digests)

    def to_wire(self) -> dict[str, Any]:
        """Return a document for JSON: eight bytes for each distinct row."""
        return {
            "columns": list(self.columns),
            "until": self.until.isoformat() if self.until else None,
            "digests": base64.b64encode(self.digests.astype("<u8").tobytes()).decode(),
        }

    @classmethod
    def from_wire(cls, document: dict[str, Any]) -> Self:
        """Read such a document.

        Raises:
            ValueError, LookupError, TypeError: It is none.
        """
        until = document["until"]
        return cls(
            columns=tuple(document["columns"]),
            digests=np.frombuffer(base64.b64decode(document["digests"]), dtype="<u8").astype(np.uint64),
            until=datetime.fromisoformat(until) if until else None,
        )
