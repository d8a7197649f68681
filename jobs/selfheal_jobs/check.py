"""The drift check: look, say what was seen, then keep the evidence.

The verdict is delivered before MLflow is asked for anything: a container that dies while it uploads a report
has lost the report, not the verdict. What MLflow then adds, the run and the report's address, is
delivered again with it.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from selfheal_jobs.check_run import CheckNumbers, LoggedCheck, log_check
from selfheal_jobs.column_facts import ColumnFacts, observed
from selfheal_jobs.columns import NAMES_SHOWN, ColumnPlan, Walk, require_expected
from selfheal_jobs.contents import content
from selfheal_jobs.drift import Comparison, compare
from selfheal_jobs.errors import DataError, TrackingError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.reference_profile.known_reference import KnownReference
from selfheal_jobs.reference_profile.opening import Shelf, open_known_reference
from selfheal_jobs.signals import Found, SignalCheck, columns_for_signals, remark, unknown
from selfheal_jobs.sources.sides import compared_columns, open_current
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.status import Door
from selfheal_jobs.table import Table
from selfheal_jobs.target import infer_task
from selfheal_jobs.verdict import change_of_methods, of_comparison, of_problem
from selfheal_operator.api.reasons import CheckResult, Reason, Task
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1 import (
    DriftedColumn,
    LastCheck,
    MethodUse,
    NewCategories,
    RowCounts,
    SkippedColumn,
)

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

_MAX_LISTED: Final = 10
_MAX_NAME: Final = 253


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a check has found out so far; it ends with whatever is known when it cannot go on."""

    task: Task | None = None
    rows: RowCounts | None = None
    plan: ColumnPlan | None = None
    comparison: Comparison | None = None
    tables: tuple[Table, Table] | None = None
    """Reference and current: a report takes its samples from there."""
    problem: DataError | None = None
    facts: tuple[ColumnFacts, ...] = ()
    signals: tuple[Found, ...] = ()
    shelf: Shelf | None = None
    """Where a profile of the reference is kept, if there can be one."""
    methods_before: Sequence[MethodUse] = ()
    """What judged the columns at the monitor's last check."""


def run_check(request: RunRequest, door: Door, clock: Clock) -> None:
    """Check once, and report.

    Raises:
        UndeliveredError: The verdict could not be written to the monitor's status.
    """
    started = clock()
    seen = replace(look(request), methods_before=door.methods_before())
    report = report_of(request, seen, started=started, completed=clock())
    logger.info("%s: %s", report.last_check.result, report.last_check.message)
    door.deliver(report)
    if seen.comparison is not None:
        door.deliver(_with_evidence(report, request, seen))
        keep_profile(seen)


def look(request: RunRequest) -> Seen:
    """Load both tables and compare them; never raise: what stands in the way is part of what was seen."""
    seen = Seen(task=request.task)
    try:
        also = columns_for_signals(request.spec)
        reference, shelf = open_known_reference(request, also=also)
        task = request.task or _task_of(reference, request.spec.target)
        seen = replace(seen, task=task)
        any_column = request.spec.dataset.column_policy.unexpected == "Fail"
        current = open_current(request, reference, all_columns=any_column, also=also)
        seen = replace(seen, rows=_rows(reference, current), tables=(reference, current), shelf=shelf)
        seen = _compared(request, seen, reference, current)
        check = SignalCheck(request, reference, current, seen.facts, seen.plan, seen.problem)
        return replace(seen, signals=check.results())
    except DataError as problem:
        return replace(seen, problem=problem)
    except Exception as error:  # noqa: BLE001  a defect of ours or a library's is a result too: we could not look
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        message = f"The check ended by a defect ({one_line(error)}); the Job's log holds the details."
        return replace(seen, problem=DataError(Reason.CHECK_FAILED, message))


def keep_profile(seen: Seen) -> None:
    """Keep what a check that came to a verdict has learnt of the reference, for the checks to come."""
    if seen.shelf is not None and seen.tables is not None and isinstance(seen.tables[0], KnownReference):
        seen.shelf.keep(seen.tables[0])


