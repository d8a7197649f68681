"""Opens the tables of a run according to its spec: the reference, the current data, and its labels."""

import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from selfheal_jobs.errors import DataError
from selfheal_jobs.similar_names import did_you_mean
from selfheal_jobs.sources.asked import Asked, ColumnChoice
from selfheal_jobs.sources.named_columns import require_named_columns
from selfheal_jobs.sources.opening import locate, open_table
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.source import StoredData
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.sources.tally import JoinCounts, RowsRead
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_jobs.tables.content import text_columns
from selfheal_jobs.tables.table import Table, offered_columns
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

if TYPE_CHECKING:
    from selfheal_jobs.sources.labels import LabelledTable

logger = logging.getLogger(__name__)


def open_reference(
    request: RunRequest, *, also: frozenset[str] = frozenset(), data: StoredData | None = None
) -> SourceTable:
    """Return the reference: the feature columns and the target.

    Args:
        request: The request of the run.
        also: Further columns to read, if they exist.
        data: The reference, if it has already been located.

    Raises:
        DataError: It cannot be read, has no rows, or lacks a column that spec.dataset.columns includes.
    """
    place = Place.of_reference(request.spec)
    table = (data or locate(place)).open(asked_of_reference(request, also=also))
    _tell("reference", table)
    place.require_rows(table.num_rows)
    _require_included(request.spec, table)
    return table


def asked_of_reference(request: RunRequest, *, also: frozenset[str] = frozenset()) -> Asked:
    """Return what a run reads from the reference."""
    return _asked(request, _with(compared_columns(request.spec), also))


def open_current(
    request: RunRequest,
    reference: Table,
    *,
    all_columns: bool = False,
    also: frozenset[str] = frozenset(),
    data: StoredData | None = None,
) -> SourceTable:
    """Return the rows of the current data in the window, by default with the reference's columns only.

    Args:
        request: The request of the run; its slot ends the window.
        reference: Its text columns are read as text here too.
        all_columns: Also read columns that only the current data has: the champion may need them.
        also: Further columns to read, if they exist.
        data: The current data, if it has already been located.

    Raises:
        DataError: It cannot be read, has no rows in the window (EmptyData), or neither side has a column that
            the spec names (ColumnMissing).
    """
    span = _span(request, delay_seconds=0)
    place = Place.of_current(request.spec)
    columns = _with(_of_current(request, reference, all_columns), also)
    table = (data or locate(place)).open(_asked(request, columns, reference, span))
    _tell("current", table)
    require_named_columns(request.spec, offered_columns(reference), table.offered)
    outside = span is not None and (table.rows.has_times or table.rows.without_timestamp)
    if table.num_rows == 0 and not outside:
        _require_columns_of_reference(request.spec, reference, table, place)
    _require_rows(place, table, span)
    return table


def open_labelled_current(
    request: RunRequest, reference: Table, *, only: frozenset[str] | None = None
) -> "LabelledTable":
    """Return the rows of the current data that are old enough to have a label, and have one.

    Args:
        request: The request of the run; its slot and the labels' delay end the window.
        reference: Its text columns are read as text here too.
        only: The columns to read in addition to the label; None for all.

    Raises:
        DataError: There is none (LabelsNotAvailable), or something cannot be read.
    """
    # Imported here: joining needs Arrow's functions, 0.03 s, and few checks have labels.
    from selfheal_jobs.sources.labels import join_labels, not_available  # noqa: PLC0415

    labels = request.spec.dataset.labels
    if labels is None:
        raise not_available("spec.dataset.labels names none")
    span = _span(request, delay_seconds=labels.delay_seconds)
    place = Place.of_current(request.spec)
    columns = ColumnChoice(only=None if only is None else only | {labels.join_column})
    current = open_table(place, _asked(request, columns, reference, span))
    _tell("current that is old enough for labels" if span else "current for labels", current)
    if span is None and labels.delay_seconds:  # a spec from before the API server refused it
        logger.warning("spec.dataset.labels.delaySeconds is not applied: there is no spec.dataset.window")
    key, target = labels.join_column, request.spec.target
    require_named_columns(request.spec, offered_columns(reference), (*current.offered, target))
    _require_join_column(current, key, place)
    _require_rows(place, current, span)
    texts = frozenset([*text_columns(reference), *text_columns(current)])  # no matter what digits they hold
    wanted = Asked(columns=ColumnChoice(only=frozenset({key, target})), text_columns=texts)
    try:
        found = open_table(Place.of_labels(labels), wanted)
    except DataError as error:
        if error.reason is Reason.DATA_NOT_FOUND:  # no labels have been delivered yet
            raise not_available(str(error).rstrip(".")) from error
        raise
    joined = join_labels(current, found, key=key, target=target)
    logger.info("Joined labels: %s", joined.counts.sentence())
    return replace(joined, offered=(*current.offered, target), rows=current.rows)


def left_out(current: SourceTable) -> tuple[str, ...]:
    """Return remarks on rows of the current data that were left out, and on labels that were not joined."""
    counts = getattr(current, "counts", None)
    joined = counts.left_out() if isinstance(counts, JoinCounts) else ()
    return (*current.rows.left_out(), *joined)


