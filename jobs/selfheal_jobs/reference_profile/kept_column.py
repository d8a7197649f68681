"""The cached content of one column of the reference: counts of its distinct values, if they are few."""

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np
from msgspec import Struct

from selfheal_jobs.columns.infer_kind import Skipped, infer_kind
from selfheal_jobs.columns.row_numbers import needs_row_order
from selfheal_jobs.drift.methods.wasserstein import deviation
from selfheal_jobs.tables.content import Content, Values
from selfheal_jobs.tables.distinct_count import distinct_count

MOST_VALUES: Final = 1_000
"""A column with more distinct values is read by every check: its profile would be a copy of it."""
MOST_LETTERS: Final = 1 << 16
"""Limit for the total length of a column's distinct texts, for the same reason."""
_BYTES_OF_A_NUMBER: Final = 8
_FIRST_ROWS: Final = 4 * MOST_VALUES
"""For most columns of measurements these rows suffice to see that there are more distinct values."""


class KeptColumn(Struct, frozen=True, kw_only=True):
    """The content of a column, without the order of its rows."""

    holds: Values
    values: tuple[Any, ...] = ()
    counts: tuple[int, ...] = ()
    dtype: str = ""
    """NumPy's name for the type of its numbers, if it holds numbers."""
    deviation: float | None = None
    """The standard deviation of its numbers, summed in the order of the rows."""
    whole: bool = False
    categorical: bool = False
    open_ended: bool = False

    @classmethod
    def of(cls, name: str, content: Content) -> Self | None:
        """Return a column's content for the cache; None if it has too many distinct values.

        Also None if the order of its rows may tell that it holds row numbers: the cache does not keep it.
        """
        judged = infer_kind(name, content)
        if content.holds is Values.TEXT and isinstance(judged, Skipped):
            return cls._without_values(name, judged, content)
        counts = _counts(content)
        if counts is None or needs_row_order(name, content):
            return None
        return cls(
            holds=content.holds,
            values=tuple(counts),
            counts=tuple(counts.values()),
            dtype="" if content.numbers is None else content.numbers.dtype.str,
            deviation=_deviation(content),
            whole=content.whole,
            categorical=content.categorical,
            open_ended=content.open_ended,
        )

    @classmethod
    def _without_values(cls, name: str, judged: Skipped, content: Content) -> Self | None:
        """Return a placeholder that is skipped for the same reason: identifiers must not be stored."""
        for values in ((), ("",)):
            kept = cls(
                holds=Values.TEXT,
                values=values,
                counts=(1,) * len(values),
                categorical=content.categorical,
                open_ended=True,
            )
            if infer_kind(name, kept.content()) == judged:
                return kept
        return None

    @classmethod
    def from_document(cls, document: Mapping[str, Any], rows: int) -> Self:
        """Parse the result of `document`; raise ValueError, KeyError or TypeError for anything else.

        Somebody else may have written it: more values or rows than a reference of ours has would fill the
        memory.

        Args:
            document: A column of a stored profile.
            rows: The number of rows of the reference.
        """
        holds, values, counts = Values(document["holds"]), document["values"], document["counts"]
        kept = cls(**dict(document) | {"holds": holds, "values": tuple(values), "counts": tuple(counts)})
        kept._require_counts(rows)
        kept._require_values()
        flags = (kept.whole, kept.categorical, kept.open_ended)
        if not isinstance(kept.deviation, float | None) or not all(isinstance(each, bool) for each in flags):
            raise TypeError("a member has another type")
        return kept

    def _require_counts(self, rows: int) -> None:
        if len(self.values) != len(self.counts) or len(self.values) > MOST_VALUES:
            raise ValueError("every value has a count, and there are few of them")
        are_counts = set(map(type, self.counts)) <= {int} and min(self.counts, default=1) > 0
        if not are_counts or sum(self.counts) > rows:
            raise ValueError("a value is in some rows, and all values together are in no more than there are")

    def _require_values(self) -> None:
        if not set(map(type, self.values)) <= _TYPES[self.holds]:
            raise TypeError("a value has another type")
        if len(set(self.values)) < len(self.values):
            raise ValueError("a value is there twice")
        if self.holds is Values.TEXT and sum(map(len, self.values)) > MOST_LETTERS:
            raise ValueError("the texts are too long")
        if self.holds is Values.NUMBERS:
            _require_numbers(self.values, np.dtype(self.dtype))

    @property
    def document(self) -> dict[str, Any]:
        """Return the column as a JSON document; Python's JSON preserves floats exactly."""
        return {
            "holds": self.holds.value,
            "values": list(self.values),
            "counts": list(self.counts),
            "dtype": self.dtype,
            "deviation": self.deviation,
            "whole": self.whole,
            "categorical": self.categorical,
            "open_ended": self.open_ended,
        }

    def content(self) -> Content:
        """Return the column's content, with its numbers in ascending order instead of the rows' order."""
        if self.holds is not Values.NUMBERS:
            return Content(
                holds=self.holds,
                counts=dict(zip(self.values, self.counts, strict=True)),
                categorical=self.categorical,
                open_ended=self.open_ended,
            )
        return Content(
            holds=self.holds,
            numbers=np.repeat(np.array(self.values, dtype=self.dtype), self.counts),
            whole=self.whole,
            categorical=self.categorical,
            deviation=self.deviation,
            ascending=True,
            counts=dict(zip(self.values, self.counts, strict=True)),
        )


_TYPES: Final[Mapping[Values, frozenset[type]]] = {
    Values.NUMBERS: frozenset({int, float}),
    Values.TEXT: frozenset({str}),
    Values.BOOLEANS: frozenset({bool}),
    Values.DATES: frozenset(),
    Values.NOTHING: frozenset(),
    Values.OTHER: frozenset(),
}
"""Python's types of the values in a profile; a column of another logical type has none."""


def _require_numbers(values: tuple[Any, ...], dtype: np.dtype[Any]) -> None:
    # NumPy would take memory for a type of any size, such as <U100000000.
    if dtype.kind not in "iuf" or dtype.itemsize > _BYTES_OF_A_NUMBER:
        raise TypeError("this is no type of numbers")
    if not np.isfinite(np.array(values, dtype=dtype)).all():
        raise ValueError("infinite numbers count as gaps")


def _deviation(content: Content) -> float | None:
    if content.numbers is None:
        return None
    with np.errstate(all="ignore"):  # numbers near the limits of float64
        return deviation(content.numbers)


def _counts(content: Content) -> Mapping[Any, int] | None:
    if content.numbers is not None and distinct_count(content.numbers[:_FIRST_ROWS]) > MOST_VALUES:
        return None
    counts = content.value_counts()
    if len(counts) > MOST_VALUES:
        return None
    if content.holds is Values.TEXT and sum(map(len, counts)) > MOST_LETTERS:
        return None
    return counts
