"""The drift check: compare the data, deliver the verdict, then log the evidence.

The verdict is delivered before the first request to MLflow: if the container dies during the upload of a
report, the report is lost but not the verdict. Afterwards the verdict is delivered a second time, with the
MLflow run and the address of the report.
"""

import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from selfheal_jobs.check.broken_columns import changed_gaps
from selfheal_jobs.check.column_facts import ColumnFacts, facts_of
from selfheal_jobs.check.cpus import usable_cpus
from selfheal_jobs.check.evaluate import columns_for_signals, evaluate_signals
from selfheal_jobs.check.evidence import with_evidence
from selfheal_jobs.check.look_ahead import read_ahead
from selfheal_jobs.check.report import CheckFindings, report_of
from selfheal_jobs.check.signal_tables import SignalTables
from selfheal_jobs.columns.scan import (
    ColumnPlan,
    Excluded,
    TablePair,
    numbers_among_words,
    perhaps_times,
    read_column,
    require_expected,
)
from selfheal_jobs.columns.task import infer_task
from selfheal_jobs.delivery.status_patch import ReportSink
from selfheal_jobs.drift.compare import Comparison, comparison_of, drift_test
from selfheal_jobs.drift.preparation import prepared
from selfheal_jobs.drift.storage_noise import without_storage_noise
from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.reference_profile.known_reference import KnownReference
from selfheal_jobs.reference_profile.opening import open_known_reference
from selfheal_jobs.sources.current_identity import identity_of_current
from selfheal_jobs.sources.named_columns import missing_target
from selfheal_jobs.sources.opening import locate
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.sides import compared_columns, open_current
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.tables.content import content
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import RowCounts

if TYPE_CHECKING:
    from selfheal_jobs.columns.infer_kind import Column
    from selfheal_jobs.drift.calibration.rule import ColumnTest

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

_MANY_ROWS: Final = 300_000
"""Sorting a column of this many rows takes 10 ms: as long as starting a thread on a busy processor."""


def run_check(request: RunRequest, sink: ReportSink, clock: Clock) -> None:
    """Run one check and deliver its report.

    Raises:
        UndeliveredError: The verdict could not be written to the monitor's status.
    """
    started = clock()
    findings = look(request)
    report = report_of(request, findings, started=started, completed=clock())
    logger.info("%s: %s", report.last_check.result, report.last_check.message)
    sink.deliver(report)
    if findings.comparison is not None:
        evidence = with_evidence(report, request, findings)
        sink.deliver(evidence.report, forgets_model=evidence.forgets_model)
        keep_profile(findings)


def look(request: RunRequest) -> CheckFindings:
    """Load both tables and compare them. Never raises: an error becomes part of the result."""
    findings = CheckFindings(task=request.known_task)
    try:
        also = columns_for_signals(request.spec)
        reference, profile_cache = open_known_reference(request, also=also)
        task = request.known_task or _task_of(reference, request.spec.target)
        findings = replace(findings, task=task)
        any_column = request.spec.dataset.column_policy.unexpected == "Fail"
        located = locate(Place.of_current(request.spec))
        findings = replace(findings, current_identity=identity_of_current(request, located))
        current = open_current(request, reference, all_columns=any_column, also=also, data=located)
        findings = replace(
            findings,
            rows=_rows(reference, current),
            tables=(reference, current),
            profile_cache=profile_cache,
            left_out=tuple(_left_out(request, reference, current)),
        )
        findings = _compared(request, findings, reference, current)
        tables = SignalTables(request, reference, current, findings.facts, findings.plan, findings.problem)
        signals = evaluate_signals(tables)
        return replace(findings, signals=signals, left_out=(*findings.left_out, *tables.left_out()))
    except DataError as problem:
        return replace(findings, problem=problem)
    except Exception as error:  # noqa: BLE001  a defect, ours or a library's, means that the check failed
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        message = f"The check ended by a defect ({one_line(error)}); the Job's log holds the details."
        return replace(findings, problem=DataError(Reason.CHECK_FAILED, message))


def keep_profile(findings: CheckFindings) -> None:
    """Store the profile of the reference for later checks, if this check reached a verdict."""
    if (
        findings.profile_cache is not None
        and findings.tables is not None
        and isinstance(findings.tables[0], KnownReference)
    ):
        findings.profile_cache.keep(findings.tables[0])


def _compared(
    request: RunRequest, findings: CheckFindings, reference: SourceTable, current: SourceTable
) -> CheckFindings:
    """Compare the columns. An error here does not prevent the evaluation of the signals."""
    try:
        return _comparison(request, findings, reference, current)
    except DataError as problem:
        return replace(findings, problem=problem)


