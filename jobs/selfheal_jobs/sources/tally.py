"""Counts the rows of a source: read, in the window, kept."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counts, while reading, the rows for which the window cannot be evaluated."""

    unreadable: int = 0
    """Rows without a valid timestamp, if there is a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """Row counts of one side."""

    kept: int
    """Rows in the table."""
    counted: int
    """Rows in the window, or all rows without one: the population of the sample."""
    without_timestamp: int = 0

    @property
    def sampled(self) -> bool:
        """Return whether the table is a sample."""
        return self.kept < self.counted
