"""The signals of a spec: what else is looked at beside the drift of the columns, each with its own result.

A signal is breached, within its limits, or unknown. Labels that have not arrived, a column that is not there,
too few rows: all of these are unknown, and never taken for an answer.
"""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from selfheal_jobs.check.column_facts import ColumnFacts
from selfheal_jobs.columns.infer_kind import Skipped, infer_kind
from selfheal_jobs.columns.scan import EMPTY, ColumnPlan, ColumnScan, Compared
from selfheal_jobs.drift.compare import ColumnDrift, compare
from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.sources.sides import compared_columns, open_labelled_current
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.tables.content import content
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason, SignalResult
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.drift import Drift
from selfheal_operator.api.v1alpha1.signals import Signal
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import SignalStatus

logger = logging.getLogger(__name__)

_MAX_SENTENCE: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One signal's result."""

    signal: Signal
    result: SignalResult
    reason: Reason
    message: str
    value: float | None = None

    @property
    def status(self) -> SignalStatus:
        """Return what the status says of it."""
        return SignalStatus(
            name=self.signal.name,
            type=self.signal.type,
            result=self.result,
            reason=self.reason,
            value=None if self.value is None else _shown(self.value),
            message=self.message[:_MAX_SENTENCE],
        )


def unknown(signal: Signal, problem: DataError) -> Found:
    """Return the result of a signal that nobody can tell."""
    return Found(signal=signal, result=SignalResult.UNKNOWN, reason=problem.reason, message=str(problem))


def columns_for_signals(spec: ModelMonitorSpec) -> frozenset[str]:
    """Return the columns that are read for signals alone."""
    prediction = spec.dataset.columns.prediction
    types = {each.type for each in spec.signals}
    # Where labels arrive later, performance looks at other rows, and reads them itself.
    wanted = "PredictionDrift" in types or ("Performance" in types and spec.dataset.labels is None)
    return frozenset({prediction}) if wanted and prediction else frozenset()


@dataclass
class SignalCheck:
    """Looks at the signals of one check, once its tables are open."""

    request: RunRequest
    reference: Table
    current: SourceTable
    facts: Sequence[ColumnFacts] = ()
    plan: ColumnPlan | None = None
    problem: DataError | None = None
    """Why the columns were not compared, if they were not."""
    _spec: ModelMonitorSpec = field(init=False)

    def __post_init__(self) -> None:
        self._spec = self.request.spec

    def results(self) -> tuple[Found, ...]:
        """Return every signal's result, in the spec's order. Never raises."""
        return tuple(self._result(signal) for signal in self._spec.signals)

    def _result(self, signal: Signal) -> Found:
        try:
            match signal.type:
                case "DataQuality":
                    return judged(signal, *self._quality(signal.metric or ""))
                case "Performance":
                    return judged(signal, *self._performance(signal.metric or ""))
                case "PredictionDrift":
                    name = self._prediction()
                    return self._drift(signal, name, self.current)
                case _:
                    return self._drift(signal, self._spec.target, self._labelled())
        except DataError as problem:
            return unknown(signal, problem)
        except Exception as error:  # noqa: BLE001  one signal's defect must not hide the others
            return unknown(signal, _defect(error))

    def _quality(self, metric: str) -> tuple[float, str]:
        """Return a metric's value, and where it was found."""
        if metric == "row_count":
            return float(self.current.rows.counted), "rows"
        if metric == "duplicated_rows":
            # Imported here, as below: a check without such signals needs none of Arrow's functions, 0.03 s.
            from selfheal_jobs.check.signal_duplicates import duplicated_rows  # noqa: PLC0415

            chosen = compared_columns(self._spec)
            names = [name for name in self.current.schema.names if chosen.keeps(name)]
            return duplicated_rows(self.current, names) / self.current.num_rows, "of the rows"
        if self.problem is not None:
            raise self.problem
        if metric == "constant_columns":
            constant = [each.name for each in self.facts if each.has_become_constant]
            return float(len(constant)), f"columns{_first(constant)}"
        shares = [(_share(each, metric), each.name) for each in self.facts]
        if metric == "null_share" and self.plan is not None:
            aside = (*self.plan.skipped, *self.plan.counted)
            shares += [(1.0, each.name) for each in aside if each.reason == EMPTY]
        share, name = max(shares, key=lambda pair: pair[0], default=(0.0, ""))
        return share, f"of the rows in {name[:100]!r}" if share else "of the rows in every column"

    def _prediction(self) -> str:
        name = self._spec.dataset.columns.prediction
        if name is None:
            raise DataError(Reason.COLUMN_MISSING, "spec.dataset.columns.prediction names no column.")
        return name

    def _labelled(self) -> Table:
        """Return the rows that have a label, at least minRows of them."""
        table = self._opened
        if isinstance(table, DataError):
            raise table
        least = self._spec.dataset.min_rows
        if table.num_rows < least:
            raise DataError(
                Reason.TOO_FEW_ROWS,
                f"{table.num_rows} rows have a label, and spec.dataset.minRows asks for {least}.",
            )
        return table

    @cached_property
    def _opened(self) -> Table | DataError:
        """Read once for all signals, the complaint included."""
        target = self._spec.target
        if self._spec.dataset.labels is None:
            if target in self.current.schema.names:
                return self.current
            from selfheal_jobs.sources.labels import not_available  # noqa: PLC0415  see duplicated_rows

            return not_available(f"the current data has no column {target[:100]!r}, and spec names no labels")
        prediction = self._spec.dataset.columns.prediction
        try:
            return open_labelled_current(
                self.request, self.reference, only=frozenset({prediction}) if prediction else frozenset()
            )
        except DataError as problem:
            return problem

    def _performance(self, metric: str) -> tuple[float, str]:
        prediction, labelled = self._prediction(), self._labelled()
        if prediction not in labelled.schema.names:
            raise _lacks("current data", prediction)
        from selfheal_jobs.check.signal_performance import performance  # noqa: PLC0415  see duplicated_rows

        value, rows = performance(metric, labelled, target=self._spec.target, prediction=prediction)
        if rows < self._spec.dataset.min_rows:
            raise DataError(
                Reason.TOO_FEW_ROWS,
                f"{rows} rows have a label and a prediction, and spec.dataset.minRows asks for "
                f"{self._spec.dataset.min_rows}.",
            )
        return value, f"on {rows} rows"

    def _drift(self, signal: Signal, name: str, current: Table) -> Found:
        tested = self._tested(name, current)
        sentence = f"{name[:100]!r}: {tested.method} {tested.score:.4f} (threshold {tested.threshold:.4f})"
        return Found(
            signal=signal,
            result=SignalResult.BREACHED if tested.drifted else SignalResult.WITHIN_LIMITS,
            reason=Reason.THRESHOLD_EXCEEDED if tested.drifted else Reason.WITHIN_THRESHOLD,
            message=sentence,
            value=tested.score,
        )

    def _tested(self, name: str, current: Table) -> ColumnDrift:
        for side, table in (("reference", self.reference), ("current data", current)):
            if name not in table.schema.names:
                raise _lacks(side, name)
            if table.num_rows < self._spec.dataset.min_rows:
                raise DataError(
                    Reason.TOO_FEW_ROWS,
                    f"The {side} has {table.num_rows} rows, and spec.dataset.minRows asks for "
                    f"{self._spec.dataset.min_rows}.",
                )
        reference = content(self.reference, name)
        column = infer_kind(name, reference)
        if isinstance(column, Skipped):
            raise DataError(Reason.NOTHING_TO_COMPARE, f"{name[:100]!r} cannot be compared: {column.reason}.")
        now = content(current, name)
        if now.holds is not column.holds:
            raise DataError(
                Reason.COLUMN_TYPE_CHANGED,
                f"{name[:100]!r} holds {column.holds} in the reference, and {now.holds} in current.",
            )
        # The rules of the columns are not for labels and predictions: Evidently's own choice is.
        rules = Drift(rule=self._spec.drift.rule)
        scan = ColumnScan(self.reference, current, self._spec.target)
        tested = compare([Compared(column, reference, now)], rules, 0.0, scan).columns[0]
        if tested.rows_needed:
            raise DataError(
                Reason.TOO_FEW_ROWS_FOR_METHOD,
                f"{name[:100]!r} did not drift, but in so few rows {tested.method} could not have seen it.",
            )
        return tested


