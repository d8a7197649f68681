"""How many rows a reader has met, and what became of them."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Rows that could not be told to be in the window or not: counted while reading."""

    unreadable: int = 0
    """Without a timestamp that anybody can read, where there is a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """What became of the rows of one side."""

    kept: int
    """In the table."""
    counted: int
    """In the window, or all of them: what the sample was taken from."""
    without_timestamp: int = 0

    @property
    def sampled(self) -> bool:
        """Return whether the table is a sample."""
        return self.kept < self.counted
