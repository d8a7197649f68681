"""A reference with a profile: reads only columns that the profile lacks, and adds them to the profile.

The data is not opened until a column is requested that the profile lacks. The extended profile is stored for
later checks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from selfheal_jobs.columns.infer_kind import Column, infer_kind
from selfheal_jobs.columns.scan import thinned
from selfheal_jobs.drift.methods.pair import Array
from selfheal_jobs.reference_profile.by_rows import needs_rows
from selfheal_jobs.reference_profile.kept_column import KeptColumn
from selfheal_jobs.reference_profile.profile import Profile, ranked, unranked
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.sources.tally import RowsRead
from selfheal_jobs.tables.content import Content, content
from selfheal_operator.api.v1alpha1.drift import Drift

Open = Callable[[frozenset[str]], SourceTable]
"""Opens the reference with these columns; raises DataError if it is not the data of the profile."""


class KnownReference(Struct, kw_only=True):
    """A reference with a profile; implements `SourceTable` and `contents.Known`."""

    profile: Profile
    rules: Drift
    open: Open
    _raw: SourceTable | None = None
    _served: set[str] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)
    _learnt: dict[str, KeptColumn | None] = field(default_factory=dict)
    _judged: list[Column] = field(default_factory=list)
    """The newly read columns that can be compared."""

    @classmethod
    def unknown(cls, digest: str, table: SourceTable, rules: Drift) -> "KnownReference":
        """Return an opened reference with an empty profile."""
        offered = tuple(table.offered)
        profile = Profile(digest=digest, schema=table.schema, rows=table.num_rows, offered=offered)
        return cls(profile=profile, rules=rules, open=lambda _: table, _raw=table)

    @property
    def schema(self) -> pa.Schema:
        """Return names and types."""
        return self.profile.schema

    @property
    def num_rows(self) -> int:
        """Return how many rows there are."""
        return self.profile.rows

    @property
    def rows(self) -> RowsRead:
        """Return the row counts; all rows count, since a sampled reference has no profile."""
        return RowsRead(kept=self.profile.rows, counted=self.profile.rows)

    @property
    def offered(self) -> Sequence[str]:
        """Return the names of all columns of the source."""
        return self.profile.offered

    def column(self, name: str) -> pa.ChunkedArray:
        """Read a column; raise KeyError if there is none."""
        return self._table([name]).column(name)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Read columns; raise KeyError if there is no such column."""
        yield from self._table(names).batches(names)

    def content(self, name: str, most_words: float) -> Content:
        """Return a column's content, from the profile unless the column's method needs the rows."""
        if (kept := self.profile.columns.get(name)) is not None:
            known = kept.content()
            if not needs_rows(name, known, self.rules):
                self._served.add(name)
                return known
        found = content(self._table([name]), name, most_words=most_words)
        self._read.add(name)
        if name not in self.profile.columns and name not in self._learnt:
            self._learn(name, found)
        return found

    def numbers(self, names: Sequence[str]) -> list[Array] | None:
        """Return numbers with the same ranks as a sample of the rows; None if they are not known."""
        if not all(name in self.profile.ranks for name in names):
            return None
        return [unranked(self.profile.ranks[name]) for name in names]

    @property
    def profile_used(self) -> str | None:
        """Return a digest of the stored profile if it has told a column; None if all columns were read."""
        return self.profile.stored_as or None if self._served else None

    def learnt(self) -> Profile | None:
        """Return the profile extended by the columns that were read; None if there are none.

        Raises:
            DataError: The reference can no longer be read.
        """
        if not self._learnt:
            return None
        ranks = dict(self.profile.ranks)
        if self._judged and self.rules.rule == "Calibrated":
            names = [column.name for column in self._judged]
            found = thinned(self._table(names), self._judged)
            ranks |= {name: ranked(numbers) for name, numbers in zip(names, found, strict=True)}
        return replace(self.profile, columns={**self.profile.columns, **self._learnt}, ranks=ranks)

    def account(self, methods: Iterable[tuple[str, str]]) -> str:
        """Return one line for the log: how many columns came from the profile and how many were read.

        Args:
            methods: The compared columns and their methods.
        """
        needed = sorted({method for name, method in methods if name in self._read})
        read = f"{len(self._read)} read from the data"
        return f"Reference: {len(self._served)} columns from its profile, {read}" + (
            f" (for {', '.join(needed)})" if needed else ""
        )

    def _learn(self, name: str, found: Content) -> None:
        self._learnt[name] = KeptColumn.of(name, found)
        column = infer_kind(name, found)
        if isinstance(column, Column):
            self._judged.append(column)

    def _table(self, names: Sequence[str]) -> SourceTable:
        if self._raw is None:
            kept = {name for name, each in self.profile.columns.items() if each is not None}
            self._raw = self.open(frozenset({*self.schema.names} - kept | {*names}))
        elif not set(names) <= set(self._raw.schema.names):
            self._raw = self.open(frozenset(self.schema.names))
        return self._raw
