"""The input of the signals: the tables of a check, and the results of the comparison of the columns."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from selfheal_jobs.check.column_facts import ColumnFacts
from selfheal_jobs.columns.scan import ColumnPlan
from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.sides import open_labelled_current
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.sources.tally import JoinCounts
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec


class SignalTables(Struct, frozen=True, dict=True):
    """The tables of one check, and the results so far."""

    request: RunRequest
    reference: Table
    current: SourceTable
    facts: Sequence[ColumnFacts] = ()
    plan: ColumnPlan | None = None
    problem: DataError | None = None
    """Why the columns were not compared, if they were not."""

    @property
    def spec(self) -> ModelMonitorSpec:
        """Return the monitor's spec."""
        return self.request.spec

    def observed_columns(self) -> Sequence[ColumnFacts]:
        """Return the facts of the compared columns; raise DataError if they were not compared."""
        if self.problem is not None:
            raise self.problem
        return self.facts

    def prediction(self) -> str:
        """Return the column of the predictions; raise DataError if the spec names none (ColumnMissing)."""
        name = self.spec.dataset.columns.prediction
        if name is None:
            raise DataError(Reason.COLUMN_MISSING, "spec.dataset.columns.prediction names no column.")
        return name

    def labelled(self) -> Table:
        """Return the rows of the current data that have a label.

        Raises:
            DataError: There are none (LabelsNotAvailable), or fewer than spec.dataset.minRows (TooFewRows).
        """
        table = self._labelled
        if isinstance(table, DataError):
            raise table
        least = self.spec.dataset.min_rows
        if table.num_rows < least:
            raise DataError(
                Reason.TOO_FEW_ROWS,
                f"{table.num_rows} rows have a label, and spec.dataset.minRows asks for {least}.",
            )
        return table

    def left_out(self) -> Iterator[str]:
        """Yield remarks on rows without a label, if a signal has asked for labels that arrive later."""
        counts = getattr(self.__dict__.get("_labelled"), "counts", None)
        if isinstance(counts, JoinCounts):
            yield from counts.left_out()

    @cached_property
    def _labelled(self) -> Table | DataError:
        """Return the labelled rows or the error; both are cached for all signals."""
        target = self.spec.target
        if self.spec.dataset.labels is None:
            if target in self.current.schema.names:
                return self.current
            # Imported here: joining needs Arrow's functions, 0.03 s, and few checks have labels.
            from selfheal_jobs.sources.labels import not_available  # noqa: PLC0415

            return not_available(
                f"the current data has no column {target[:100]!r}: deliver it, or set spec.dataset.labels"
            )
        prediction = self.spec.dataset.columns.prediction
        try:
            return open_labelled_current(
                self.request, self.reference, only=frozenset({prediction}) if prediction else frozenset()
            )
        except DataError as problem:
            return problem


def lacks(side: str, name: str) -> DataError:
    """Return the error for a missing column."""
    return DataError(Reason.COLUMN_MISSING, f"The {side} has no column {name[:100]!r}.")
