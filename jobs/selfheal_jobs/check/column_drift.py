"""Drift test of a single column outside the drift share: predictions, labels."""

from selfheal_jobs.check.signal_result import SignalFinding
from selfheal_jobs.check.signal_tables import SignalTables, lacks
from selfheal_jobs.check.verdict import values_wanted
from selfheal_jobs.columns.infer_kind import Skipped, infer_kind
from selfheal_jobs.columns.numbers_as_text import told_numbers
from selfheal_jobs.columns.scan import ROUNDED, Compared, TablePair
from selfheal_jobs.drift.compare import ColumnDrift, compare
from selfheal_jobs.errors import DataError
from selfheal_jobs.tables.content import content
from selfheal_jobs.tables.exact_integers import RoundedIntegersError
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason, SignalResult
from selfheal_operator.api.v1alpha1.drift import Drift
from selfheal_operator.api.v1alpha1.signals import Signal


def drift_of(signal: Signal, name: str, current: Table, tables: SignalTables) -> SignalFinding:
    """Return whether a column has drifted since the reference, by Evidently's choice of method.

    Args:
        signal: The signal to evaluate.
        name: The column.
        current: The rows of the current data to test.
        tables: The tables of the check and its results so far.

    Raises:
        DataError: A side lacks the column or has too few rows, or the column cannot be compared.
    """
    tested = _tested(name, current, tables)
    sentence = f"{name[:100]!r}: {tested.method} {tested.score:.4f} (threshold {tested.threshold:.4f})"
    return SignalFinding(
        signal=signal,
        result=SignalResult.BREACHED if tested.drifted else SignalResult.WITHIN_LIMITS,
        reason=Reason.THRESHOLD_EXCEEDED if tested.drifted else Reason.WITHIN_THRESHOLD,
        message=sentence,
        value=tested.score,
    )


def _tested(name: str, current: Table, tables: SignalTables) -> ColumnDrift:
    for side, table in (("reference", tables.reference), ("current data", current)):
        if name not in table.schema.names:
            raise lacks(side, name)
        if table.num_rows < tables.spec.dataset.min_rows:
            raise DataError(
                Reason.TOO_FEW_ROWS,
                f"The {side} has {table.num_rows} rows, and spec.dataset.minRows asks for "
                f"{tables.spec.dataset.min_rows}.",
            )
    reference = content(tables.reference, name)
    column = infer_kind(name, reference)
    if isinstance(column, Skipped):
        raise DataError(Reason.NOTHING_TO_COMPARE, f"{name[:100]!r} cannot be compared: {column.reason}.")
    now = content(current, name)
    if now.holds is not column.holds:
        raise DataError(
            Reason.COLUMN_TYPE_CHANGED,
            f"{name[:100]!r} holds {column.holds} in the reference, and {now.holds} in current"
            f"{told_numbers(now)}.",
        )
    rows = TablePair(tables.reference, current)
    try:
        pair = Compared.of(column, reference, now, rows)
    except RoundedIntegersError:
        raise DataError(Reason.COLUMN_TYPE_CHANGED, f"{name[:100]!r}: {ROUNDED}.") from None
    # The spec's methods apply to features only: labels and predictions use Evidently's default method.
    rules = Drift(rule=tables.spec.drift.rule)
    tested = compare([pair], rules, 0.0, rows).columns[0]
    if tested.rows_needed:
        raise DataError(
            Reason.TOO_FEW_ROWS_FOR_METHOD,
            f"{name[:100]!r} did not drift, but in so few rows {tested.method} could not have seen it"
            f"{values_wanted(tested)}.",
        )
    return tested
