"""What a check leaves in MLflow: every number, the table of columns, and Evidently's report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd
from mlflow.entities import Run

from selfheal_jobs.drift import Comparison
from selfheal_jobs.keys import column_keys
from selfheal_jobs.tracking import Tracking, mlflow_errors

HTML_REPORT: Final = "drift_report.html"
TABLE: Final = "drift_columns"


@dataclass(frozen=True, kw_only=True)
class LoggedCheck:
    """Where a check was logged."""

    run_id: str
    report_uri: str


@dataclass(frozen=True, kw_only=True)
class CheckNumbers:
    """What is logged of a check that came to a verdict."""

    comparison: Comparison
    rows_reference: int
    rows_current: int
    threshold: float
    result: str

    def metrics(self) -> dict[str, float]:
        """Return the metrics: of the whole, and `score/<column>` of each column."""
        keys = column_keys(each.name for each in self.comparison.columns)
        return {
            "drift_share": self.comparison.share,
            "columns_checked": len(self.comparison.columns),
            "columns_drifted": len(self.comparison.drifted),
            "rows_reference": self.rows_reference,
            "rows_current": self.rows_current,
        } | {f"score/{keys[each.name]}": each.score for each in self.comparison.columns}

    def params(self) -> dict[str, str]:
        """Return the rules by which the numbers were judged: `method/<column>` and `threshold/<column>`."""
        keys = column_keys(each.name for each in self.comparison.columns)
        methods = {f"method/{keys[each.name]}": each.method for each in self.comparison.columns}
        limits = {f"threshold/{keys[each.name]}": f"{each.threshold:g}" for each in self.comparison.columns}
        return {"threshold": f"{self.threshold:g}"} | methods | limits

    def table(self) -> pd.DataFrame:
        """Return one row per column, the drifted ones first."""
        rows = [
            {
                "column": each.name,
                "kind": each.kind.value,
                "method": each.method,
                "score": each.score,
                "threshold": each.threshold,
                "drifted": each.drifted,
            }
            for each in sorted(self.comparison.columns, key=lambda each: (not each.drifted, each.name))
        ]
        return pd.DataFrame(rows)


def log_check(tracking: Tracking, numbers: CheckNumbers) -> LoggedCheck:
    """Log a check that came to a verdict; a repeated pod gets the run that its predecessor finished.

    Raises:
        TrackingError: MLflow could not be reached, or refuses.
    """
    with mlflow_errors(tracking.request.mlflow.tracking_uri):
        run = _finished_before(tracking)
        if run is None:
            run = tracking.start_run()
            tracking.log(
                run,
                metrics=numbers.metrics(),
                params=numbers.params(),
                tags={"selfheal.result": numbers.result},
            )
            _log_texts(tracking, run, _texts(numbers))
            tracking.client.set_terminated(run.info.run_id)
    return LoggedCheck(run_id=run.info.run_id, report_uri=f"{run.info.artifact_uri}/{HTML_REPORT}")


def _finished_before(tracking: Tracking) -> Run | None:
    finished = None
    for run in tracking.earlier_runs():
        tracking.mark_killed(run)
        if run.info.status == "FINISHED":
            finished = run
    return finished


def _texts(numbers: CheckNumbers) -> Mapping[str, str]:
    table = numbers.table()
    return {
        f"{TABLE}.csv": table.to_csv(index=False),
        f"{TABLE}.json": table.to_json(orient="records", indent=1, double_precision=15),
        HTML_REPORT: numbers.comparison.html(),
    }


def _log_texts(tracking: Tracking, run: Run, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        tracking.client.log_text(run.info.run_id, text, name)
