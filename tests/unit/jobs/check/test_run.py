from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from selfheal_jobs.check.mlflow_run import CheckNumbers
from selfheal_jobs.check.report import CheckFindings, report_of
from selfheal_jobs.check.run import look
from selfheal_jobs.check.verdict import of_problem
from selfheal_jobs.columns.infer_kind import Skipped
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import ColumnPlan
from selfheal_jobs.drift.compare import ColumnDrift, Comparison
from selfheal_operator.api.reasons import CheckResult, Reason, Task
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.v1alpha1.status import MethodUse
from support.builders.run_requests import run_request

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Any:
    """A folder with a reference, and a request that compares `current.csv` with it."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"x": random.normal(size=50), "n": random.normal(size=50), "label": [0, 1] * 25})
    table.to_csv(tmp_path / "reference.csv", index=False)
    table.to_csv(tmp_path / "current.csv", index=False)
    return tmp_path


def looked(folder: Path, **spec: Any) -> Any:
    """Return what a check sees in the folder."""
    return look(run_request(reference=folder / "reference.csv", current=folder / "current.csv", **spec))


def test_a_check_sees_rows_task_and_share(data: Path) -> None:
    """The task is inferred from the reference, and the target is not compared."""
    seen = looked(data)

    assert seen.problem is None
    assert seen.task is Task.CLASSIFICATION
    assert (seen.rows.reference, seen.rows.current) == (50, 50)
    assert [each.name for each in seen.comparison.columns] == ["x", "n"]
    assert seen.comparison.share == 0


@pytest.mark.parametrize(
    ("current", "result", "reason", "said"),
    [
        (None, CheckResult.ERROR, Reason.DATA_NOT_FOUND, "spec.dataset.current.uri: no file"),
        ("", CheckResult.ERROR, Reason.DATA_UNREADABLE, "spec.dataset.current.uri: "),
        ("x,n,label\n", CheckResult.INCONCLUSIVE, Reason.EMPTY_DATA, "has no rows"),
        ("x,n\n1,2,3,4\n", CheckResult.ERROR, Reason.DATA_UNREADABLE, "is no CSV file"),
        ("x,label\n1,0\n", CheckResult.ERROR, Reason.COLUMN_MISSING, "the column 'n'"),
        ("x,n\n1,low\n", CheckResult.ERROR, Reason.COLUMN_TYPE_CHANGED, "'n' (numbers in"),
        ("x,n\n,\n,\n", CheckResult.INCONCLUSIVE, Reason.NOTHING_TO_COMPARE, "None of the 2"),
    ],
    ids=["no file", "no header", "no rows", "torn", "no column", "words", "all null"],
)
def test_what_stands_in_the_way_is_a_result_with_a_sentence(
    data: Path, current: Any, result: CheckResult, reason: Any, said: str
) -> None:
    """Could not look is never a verdict, and never a stack trace."""
    (data / "current.csv").unlink()
    if current is not None:
        (data / "current.csv").write_text(current)

    seen = looked(data)

    assert seen.comparison is None
    assert seen.problem is not None
    verdict = of_problem(seen.problem)
    assert (verdict.result, verdict.reason) == (result, reason)
    assert said in verdict.sentence


def test_a_column_that_is_all_null_does_not_stop_the_others(data: Path) -> None:
    """It is listed as skipped."""
    table = pd.read_csv(data / "current.csv").assign(n=np.nan)
    table.to_csv(data / "current.csv", index=False)

    seen = looked(data)

    assert len(seen.comparison.columns) == 1
    assert seen.plan.skipped == (Skipped("n", "no values in the current data", reference_null_share=0.0),)


def test_the_report_says_why_no_column_is_comparable(data: Path) -> None:
    """The message refers to the skipped columns, so the report lists them."""
    (data / "current.csv").write_text("x,n\n,\n,\n")
    request = run_request(reference=data / "reference.csv", current=data / "current.csv")

    check = report_of(request, look(request), started=NOON, completed=NOON).last_check

    assert check.reason is Reason.NOTHING_TO_COMPARE
    assert [(each.name, each.message) for each in check.skipped_columns] == [
        ("x", "no values in the current data"),
        ("n", "no values in the current data"),
    ]


def test_a_target_that_the_reference_lacks_is_no_error_without_retrainings(data: Path) -> None:
    """A check needs no labels; only the task stays unknown."""
    seen = looked(data, target="churned", retraining={"mode": "Disabled"})

    assert seen.problem is None
    assert seen.task is None


def test_the_task_of_the_request_comes_first(data: Path) -> None:
    """Once told or inferred, a task does not change with the data."""
    request = run_request(
        reference=data / "reference.csv", current=data / "current.csv", task=Task.REGRESSION
    )

    assert look(request).task is Task.REGRESSION


def test_a_task_that_was_inferred_from_another_target_is_inferred_anew(data: Path) -> None:
    """The target was edited: what the old one was is of no interest."""
    request = run_request(
        reference=data / "reference.csv", current=data / "current.csv", task=Task.REGRESSION
    ).replaced(task_target="an older one")

    assert look(request).task is Task.CLASSIFICATION


def test_a_defect_is_a_result_too(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks inside: an Error with the exception's type, and no secret in it."""

    def broken(*_: Any) -> None:
        raise RuntimeError("GET http://lake/x.csv?sig=secret failed")

    monkeypatch.setattr("selfheal_jobs.check.run.comparison_of", broken)

    problem = looked(data).problem

    assert problem.reason is Reason.CHECK_FAILED
    assert "RuntimeError: GET http://lake/x.csv failed" in str(problem)
    assert "secret" not in str(problem)


