"""Collects a reader's record batches: filters by the window, samples, and stores the rows in a spool."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
import pyarrow as pa

from selfheal_jobs.sources.arrow_types import as_categories, common_type
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.sampling import Sample
from selfheal_jobs.sources.spool import Spool
from selfheal_jobs.sources.tables import StoredTable
from selfheal_jobs.sources.tally import RowsRead, Tally
from selfheal_jobs.sources.text_types import Spelling, TextTypes
from selfheal_jobs.tables.content import INFERRED_TEXT

_MOST_OF_EXAMPLE: Final = 40


class Collector:
    """Collects one table, batch by batch."""

    def __init__(
        self,
        asked: Asked,
        names: Sequence[str],
        text_types: TextTypes | None = None,
        *,
        offered: Sequence[str] = (),
        place: Place | None = None,
    ) -> None:
        """Prepare for batches with these columns, and the timestamp column if there is a window.

        Args:
            asked: The request.
            names: The columns of the resulting table.
            text_types: Infers the types of columns that arrive as text.
            offered: All columns of the source.
            place: The source, for messages.
        """
        self.tally = Tally()
        self._offered, self._place = tuple(offered), place
        self._asked = asked
        self._names = list(names)
        self._text_types = text_types
        self._sample = Sample(asked.max_rows, asked.seed) if asked.max_rows else None
        self._spool = Spool()
        self._rows = 0

    def foresee(self, rows: int) -> None:
        """Announce the total number of rows, if the files contain it: the sample then needs less space."""
        if self._sample is not None and self._asked.span is None:
            self._sample.foresee(rows)

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a record batch."""
        if self._asked.span is not None:
            # Imported here: Arrow's functions take 0.03 s, and most checks have no window.
            from selfheal_jobs.sources.time_sorting import sort_by_time  # noqa: PLC0415

            found = sort_by_time(batch.column(self._asked.span.column), self._asked.span)
            inside = (
                batch.num_rows if found.inside.true_count == len(found.inside) else found.inside.true_count
            )
            self.tally.unreadable += found.unreadable
            self.tally.days += found.days
            self._note_times(batch.column(self._asked.span.column), found.unreadable)
            if inside < batch.num_rows:
                batch = batch.filter(found.inside)
        if batch.num_rows == 0:
            return
        batch = batch.select(self._names)
        if self._text_types is not None:
            self._text_types.observe(batch)
        self._rows += batch.num_rows
        if self._sample is not None:
            flags = self._sample.offer(batch.num_rows)
            if not flags.all():
                batch = batch.filter(pa.array(flags))
        self._spool.append(batch)

    def _note_times(self, times: pa.Array, unreadable: int) -> None:
        if unreadable < len(times):
            self.tally.has_times = True
        elif not (self.tally.has_times or self.tally.example) and times.null_count < len(times):
            self.tally.example = str(times.filter(times.is_valid())[0].as_py())[:_MOST_OF_EXAMPLE]

    def table(self, types: Mapping[str, pa.DataType]) -> StoredTable:
        """Return the collected rows as a table with the common types of its files."""
        spellings = self._text_types.spellings if self._text_types else {}
        fields = [
            self._field(name, spellings[name].type if name in spellings else types[name])
            for name in self._names
        ]
        flags = self._sample.final() if self._sample else np.ones(self._rows, np.bool_)
        lengths = self._spool.lengths()
        ends = accumulate(lengths)
        rows = RowsRead(
            kept=int(flags.sum()),
            counted=self._rows,
            without_timestamp=self.tally.unreadable,
            days=self.tally.days,
            has_times=self.tally.has_times,
            example=self.tally.example,
        )
        return StoredTable(
            schema=as_categories(pa.schema(fields), self._asked.categorical),
            rows=rows,
            spool=self._spool,
            flags=[flags[end - length : end] for length, end in zip(lengths, ends, strict=True)],
            spellings=spellings,
            offered=self._offered,
            place=self._place,
        )

    def _field(self, name: str, kind: pa.DataType) -> pa.Field:
        inferred = (
            self._text_types is not None
            and self._text_types.spellings[name] is Spelling.TEXT
            and name not in self._text_types.declared
        )
        return pa.field(name, kind, metadata=INFERRED_TEXT if inferred else None)

    def types_found(self) -> dict[str, pa.DataType]:
        """Return the common types of all batches, for readers that do not know them in advance.

        Raises:
            pa.ArrowException: The types of a column's batches have no common type.
        """
        self._spool.lengths()
        return {name: common_type(self._spool.types(name)) for name in self._names}
