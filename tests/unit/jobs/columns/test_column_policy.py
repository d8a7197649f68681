"""Rows that are too few, columns that cannot be compared, and the level below drift."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import look
from selfheal_jobs.check.verdict import of_comparison
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.compare import ColumnDrift, Comparison
from selfheal_jobs.retrain.retraining_data import load_data
from selfheal_operator.api.reasons import CheckResult, Purpose, Reason
from support.builders.run_requests import run_request

ROWS = 600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reference with three columns beside the label, and the same rows once more."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({name: random.normal(size=ROWS) for name in "xyz"} | {"label": [0, 1] * (ROWS // 2)})
    for side in ("reference", "current"):
        table.to_parquet(tmp_path / f"{side}.parquet", index=False)
    return tmp_path


def looked(folder: Path, *, threshold: float = 0.3, purpose: Purpose = Purpose.CHECK, **dataset: Any) -> Any:
    """Return the request for the folder, what a check sees there, and what it says."""
    sides = {side: {"uri": str(folder / f"{side}.parquet")} for side in ("reference", "current")}
    request = run_request(purpose, dataset=sides | dataset, threshold=threshold)
    seen = look(request)
    said = report_of(request, seen, started=request.slot, completed=request.slot).last_check
    return request, seen, (said.result, said.reason, said.message)


def without(folder: Path, kind: str) -> None:
    """Take the column z away, or its values, or add one."""
    table = pd.read_parquet(folder / "current.parquet")
    changed = {
        "missing": table.drop(columns="z"),
        "empty": table.assign(z=np.nan),
        "unexpected": table.assign(w=1),
    }
    changed[kind].to_parquet(folder / "current.parquet", index=False)


@pytest.mark.parametrize(
    ("kind", "policy", "result", "reason"),
    [
        ("empty", None, CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD),
        ("empty", "Skip", CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD),
        ("empty", "CountAsDrift", CheckResult.DRIFT, Reason.THRESHOLD_EXCEEDED),
        ("empty", "Fail", CheckResult.ERROR, Reason.COLUMN_EMPTY),
        ("missing", None, CheckResult.ERROR, Reason.COLUMN_MISSING),
        ("missing", "Skip", CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD),
        ("missing", "CountAsDrift", CheckResult.DRIFT, Reason.THRESHOLD_EXCEEDED),
        ("missing", "Fail", CheckResult.ERROR, Reason.COLUMN_MISSING),
        ("unexpected", None, CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD),
        ("unexpected", "Ignore", CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD),
        ("unexpected", "Fail", CheckResult.ERROR, Reason.COLUMN_UNEXPECTED),
    ],
)
def test_a_column_that_cannot_be_compared_is_treated_by_the_policy(
    folder: Path, kind: str, policy: str | None, result: CheckResult, reason: Reason
) -> None:
    """Left out, counted, or an error; every sentence names the column."""
    without(folder, kind)

    _, seen, (found, why, sentence) = looked(folder, columnPolicy={kind: policy} if policy else {})

    assert (found, why) == (result, reason)
    if result is CheckResult.DRIFT:
        assert sentence.startswith("1 of 3 columns drifted (0.3333 > 0.3000); 1 counted as drifted")
        assert "'z'" in sentence
        assert seen.comparison.columns_checked == 3
    if result is CheckResult.ERROR:
        assert "'w'" in sentence or "'z'" in sentence


def test_what_the_policy_excludes_is_not_unexpected(folder: Path) -> None:
    """A column that is excluded by name may come and go."""
    without(folder, "unexpected")

    _, _, (found, *_) = looked(folder, columnPolicy={"unexpected": "Fail"}, columns={"exclude": ["w"]})

    assert found is CheckResult.NO_DRIFT


@pytest.mark.parametrize("policy", ["Skip", "CountAsDrift"])
def test_a_retraining_leaves_out_what_a_check_counts(folder: Path, policy: str) -> None:
    """Else the answer to such a drift would be a failure each time."""
    without(folder, "missing")

    request, *_ = looked(folder, columnPolicy={"missing": policy}, purpose=Purpose.RETRAIN)

    assert load_data(request).layout.features == ("x", "y")


@pytest.mark.parametrize(
    ("rows", "result"),
    [(99, CheckResult.INCONCLUSIVE), (100, CheckResult.NO_DRIFT)],
)
@pytest.mark.parametrize("side", ["reference", "current"])
def test_fewer_rows_than_wanted_are_no_verdict(
    folder: Path, side: str, rows: int, result: CheckResult
) -> None:
    """A hundred rows are wanted by default, on either side."""
    pd.read_parquet(folder / f"{side}.parquet")[:rows].to_parquet(folder / f"{side}.parquet", index=False)

    _, seen, (found, why, sentence) = looked(folder, threshold=1.0)

    assert found is result
    if result is CheckResult.INCONCLUSIVE:
        assert why == Reason.TOO_FEW_ROWS
        assert "has 99 rows, and spec.dataset.minRows asks for 100" in sentence
        assert seen.comparison is None


@pytest.mark.parametrize(
    ("drifted", "result", "reason"),
    [
        (2, CheckResult.NO_DRIFT, Reason.WITHIN_THRESHOLD),
        (3, CheckResult.WARNING, Reason.WARNING_THRESHOLD_EXCEEDED),
        (5, CheckResult.WARNING, Reason.WARNING_THRESHOLD_EXCEEDED),
        (6, CheckResult.DRIFT, Reason.THRESHOLD_EXCEEDED),
    ],
)
def test_a_warning_is_between_the_thresholds(drifted: int, result: CheckResult, reason: Reason) -> None:
    """Greater than warningThreshold, and at most threshold: of ten columns, with 0.2 and 0.5."""
    calm = tuple(column(False) for _ in range(10 - drifted))
    comparison = Comparison(columns=calm + tuple(column(True) for _ in range(drifted)))

    verdict = of_comparison(comparison, 0.5, warning_threshold=0.2)

    assert (verdict.result, verdict.reason) == (result, reason)


def column(drifted: bool) -> Any:  # noqa: FBT001  the one thing that differs
    """Return a column's test."""
    return ColumnDrift(
        name="c",
        kind=Kind.NUMERICAL,
        method="ks",
        score=0.001,
        threshold=0.05,
        drifted=drifted,
        evidently=drifted,
    )


def test_a_check_tells_of_a_column_that_is_spelt_otherwise(folder: Path) -> None:
    """It reads only the columns of the reference, and knows the names of the others."""
    table = pd.read_parquet(folder / "current.parquet").rename(columns={"z": "Z"})
    table.to_parquet(folder / "current.parquet", index=False)

    _, _, (_, reason, sentence) = looked(folder)

    assert reason is Reason.COLUMN_MISSING
    assert "lacks the column 'z' (it has 'Z') of the reference" in sentence