def _compared(request: RunRequest, seen: Seen, reference: SourceTable, current: SourceTable) -> Seen:
    """Compare the columns. What stands in the way does not stand in the way of the signals."""
    try:
        return _comparison(request, seen, reference, current)
    except DataError as problem:
        return replace(seen, problem=problem)


def _comparison(request: RunRequest, seen: Seen, reference: SourceTable, current: SourceTable) -> Seen:
    dataset = request.spec.dataset
    _require_rows(reference, current, dataset.min_rows)
    if dataset.column_policy.unexpected == "Fail":
        chosen = compared_columns(request.spec)
        names = [name for name in current.schema.names if chosen.keeps(name)]
        require_expected([*reference.schema.names, request.spec.target], names)
    walk = Walk(
        reference,
        current,
        request.spec.target,
        policy=dataset.column_policy,
        ignored=columns_for_signals(request.spec),
    )
    facts: list[ColumnFacts] = []
    watched = observed(walk, current.num_rows, facts)
    comparison = compare(watched, request.spec.drift, request.spec.threshold, walk)
    plan = walk.plan()
    seen = replace(seen, plan=plan)
    _require_columns(plan)
    logger.info("Compared %d columns, skipped %d", len(plan.compared), len(plan.skipped))
    if isinstance(reference, KnownReference):
        logger.info("%s", reference.account((each.name, each.method) for each in comparison.columns))
    return replace(seen, comparison=replace(comparison, counted=len(plan.counted)), facts=tuple(facts))


def _require_rows(reference: SourceTable, current: SourceTable, least: int) -> None:
    for side, table in (("reference", reference), ("current data", current)):
        if table.num_rows < least:
            raise DataError(
                Reason.TOO_FEW_ROWS,
                f"The {side} has {table.num_rows} rows, and spec.dataset.minRows asks for {least}. "
                f"Collect more, widen spec.dataset.window, or lower minRows.",
            )


def _rows(reference: SourceTable, current: SourceTable) -> RowCounts:
    return RowCounts(
        reference=reference.rows.kept,
        current=current.rows.kept,
        sampled=reference.rows.sampled or current.rows.sampled,
        without_timestamp=current.rows.without_timestamp or None,
    )


def _task_of(reference: Table, target: str) -> Task | None:
    return infer_task(content(reference, target)) if target in reference.schema.names else None


def _require_columns(plan: ColumnPlan) -> None:
    if not (plan.compared or plan.counted):
        raise DataError(
            Reason.NOTHING_TO_COMPARE,
            f"None of the {len(plan.skipped)} columns is comparable; skippedColumns says why.",
        )


def report_of(request: RunRequest, seen: Seen, *, started: datetime, completed: datetime) -> CheckReport:
    """Return what the status will say. Pure."""
    comparison = seen.comparison
    if seen.problem is not None:
        said = of_problem(seen.problem)
    elif comparison is not None:
        spec = request.spec
        said = of_comparison(comparison, spec.threshold, seen.rows, warning_threshold=spec.warning_threshold)
    else:
        raise ValueError("a check without a problem has a comparison")
    share = comparison.share if comparison and said.result is not CheckResult.INCONCLUSIVE else None
    signals = seen.signals or tuple(unknown(each, _unseen(seen)) for each in request.spec.signals)
    return CheckReport(
        task=seen.task,
        last_check=LastCheck(
            slot=request.slot,
            job_name=request.job_name,
            start_time=started,
            completion_time=completed,
            result=said.result,
            reason=said.reason,
            message="; ".join([said.sentence, *_remarks(seen), *filter(None, [remark(signals)])]),
            drift_share=f"{share:.4f}" if share is not None else None,
            columns_checked=comparison.columns_checked if comparison else None,
            columns_drifted=comparison.columns_drifted if comparison else None,
            top_drifted_columns=_top_drifted(comparison) if comparison else [],
            methods=_methods(comparison) if comparison else [],
            skipped_columns=_skipped(seen.plan) if seen.plan else [],
            new_categories=_new_categories(seen.facts),
            constant_columns=[each.name[:_MAX_NAME] for each in seen.facts if each.has_become_constant][
                :_MAX_LISTED
            ],
            signals=[each.status for each in signals],
            rows=seen.rows,
            observed_generation=request.monitor.generation,
        ),
    )


