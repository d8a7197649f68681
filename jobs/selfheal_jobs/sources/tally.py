"""How many rows a reader has met, and what became of them."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Rows that were not kept: counted while reading."""

    outside: int = 0
    """Not in the window."""
    unreadable: int = 0
    """Without a timestamp that anybody can read, where there is a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """What became of the rows of one side."""

    kept: int
    """In the table."""
    counted: int
    """In the window, or all of them: what the sample was taken from."""
    outside_window: int = 0
    without_timestamp: int = 0

    @property
    def sampled(self) -> bool:
        """Return whether the table is a sample."""
        return self.kept < self.counted
