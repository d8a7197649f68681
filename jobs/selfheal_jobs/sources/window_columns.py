"""Adds the timestamp column of a window to the columns to read."""

from collections.abc import Sequence

from selfheal_jobs.errors import DataError
from selfheal_jobs.similar_names import did_you_mean
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_operator.api.reasons import Reason


def with_timestamps(
    place: Place, wanted: Sequence[str], names: Sequence[str], span: TimeSpan | None
) -> list[str]:
    """Return the columns to read: the wanted ones, and the timestamp column if there is a window.

    Raises:
        DataError: The timestamp column is missing.
    """
    if span is None or span.column in wanted or not names:
        return list(wanted)
    if span.column not in names:
        raise DataError(
            Reason.COLUMN_MISSING,
            f"{place.field}: {place.uri} has no column {span.column[:100]!r}"
            f"{did_you_mean(span.column, names)}. Correct "
            f"spec.dataset.window.timestampColumn, or deliver the column.",
        )
    return [*wanted, span.column]
