"""A request to a data source: columns, time span, and maximum number of rows. Pure."""

from msgspec import Struct, field

from selfheal_jobs.sources.timespan import TimeSpan


class ColumnChoice(Struct, frozen=True, kw_only=True):
    """The columns to read."""

    only: frozenset[str] | None = None
    """None means all columns."""
    without: frozenset[str] = frozenset()

    def keeps(self, name: str) -> bool:
        """Return whether a column is read."""
        return name not in self.without and (self.only is None or name in self.only)


class Asked(Struct, frozen=True, kw_only=True):
    """What a run reads from a data source."""

    columns: ColumnChoice = field(default_factory=ColumnChoice)
    span: TimeSpan | None = None
    max_rows: int | None = None
    """A larger table is sampled."""
    seed: int = 0
    """Random seed of the sample."""
    text_columns: frozenset[str] = frozenset()
    """Columns of a CSV file that stay text even if all values look like numbers."""
    categorical: frozenset[str] = frozenset()
    """Columns that are returned as dictionary arrays: their values are categories."""