def judged(signal: Signal, value: float, where: str) -> Found:
    """Return whether a value is within a signal's limits; both limits belong to it. Pure."""
    said = f"{signal.metric} is {_shown(value)} {where}"
    if signal.min_value is not None and not value >= signal.min_value:
        outside = f"{said}; minValue is {signal.min_value:g}"
    elif signal.max_value is not None and not value <= signal.max_value:
        outside = f"{said}; maxValue is {signal.max_value:g}"
    else:
        return Found(
            signal=signal,
            result=SignalResult.WITHIN_LIMITS,
            reason=Reason.INSIDE_LIMITS,
            message=said,
            value=value,
        )
    return Found(
        signal=signal,
        result=SignalResult.BREACHED,
        reason=Reason.OUTSIDE_LIMITS,
        message=outside,
        value=value,
    )


def remark(found: Sequence[Found]) -> str:
    """Return what a check's message says of its signals; empty if none is breached.

    >>> remark([])
    ''
    """
    breached = [each for each in found if each.result is SignalResult.BREACHED]
    if not breached:
        return ""
    names = ", ".join(each.signal.name for each in breached)
    return f"{len(breached)} of {len(found)} signals breached ({names})"


def _shown(value: float) -> str:
    """Return six digits, and counts whole."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _defect(error: Exception) -> DataError:
    if isinstance(error, UnicodeDecodeError):  # Arrow takes a writer's word for it that text is UTF-8
        return DataError(Reason.DATA_UNREADABLE, "There is text that is not UTF-8. Write the data anew.")
    logger.error("%s", without_secrets(traceback.format_exc()))
    message = f"It ended by a defect ({one_line(error)}); the Job's log holds the details."
    return DataError(Reason.CHECK_FAILED, message)


def _share(facts: ColumnFacts, metric: str) -> float:
    match metric:
        case "null_share":
            return facts.null_share
        case "new_categories":
            return facts.share_of_new_categories
        case "out_of_range":
            return facts.out_of_range
    raise ValueError(f"no such metric: {metric}")


def _first(names: Sequence[str]) -> str:
    return f", {names[0][:100]!r} among them" if names else ""


def _lacks(side: str, name: str) -> DataError:
    return DataError(Reason.COLUMN_MISSING, f"The {side} has no column {name[:100]!r}.")
