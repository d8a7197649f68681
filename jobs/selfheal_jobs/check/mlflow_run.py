"""Logs a check to MLflow: metrics, parameters, the table of columns, and Evidently's report if wanted."""

import csv
import io
import json
import logging
import math
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct, field

from selfheal_jobs.drift.compare import Comparison
from selfheal_jobs.redaction import masked, one_line, without_secrets
from selfheal_jobs.tracking.artifact_folder import why_lost
from selfheal_jobs.tracking.job_proof import is_proven, proof_tags
from selfheal_jobs.tracking.job_runs import JobRuns
from selfheal_jobs.tracking.metric_keys import column_keys
from selfheal_jobs.tracking.rest_client import MLflowServer, Run
from selfheal_jobs.transport.retry_policy import QUICK, RetryPolicy
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

HTML_REPORT: Final = "drift_report.html"
TABLE: Final = "drift_columns"
_TAG_REPORT: Final = "selfheal.report"
_CHECK: Final = "check"
"""What is proven."""


class LoggedCheck(Struct, frozen=True, kw_only=True):
    """Where a check was logged."""

    run_id: str
    report_uri: str | None
    problem: str = ""
    """Why there is no report although one was wanted, or no artifact at all."""
    runs: JobRuns
    """The connection, for what else is to be asked."""


class CheckNumbers(Struct, frozen=True, kw_only=True):
    """The numbers of a check with a verdict, for MLflow."""

    comparison: Comparison
    rows_reference: int
    rows_current: int
    threshold: float
    result: str
    signals: Mapping[str, float] = field(default_factory=dict)
    """Values of the signals that are known, by their names."""

    def metrics(self) -> dict[str, float]:
        """Return the metrics: those of the whole check, and `score/<column>` of each column."""
        keys = self._keys()
        whole = {
            "drift_share": self.comparison.share,
            "columns_checked": self.comparison.columns_checked,
            "columns_drifted": self.comparison.columns_drifted,
            "rows_reference": self.rows_reference,
            "rows_current": self.rows_current,
        }
        scores = {f"score/{keys[each.name]}": each.score for each in self.comparison.columns}
        signals = {f"signal/{name}": value for name, value in self.signals.items()}
        return whole | {name: score for name, score in (scores | signals).items() if math.isfinite(score)}

    def _keys(self) -> dict[str, str]:
        # Masked first: what replaces a character here, or escapes it in a table, would hide a secret.
        return column_keys((each.name for each in self.comparison.columns), masked)

    def params(self) -> dict[str, str]:
        """Return the params: `method/<column>` and `threshold/<column>` of each column."""
        keys = self._keys()
        methods = {f"method/{keys[each.name]}": each.method for each in self.comparison.columns}
        limits = {f"threshold/{keys[each.name]}": f"{each.threshold:g}" for each in self.comparison.columns}
        return {"threshold": f"{self.threshold:g}"} | methods | limits

    def table(self) -> list[dict[str, Any]]:
        """Return one row per column, the drifted ones first; NaN scores become None."""
        return [
            {
                "column": masked(each.name),
                "kind": each.kind.value,
                "method": each.method,
                "score": each.score if math.isfinite(each.score) else None,
                "threshold": each.threshold,
                "drifted": each.drifted,
                "drifted_by_evidently": each.evidently,
                "p_value": each.p_value,
            }
            for each in sorted(self.comparison.columns, key=lambda each: (not each.drifted, each.name))
        ]


def log_check(
    request: RunRequest, numbers: CheckNumbers, report: Callable[[], str] | None, first: RetryPolicy = QUICK
) -> LoggedCheck:
    """Log a check with a verdict; a restarted pod reuses the run that its predecessor finished.

    Args:
        request: Names the tracking server, the experiment and the Job.
        numbers: What to log.
        report: Returns Evidently's page; None if no report is wanted.
        first: Retry policy until the server has answered once.

    Raises:
        TrackingError: MLflow could not be reached, or refuses.
    """
    runs = JobRuns.connect(request, first)
    server = runs.server
    finished = _finished_before(runs)
    if finished is not None:
        return LoggedCheck(run_id=finished.run_id, report_uri=_report_uri(finished), runs=runs)
    run = runs.start()
    server.log(
        run,
        metrics=numbers.metrics(),
        params=numbers.params(),
        tags={"selfheal.result": numbers.result} | proof_tags(_CHECK, run.run_id),
    )
    problem = _log_artifacts(server, run, _tables(numbers), report)
    server.end_run(run)
    made = report is not None and not problem
    return LoggedCheck(
        run_id=run.run_id,
        report_uri=f"{run.artifact_uri}/{HTML_REPORT}" if made else None,
        problem=problem,
        runs=runs,
    )


def _finished_before(runs: JobRuns) -> Run | None:
    """Return the run that an earlier pod of this Job has finished; mark unfinished ones as KILLED."""
    finished = None
    for run in runs.earlier():
        if run.status == "RUNNING":
            runs.server.end_run(run, "KILLED")
        elif run.status == "FINISHED" and is_proven(run.tags, _CHECK, run.run_id):
            finished = run
        elif run.status == "FINISHED":
            logger.warning("MLflow's run %s is not used: no pod of this Job made it", run.run_id)
    return finished


def _report_uri(run: Run) -> str | None:
    return f"{run.artifact_uri}/{HTML_REPORT}" if _TAG_REPORT in run.tags else None


def _log_artifacts(
    server: MLflowServer, run: Run, tables: Mapping[str, str], report: Callable[[], str] | None
) -> str:
    """Log the tables and the report, and return what went wrong, if anything."""
    if lost := why_lost(run.artifact_uri):
        return lost
    for name, text in tables.items():
        server.log_text(run, name, text)
    return _log_report(server, run, report) if report else ""


def _log_report(server: MLflowServer, run: Run, report: Callable[[], str]) -> str:
    """Log the report as an artifact, and return what went wrong, if anything: the metrics are kept anyway."""
    try:
        page = report()
    except Exception as error:  # noqa: BLE001  Evidently may raise anything
        logger.error("%s", without_secrets(traceback.format_exc()))  # noqa: TRY400  the traceback holds URLs
        return f"Evidently's report was not made ({one_line(error)})"
    server.log_text(run, HTML_REPORT, page)
    server.log(run, tags={_TAG_REPORT: HTML_REPORT})
    return ""


def _tables(numbers: CheckNumbers) -> dict[str, str]:
    table = numbers.table()
    as_csv = io.StringIO()
    writer = csv.DictWriter(as_csv, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return {
        f"{TABLE}.csv": as_csv.getvalue(),
        f"{TABLE}.json": json.dumps(table, indent=1, ensure_ascii=False),
    }