def _require_join_column(current: SourceTable, key: str, place: Place) -> None:
    if key not in current.offered:
        raise DataError(
            Reason.COLUMN_MISSING,
            f"spec.dataset.labels.joinColumn names {key[:100]!r}, which {place.uri} lacks"
            f"{did_you_mean(key, current.offered)}. Correct it, or deliver the column.",
        )


def compared_columns(spec: ModelMonitorSpec) -> ColumnChoice:
    """Return the feature columns of a monitor: without keys, predictions and the timestamps of a window."""
    dataset = spec.dataset
    without = set(dataset.columns.exclude)
    if dataset.columns.prediction:
        without.add(dataset.columns.prediction)
    if dataset.labels:
        without.add(dataset.labels.join_column)
    if dataset.columns.timestamp:
        without.add(dataset.columns.timestamp)
    if dataset.window:
        without.add(dataset.window.timestamp_column)
    included = frozenset(dataset.columns.include)
    return ColumnChoice(
        only=included | {spec.target} if included else None, without=frozenset(without - {spec.target})
    )


def _with(columns: ColumnChoice, also: frozenset[str]) -> ColumnChoice:
    only = None if columns.only is None else columns.only | also
    return ColumnChoice(only=only, without=columns.without - also)


def _of_current(request: RunRequest, reference: Table, all_columns: bool) -> ColumnChoice:  # noqa: FBT001
    if all_columns:
        return ColumnChoice()
    return ColumnChoice(only=frozenset(reference.schema.names) | {request.spec.target})


def _asked(
    request: RunRequest, columns: ColumnChoice, reference: Table | None = None, span: TimeSpan | None = None
) -> Asked:
    dataset = request.spec.dataset
    return Asked(
        columns=columns,
        span=span,
        max_rows=dataset.max_rows,
        seed=int(request.slot.timestamp()),
        text_columns=frozenset(text_columns(reference)) if reference else frozenset(),
        categorical=frozenset(dataset.columns.categorical),
    )


def _span(request: RunRequest, *, delay_seconds: int) -> TimeSpan | None:
    window = request.spec.dataset.window
    return TimeSpan.of(window, request.slot, delay_seconds=delay_seconds) if window else None


def _tell(side: str, table: SourceTable) -> None:
    rows = table.rows
    logger.info("Opened %d rows of %s", rows.kept, side)
    if rows.sampled:
        logger.info("They are a sample of %d rows: spec.dataset.maxRows", rows.counted)
    if rows.without_timestamp:
        logger.info("%d more rows have no readable timestamp, and are left out", rows.without_timestamp)


def _require_columns_of_reference(
    spec: ModelMonitorSpec, reference: Table, table: SourceTable, place: Place
) -> None:
    """Raise DataError for a file without any row that is another table: a check compares columns of rows."""
    needed = [name for name in reference.schema.names if name != spec.target]
    missing = [name for name in needed if name not in table.offered]
    if missing:
        raise DataError(
            Reason.COLUMN_MISSING,
            f"{place.field}: {place.uri} has no rows, and lacks {missing[0][:100]!r} of the reference"
            f"{did_you_mean(missing[0], table.offered)}. Check the address, and what writes this data.",
        )


def _require_rows(place: Place, table: SourceTable, span: TimeSpan | None) -> None:
    rows = table.rows
    if span is not None and rows.without_timestamp and not rows.has_times:
        raise DataError(
            Reason.EMPTY_DATA, f"spec.dataset.window.timestampColumn: {_no_times(place, rows, span)}"
        )
    if table.num_rows == 0 and span is not None:
        raise DataError(
            Reason.EMPTY_DATA,
            f"{place.field}: no row at {place.uri} is in the window, later than {span.after:%FT%TZ} "
            f"and not later than {span.until:%FT%TZ} ({rows.without_timestamp} have none "
            f"that can be read). {_window_remedy(rows)}",
        )
    place.require_rows(table.num_rows)


def _no_times(place: Place, rows: RowsRead, span: TimeSpan) -> str:
    value = f", but values such as {rows.example!r}" if rows.example else ", and no value at all"
    written = span.pattern or span.unit
    wanted = f"in the format {written}" if written else "in ISO 8601 or as epoch numbers"
    return (
        f"{span.column[:100]!r} of {place.uri} has no time that can be read in {rows.without_timestamp} "
        f"rows{value}. Write times {wanted}, or set spec.dataset.window.format to how they are written, such "
        f"as %d.%m.%Y %H:%M."
    )


def _window_remedy(rows: RowsRead) -> str:
    if rows.days:
        return (
            f"{rows.days} timestamps look like 20261122, and were read as epoch numbers: "
            f"set spec.dataset.window.format to %Y%m%d."
        )
    written = ", or say by its format how times are written" if rows.without_timestamp else ""
    return f"Check what writes this data, or widen spec.dataset.window{written}."


def _require_included(spec: ModelMonitorSpec, table: SourceTable) -> None:
    names = table.schema.names
    missing = [name for name in spec.dataset.columns.include if name not in names and name != spec.target]
    if missing:
        raise DataError(
            Reason.COLUMN_MISSING,
            f"spec.dataset.columns.include names {missing[0][:100]!r}, which the reference lacks"
            f"{did_you_mean(missing[0], table.offered)}. Correct it.",
        )