def _unseen(seen: Seen) -> DataError:
    return seen.problem or DataError(Reason.CHECK_FAILED, "The check ended before it could look.")


def _remarks(seen: Seen) -> Iterator[str]:
    """Yield what belongs to a verdict, whatever it is."""
    if seen.comparison is None:
        return
    if seen.plan and seen.plan.skipped:
        yield f"{len(seen.plan.skipped)} not compared"
    if seen.plan and seen.plan.counted:
        named = ", ".join(f"{each.name[:100]!r} ({each.reason})" for each in seen.plan.counted[:NAMES_SHOWN])
        yield f"{len(seen.plan.counted)} counted as drifted by spec.dataset.columnPolicy: {named}"
    if seen.methods_before and (changed := change_of_methods(seen.methods_before, _methods(seen.comparison))):
        yield changed


def _top_drifted(comparison: Comparison) -> list[DriftedColumn]:
    return [
        DriftedColumn(
            name=each.name[:_MAX_NAME],
            method=each.method,
            score=f"{each.score:.4f}",
            threshold=f"{each.threshold:.4f}",
        )
        for each in comparison.drifted[:_MAX_LISTED]
    ]


def _methods(comparison: Comparison) -> list[MethodUse]:
    return [
        MethodUse(kind=kind, method=method, columns=count)
        for (kind, method), count in comparison.methods.most_common(_MAX_LISTED)
    ]


def _new_categories(facts: Sequence[ColumnFacts]) -> list[NewCategories]:
    most = sorted(
        (each for each in facts if each.new_categories), key=lambda each: -each.rows_of_new_categories
    )
    return [
        NewCategories(
            name=each.name[:_MAX_NAME], categories=each.new_categories, rows=each.rows_of_new_categories
        )
        for each in most[:_MAX_LISTED]
    ]


def _skipped(plan: ColumnPlan) -> list[SkippedColumn]:
    return [
        SkippedColumn(name=each.name[:_MAX_NAME], reason=each.reason) for each in plan.skipped[:_MAX_LISTED]
    ]


def _with_evidence(report: CheckReport, request: RunRequest, seen: Seen) -> CheckReport:
    """Log the check to MLflow, and return the report with what came of it."""
    said = report.last_check.message
    try:
        logged = _log(request, seen, report.last_check.result)
    except TrackingError as error:
        return _amended(report, message=f"{said}. The run was not logged: {error}")
    except Exception as error:  # noqa: BLE001  a verdict stands, whatever happens to its evidence
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        return _amended(report, message=f"{said}. The run was not logged ({one_line(error)}).")
    logger.info("Logged to MLflow as run %s, report %s", logged.run_id, logged.report_uri or "none")
    problem = {"message": f"{said}. {logged.problem}."} if logged.problem else {}
    return _amended(report, run_id=logged.run_id, report_uri=logged.report_uri, **problem)


def _log(request: RunRequest, seen: Seen, result: CheckResult) -> LoggedCheck:
    comparison, tables = seen.comparison, seen.tables
    if comparison is None or seen.rows is None or tables is None:
        raise ValueError("only a comparison can be logged")
    numbers = CheckNumbers(
        comparison=comparison,
        rows_reference=seen.rows.reference,
        rows_current=seen.rows.current,
        threshold=request.spec.threshold,
        result=result,
        signals={each.signal.name: each.value for each in seen.signals if each.value is not None},
    )
    wanted = _wants_report(request.spec.drift.report, result)
    return log_check(request, numbers, (lambda: _page(request, comparison, *tables)) if wanted else None)


def _wants_report(when: str, result: CheckResult) -> bool:
    return when == "Always" or (when == "OnDrift" and result in (CheckResult.DRIFT, CheckResult.WARNING))


def _page(request: RunRequest, comparison: Comparison, reference: Table, current: Table) -> str:
    # Imported here: Evidently takes five seconds and 300 MB, and most checks make no report.
    from selfheal_jobs.evidently_report import page  # noqa: PLC0415

    threshold, seed = request.spec.threshold, int(request.slot.timestamp())
    return page(comparison, reference, current, threshold=threshold, seed=seed)


def _amended(report: CheckReport, **changes: str | None) -> CheckReport:
    return report.replaced(last_check=report.last_check.replaced(**changes))
