"""The evidence of a verdict: the MLflow run, and Evidently's report if the spec asks for one.

MLflow also tells which version is the present champion.
"""

import gc
import logging
import traceback

from msgspec import Struct

from selfheal_jobs.check.evidently_parts import only_the_parts_that_draw
from selfheal_jobs.check.mlflow_run import CheckNumbers, LoggedCheck, log_check
from selfheal_jobs.check.report import CheckFindings
from selfheal_jobs.drift.compare import Comparison
from selfheal_jobs.errors import TrackingError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.tables.table import Table
from selfheal_jobs.tracking.job_runs import JobRuns
from selfheal_jobs.tracking.model_registry import ModelRegistry
from selfheal_jobs.tracking.present_version import present_version, shown_as_known
from selfheal_operator.api.reasons import CheckResult
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)


class Evidence(Struct, frozen=True):
    """A report with what MLflow has added to it."""

    report: CheckReport
    forgets_model: bool = False
    """Whether MLflow has no version for the status to show."""


def with_evidence(report: CheckReport, request: RunRequest, findings: CheckFindings) -> Evidence:
    """Log the check to MLflow, and return the report with the run's id, or why logging failed."""
    said = report.last_check.message
    try:
        logged = _log(request, findings, report.last_check.result)
    except TrackingError as error:
        return Evidence(_amended(report, message=f"{said}. The run was not logged: {error}"))
    except Exception as error:  # noqa: BLE001  the verdict does not depend on its evidence
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        return Evidence(_amended(report, message=f"{said}. The run was not logged ({one_line(error)})."))
    logger.info("Logged to MLflow as run %s, report %s", logged.run_id, logged.report_uri or "none")
    problem = {"message": f"{said}. {logged.problem}."} if logged.problem else {}
    report = _amended(report, run_id=logged.run_id, report_uri=logged.report_uri, **problem)
    return _with_champion(report, request, logged.runs)


def _with_champion(report: CheckReport, request: RunRequest, runs: JobRuns) -> Evidence:
    name = request.mlflow.registered_model_name
    try:
        found = present_version(ModelRegistry(runs.server), request)
    except TrackingError as error:  # what the status shows stays
        logger.info("The present version of %s is not known: %s", name, error)
        return Evidence(report)
    # It is stored only where the status shows another version, for whose files a check does not vouch.
    model = found and shown_as_known(found.version, request.champion, found.alias).without_digest()
    return Evidence(report.replaced(model=model), forgets_model=found is None)


def _log(request: RunRequest, findings: CheckFindings, result: CheckResult) -> LoggedCheck:
    comparison, tables = findings.comparison, findings.tables
    if comparison is None or findings.rows is None or tables is None:
        raise ValueError("only a comparison can be logged")
    numbers = CheckNumbers(
        comparison=comparison,
        rows_reference=findings.rows.reference,
        rows_current=findings.rows.current,
        threshold=request.spec.threshold,
        result=result,
        signals={each.signal.name: each.value for each in findings.signals if each.value is not None},
    )
    wanted = _wants_report(request.spec.drift.report, result)
    return log_check(request, numbers, (lambda: _page(request, comparison, *tables)) if wanted else None)


def _wants_report(when: str, result: CheckResult) -> bool:
    return when == "Always" or (when == "OnDrift" and result in (CheckResult.DRIFT, CheckResult.WARNING))


def _page(request: RunRequest, comparison: Comparison, reference: Table, current: Table) -> str:
    # Nothing that is imported and drawn becomes garbage before the container ends, and garbage collection
    # would take a fifth of the time.
    gc.disable()
    try:
        threshold, seed = request.spec.threshold, int(request.slot.timestamp())
        with only_the_parts_that_draw():
            # Imported here: Evidently takes two seconds and 200 MB, and most checks make no report.
            from selfheal_jobs.check.evidently_report import page  # noqa: PLC0415

            return page(comparison, reference, current, threshold=threshold, seed=seed)
    finally:
        gc.enable()


def _amended(report: CheckReport, **changes: str | None) -> CheckReport:
    return report.replaced(last_check=report.last_check.replaced(**changes))
