"""Counts the rows of a source: read, in the window, kept, joined; and says what was left out. Pure."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct


class Tally(Struct):
    """Counts, while reading, the rows for which the window cannot be evaluated."""

    unreadable: int = 0
    """Rows without a valid timestamp, if there is a window."""
    days: int = 0
    """Rows outside the window whose timestamp looks like 20261122, but was read as an epoch number."""
    has_times: bool = False
    """Whether at least one row, in the window or outside, has a valid timestamp."""
    example: str = ""
    """What one row has in place of a timestamp, if none has one so far."""


class RowsRead(Struct, frozen=True, kw_only=True):
    """Row counts of one side."""

    kept: int
    """Rows in the table."""
    counted: int
    """Rows in the window, or all rows without one: the population of the sample."""
    without_timestamp: int = 0
    days: int = 0
    """Rows outside the window whose timestamp looks like 20261122, but was read as an epoch number."""
    has_times: bool = True
    """Whether at least one row, in the window or outside, has a valid timestamp."""
    example: str = ""
    """What one row has in place of a timestamp, if none has one."""

    @property
    def sampled(self) -> bool:
        """Return whether the table is a sample."""
        return self.kept < self.counted

    def left_out(self) -> Iterator[str]:
        """Yield remarks on rows of the current data that were left out."""
        if self.without_timestamp:
            yield (
                f"{self.without_timestamp} rows of current have no readable timestamp and are left out "
                f"({self.counted} are in the window): spec.dataset.window.format says how they are written"
            )
        if self.days:
            yield (
                f"{self.days} timestamps look like 20261122 and were read as epoch numbers: "
                f"spec.dataset.window.format may have to be %Y%m%d"
            )


NO_ROWS: Final = RowsRead(kept=0, counted=0)


class JoinCounts(Struct, frozen=True, kw_only=True):
    """Row counts of the join of labels."""

    rows: int
    """Rows of the current data that are old enough to have a label."""
    labelled: int
    """Those rows that have a label."""
    without_key: int
    """Those rows whose joinColumn is empty."""
    duplicate_keys: int
    """Labels that share their key with another label; the last one counts."""
    unmatched_labels: int
    """Labels that match no row."""
    without_value: int = 0
    """Rows of the labels without a key or a value."""

    def left_out(self) -> Iterator[str]:
        """Yield a remark on rows without a label and labels without a row."""
        if self.labelled < self.rows or self._others():
            yield self.sentence()

    def sentence(self) -> str:
        """Return how many rows have a label, and what was not joined."""
        share = f" ({self.labelled / self.rows:.1%})" if self.rows else ""
        return ", ".join([f"{self.labelled} of {self.rows} rows have a label{share}", *self._others()])

    def _others(self) -> list[str]:
        others = {
            "labels match no row": self.unmatched_labels,
            "rows have no key": self.without_key,
            "labels are replaced by a later one": self.duplicate_keys,
            "rows of the labels have no key or no value": self.without_value,
        }
        return [f"{count} {what}" for what, count in others.items() if count]