def _comparison(
    request: RunRequest, findings: CheckFindings, reference: SourceTable, current: SourceTable
) -> CheckFindings:
    dataset = request.spec.dataset
    _require_rows(reference, current, dataset.min_rows)
    if dataset.column_policy.unexpected == "Fail":
        chosen = compared_columns(request.spec)
        names = [name for name in current.schema.names if chosen.keeps(name)]
        require_expected([*reference.schema.names, request.spec.target], names)
    plan, comparison, facts, words = _test_columns(request, reference, current)
    findings = replace(findings, plan=plan, left_out=(*findings.left_out, *words))
    if not (plan.compared or plan.counted):
        return replace(findings, problem=_nothing_to_compare(plan))
    logger.info("Compared %d columns, skipped %d", len(plan.compared), len(plan.skipped))
    if isinstance(reference, KnownReference):
        logger.info("%s", reference.account((each.name, each.method) for each in comparison.columns))
    comparison = replace(comparison, counted=len(plan.counted))
    if request.spec.drift.rule == "Calibrated":
        findings, comparison = _without_copies(request, findings, comparison, plan, (reference, current))
        comparison = comparison.with_changed_gaps(changed_gaps(facts, dataset.column_policy))
    return replace(findings, comparison=comparison, facts=facts)


def _test_columns(
    request: RunRequest, reference: SourceTable, current: SourceTable
) -> tuple[ColumnPlan, Comparison, tuple[ColumnFacts, ...], list[str]]:
    """Read the columns one after the other, test each, and apply the rule to all tests together."""
    spec, policy, tables = request.spec, request.spec.dataset.column_policy, TablePair(reference, current)
    left_out = {spec.target, *columns_for_signals(spec)}
    names = [name for name in reference.schema.names if name not in left_out]
    columns: list[Column] = []
    tests: list[ColumnTest] = []
    facts: list[ColumnFacts] = []
    excluded: list[Excluded] = []
    words: list[str] = []
    include = spec.dataset.columns.include
    reading = (read_column(name, reference, current, policy, include=include) for name in names)
    for found in read_ahead(reading, partial(prepared, rules=spec.drift), _threads(reference)):
        if isinstance(found, Excluded):
            excluded.append(found)
            continue
        columns.append(found.column)
        # After an error there will be no verdict: the remaining columns are read only to report all errors.
        if not any(each.fate.is_error for each in excluded):
            found = without_storage_noise(found)  # noqa: PLW2901  so that no second one is in memory
            tests.append(drift_test(found, spec.drift, tables))
            facts.append(facts_of(found))
            words.extend(numbers_among_words(found))
            words.extend([] if found.column.name in include else perhaps_times(found))
        del found  # before the next one is read
    plan = ColumnPlan.of(columns, excluded)
    return plan, comparison_of(columns, tests, spec.drift, spec.threshold, tables), tuple(facts), words


def _without_copies(
    request: RunRequest,
    findings: CheckFindings,
    comparison: Comparison,
    plan: ColumnPlan,
    tables: tuple[Table, Table],
) -> tuple[CheckFindings, Comparison]:
    """Return the comparison, or that of the distinct rows with a remark: copies make a false drift.

    Where few rows are repeated and only their copies are drift, the distinct rows do not show its absence.
    """
    if comparison.share <= request.spec.threshold or not plan.compared:
        return findings, comparison
    # Imported here: most checks find no drift.
    from selfheal_jobs.check.copied_rows import compared_without_copies  # noqa: PLC0415

    found = compared_without_copies(request.spec, plan.compared, *tables)
    if found is None:
        return findings, comparison
    distinct = replace(found.comparison, counted=comparison.counted)
    if found.unevenly and distinct.share <= request.spec.threshold:
        without = f"{distinct.columns_drifted} without copies"
        return replace(findings, repeated=f"{found.unevenly}, and {without}"), comparison
    return replace(findings, left_out=(*findings.left_out, found.remark)), distinct


def _left_out(request: RunRequest, reference: SourceTable, current: SourceTable) -> Iterator[str]:
    yield from current.rows.left_out()
    if remark := missing_target(request.spec, reference.offered, current.offered):
        yield remark


def _threads(reference: SourceTable) -> int:
    """Return how many threads prepare columns: sorting a small one takes less time than starting a thread."""
    return usable_cpus() if reference.num_rows >= _MANY_ROWS else 1


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


def _nothing_to_compare(plan: ColumnPlan) -> DataError:
    return DataError(
        Reason.NOTHING_TO_COMPARE,
        f"None of the {len(plan.skipped)} columns is comparable; skippedColumns says why.",
    )