def comparison(drifted: int, calm: int) -> Any:
    """Return a comparison with so many columns."""
    columns = tuple(
        ColumnDrift(
            name=f"c{number}",
            kind=Kind.NUMERICAL,
            method="ks",
            score=0.001,
            threshold=0.05,
            drifted=number < drifted,
            evidently=number < drifted,
        )
        for number in range(drifted + calm)
    )
    return Comparison(columns=columns)


def test_a_change_of_methods_since_the_last_check_is_told() -> None:
    """It can move the verdict while the data stays: at 1,000 reference rows, say."""
    before = MethodUse(kind="Numerical", method="wasserstein", columns=3)
    request = run_request().replaced(previous_methods=(before,))

    check = report_of(
        request, CheckFindings(comparison=comparison(1, 2)), started=NOON, completed=NOON
    ).last_check

    assert check.message == (
        "1 of 3 columns drifted (0.3333 > 0.3000); "
        "the methods have changed (Numerical columns: wasserstein before, ks now)"
    )
    assert check.methods == [MethodUse(kind="Numerical", method="ks", columns=3)]


def test_without_a_verdict_there_is_no_share() -> None:
    """A number would be taken for one; how many columns were looked at is told."""
    columns = tuple(replace(each, drifted=False, rows_needed=90.0) for each in comparison(0, 3).columns)

    check = report_of(
        run_request(), CheckFindings(comparison=Comparison(columns=columns)), started=NOON, completed=NOON
    ).last_check

    assert (check.result, check.reason) == (CheckResult.INCONCLUSIVE, Reason.TOO_FEW_ROWS_FOR_METHOD)
    assert (check.drift_share, check.columns_checked) == (None, 3)


def test_a_report_stays_small_and_valid_with_many_columns_and_long_names() -> None:
    """At most ten columns of each sort, names cut, and it passes through the termination message."""
    skipped = tuple(Skipped("n" * 5000, "reason") for _ in range(500))
    seen = CheckFindings(comparison=comparison(400, 100), plan=ColumnPlan(compared=(), skipped=skipped))

    report = report_of(run_request(), seen, started=NOON, completed=NOON)

    assert len(report.last_check.top_drifted_columns) == 10
    assert len(report.last_check.skipped_columns) == 10
    assert "500 not compared" in report.last_check.message
    assert len(report.to_json()) < 8192
    assert CheckReport.from_termination_message(report.to_termination_message()) is not None


def test_numbers_in_a_report_have_four_digits() -> None:
    """A changed last digit would be a write to the API server for nothing."""
    report = report_of(
        run_request(), CheckFindings(comparison=comparison(1, 2)), started=NOON, completed=NOON
    )

    check = report.last_check
    assert (check.drift_share, check.columns_checked, check.columns_drifted) == ("0.3333", 3, 1)
    assert (check.top_drifted_columns[0].score, check.top_drifted_columns[0].threshold) == (
        "0.0010",
        "0.0500",
    )


def test_mlflow_gets_every_columns_method_score_and_threshold() -> None:
    """Names are stable, so that a column can be followed from run to run."""
    numbers = CheckNumbers(
        comparison=comparison(1, 1), rows_reference=5, rows_current=7, threshold=0.3, result="Drift"
    )

    assert numbers.metrics() == {
        "drift_share": 0.5,
        "columns_checked": 2,
        "columns_drifted": 1,
        "rows_reference": 5,
        "rows_current": 7,
        "score/c0": 0.001,
        "score/c1": 0.001,
    }
    assert numbers.params()["method/c0"] == "ks"
    assert numbers.params()["threshold/c0"] == "0.05"
    assert [row["column"] for row in numbers.table()] == ["c0", "c1"]


def test_the_name_of_a_column_may_be_a_secret_for_mlflow_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys have other characters, and tables escape names: both would hide it from a later search."""
    monkeypatch.setenv("SELFHEAL_CURRENT_token", 'c0 of "siege"/x')
    made = comparison(1, 1)
    columns = tuple(replace(each, name=each.name.replace("c0", 'c0 of "siege"/x')) for each in made.columns)
    numbers = CheckNumbers(
        comparison=replace(made, columns=columns),
        rows_reference=5,
        rows_current=7,
        threshold=0.3,
        result="Drift",
    )

    assert "score/___" in numbers.metrics()
    assert {"method/___", "threshold/___"} <= set(numbers.params())
    assert [row["column"] for row in numbers.table()] == ["***", "c1"]
