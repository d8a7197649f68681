"""What is asked of a place: which columns, which rows, and how many of them at most. Pure."""

from dataclasses import dataclass, field

from selfheal_jobs.sources.timespan import TimeSpan


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnChoice:
    """The columns that are read; all others stay where they are."""

    only: frozenset[str] | None = None
    """None: all."""
    without: frozenset[str] = frozenset()

    def keeps(self, name: str) -> bool:
        """Return whether a column is read."""
        return name not in self.without and (self.only is None or name in self.only)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a run wants of a place."""

    columns: ColumnChoice = field(default_factory=ColumnChoice)
    span: TimeSpan | None = None
    max_rows: int | None = None
    """A larger table is sampled."""
    seed: int = 0
    """Of the sample."""
    text_columns: frozenset[str] = frozenset()
    """Columns that a CSV holds as text even if all of it looks like numbers."""
    categorical: frozenset[str] = frozenset()
    """Columns that are handed over as dictionaries: their values are codes."""
