"""The report of a check: the part of the status that the container writes."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from selfheal_jobs.check.broken_columns import BrokenColumn, broken_columns
from selfheal_jobs.check.column_facts import ColumnFacts
from selfheal_jobs.check.signal_result import SignalFinding, remark, unknown
from selfheal_jobs.check.verdict import (
    change_of_methods,
    of_comparison,
    of_problem,
    of_repeated_rows,
    remarks_on_columns,
)
from selfheal_jobs.columns.infer_kind import Skipped
from selfheal_jobs.columns.scan import NAMES_SHOWN, ColumnPlan
from selfheal_jobs.drift.compare import Comparison
from selfheal_jobs.errors import DataError
from selfheal_jobs.names_shown import some
from selfheal_jobs.reference_profile.known_reference import KnownReference
from selfheal_jobs.reference_profile.opening import ProfileCache
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.model import format_number
from selfheal_operator.api.reasons import CheckResult, Reason, Task
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import (
    DriftedColumn,
    LastCheck,
    MethodUse,
    NewCategories,
    RowCounts,
    SkippedColumn,
)

_MAX_LISTED: Final = 10
_MAX_NAME: Final = 253
_MAX_MESSAGE: Final = 1100
_MAX_WHY: Final = 256


class CheckFindings(Struct, frozen=True, kw_only=True):
    """The results of a check so far; incomplete if an error ended it early."""

    task: Task | None = None
    rows: RowCounts | None = None
    plan: ColumnPlan | None = None
    comparison: Comparison | None = None
    tables: tuple[Table, Table] | None = None
    """Reference and current data: Evidently's report samples from them."""
    problem: DataError | None = None
    facts: tuple[ColumnFacts, ...] = ()
    signals: tuple[SignalFinding, ...] = ()
    profile_cache: ProfileCache | None = None
    """Where a profile of the reference is kept, if there can be one."""
    current_identity: str | None = None
    """The identity of the current data and its labels."""
    left_out: tuple[str, ...] = ()
    """Remarks on what was not read, or read otherwise than it may be meant."""
    repeated: str = ""
    """Which few rows are repeated so often that there is no verdict; empty if there are none."""


def report_of(
    request: RunRequest, findings: CheckFindings, *, started: datetime, completed: datetime
) -> CheckReport:
    """Return the report for the status."""
    comparison = findings.comparison
    if findings.problem is not None:
        said = of_problem(findings.problem)
    elif comparison is not None:
        spec = request.spec
        said = (
            of_repeated_rows(comparison, findings.repeated)
            if findings.repeated
            else of_comparison(comparison, spec.threshold, warning_threshold=spec.warning_threshold)
        )
    else:
        raise ValueError("a check without a problem has a comparison")
    share = comparison.share if comparison and said.result is not CheckResult.INCONCLUSIVE else None
    signals = findings.signals or tuple(unknown(each, _problem_of(findings)) for each in request.spec.signals)
    broken = _broken(request, findings)
    return CheckReport(
        task=findings.task,
        target=request.spec.target if findings.task else None,
        last_check=LastCheck(
            scheduled_time=request.slot,
            job_name=request.job_name,
            start_time=started,
            completion_time=completed,
            result=said.result,
            reason=said.reason,
            message="; ".join(
                [said.sentence, *_remarks(request, findings), *filter(None, [remark(signals)])]
            )[:_MAX_MESSAGE],
            drift_share=f"{share:.4f}" if share is not None else None,
            columns_checked=comparison.columns_checked if comparison else None,
            columns_drifted=comparison.columns_drifted if comparison else None,
            top_drifted_columns=_top_drifted(comparison) if comparison else [],
            methods=_methods(comparison) if comparison else [],
            skipped_columns=_skipped(findings.plan) if findings.plan else [],
            new_categories=_new_categories(findings.facts),
            constant_columns=[each.name[:_MAX_NAME] for each in findings.facts if each.has_become_constant][
                :_MAX_LISTED
            ],
            broken_columns=[each.name[:_MAX_NAME] for each in broken[:_MAX_LISTED]],
            columns_broken=len(broken) if comparison else None,
            signals=[each.status for each in signals],
            rows=findings.rows,
            current_identity=findings.current_identity,
            reference_profile=_profile_used(findings),
            observed_generation=request.monitor.generation,
        ),
    )


def _profile_used(findings: CheckFindings) -> str | None:
    reference = findings.tables[0] if findings.tables else None
    return reference.profile_used if isinstance(reference, KnownReference) else None


def _problem_of(findings: CheckFindings) -> DataError:
    return findings.problem or DataError(Reason.CHECK_FAILED, "The check ended before it could look.")


def _remarks(request: RunRequest, findings: CheckFindings) -> Iterator[str]:
    """Yield remarks that are added to the message of every verdict."""
    yield from findings.left_out
    if findings.comparison is None:
        return
    if findings.plan and findings.plan.skipped:
        skipped = findings.plan.skipped
        yield f"{len(skipped)} not compared{_of_the_row(skipped)}{_faults(skipped)}"
    if findings.plan and findings.plan.counted:
        named = ", ".join(
            f"{each.name[:100]!r} ({each.reason})" for each in findings.plan.counted[:NAMES_SHOWN]
        )
        yield f"{len(findings.plan.counted)} counted as drifted by spec.dataset.columnPolicy: {named}"
    broken = _broken(request, findings)
    yield from remarks_on_columns(findings.comparison, findings.facts, broken)
    if changed := change_of_methods(request.previous_methods, _methods(findings.comparison)):
        yield changed


def _broken(request: RunRequest, findings: CheckFindings) -> list[BrokenColumn]:
    return broken_columns(findings.facts, findings.plan, request.spec.dataset.column_policy)


def _of_the_row(skipped: Sequence[Skipped]) -> str:
    """Name the columns that only tell the row."""
    named = [repr(each.name[:100]) for each in skipped if each.of_the_row]
    what = "a row number, identifier or time" if len(named) == 1 else "row numbers, identifiers or times"
    part = "" if len(named) == len(skipped) else f"{len(named)} of them "
    return f", {part}as {what}: {some(named, NAMES_SHOWN)}" if named else ""


def _faults(skipped: Sequence[Skipped]) -> str:
    """Name the columns that are probably not meant to be skipped."""
    named = [f"{each.name[:100]!r} ({each.reason})" for each in skipped if each.is_fault]
    return f", among them {', '.join(named[:NAMES_SHOWN])}" if named else ""


def _top_drifted(comparison: Comparison) -> list[DriftedColumn]:
    return [
        DriftedColumn(
            name=each.name[:_MAX_NAME],
            method=each.method,
            score=format_number(each.score),
            threshold=format_number(each.threshold),
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
        SkippedColumn(name=each.name[:_MAX_NAME], message=each.reason[:_MAX_WHY])
        for each in plan.skipped[:_MAX_LISTED]
    ]
