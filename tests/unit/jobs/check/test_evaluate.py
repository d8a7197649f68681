"""Signals, from the files to the status: breached, within limits, or unknown."""

import pkgutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_jobs.check import signals as signal_types
from selfheal_jobs.check.duplicated_rows import duplicated_rows
from selfheal_jobs.check.evaluate import columns_for_signals
from selfheal_jobs.check.report import report_of
from selfheal_jobs.check.run import look
from selfheal_jobs.check.signal_result import held_against_limits
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.reasons import Reason, SignalResult
from selfheal_operator.api.v1alpha1.signals import (
    LIMITED_TYPES,
    MEMBERS,
    OF_PREDICTIONS,
    SIGNAL_TYPES,
    Signal,
    snake_case,
)
from selfheal_operator.api.v1alpha1.status import LastCheck
from support.builders.run_requests import run_request

SLOT = datetime(2026, 11, 23, 6, tzinfo=UTC)
ROWS = 400
LIMITS = {
    each.__name__: {"metric": get_args(get_type_hints(each)["metric"])[0], "minValue": 0}
    for each in LIMITED_TYPES
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reference and current data with predictions that are right in nine of ten rows."""
    random = np.random.default_rng(1)
    label = random.integers(0, 2, size=ROWS)
    table = pd.DataFrame(
        {
            "id": [f"c{row}" for row in range(ROWS)],
            "ts": [(SLOT - timedelta(hours=row)).isoformat() for row in range(ROWS)],
            "x": random.normal(size=ROWS),
            "plan": random.choice(["a", "b"], size=ROWS),
            "score": np.where(np.arange(ROWS) % 10 == 0, 1 - label, label),
            "label": label,
        }
    )
    table.to_parquet(tmp_path / "reference.parquet", index=False)
    table.to_parquet(tmp_path / "current.parquet", index=False)
    return tmp_path


def checked(folder: Path, *signals: dict[str, Any], **dataset: Any) -> LastCheck:
    """Check the folder with these signals, and return what the status says."""
    sides = {side: {"uri": str(folder / f"{side}.parquet")} for side in ("reference", "current")}
    columns = {"prediction": "score", "exclude": ["id", "ts"]}
    request = run_request(
        dataset=sides | {"columns": columns} | dataset,
        signals=[{"name": f"s{number}"} | signal for number, signal in enumerate(signals)],
        slot=SLOT.isoformat(),
    )
    return report_of(request, look(request), started=SLOT, completed=SLOT).last_check


def changed(folder: Path, **columns: Any) -> None:
    """Write the current data anew, with these columns in place of its own; None takes one away."""
    table = pd.read_parquet(folder / "current.parquet")
    for name, values in columns.items():
        table = table.drop(columns=name) if values is None else table.assign(**{name: values})
    table.to_parquet(folder / "current.parquet", index=False)


def performance(metric: str = "accuracy", **limits: float) -> dict[str, Any]:
    """Return a signal of performance."""
    return {"type": "Performance", "performance": {"metric": metric} | limits}


def quality(metric: str, **limits: float) -> dict[str, Any]:
    """Return a signal of data quality."""
    return {"type": "DataQuality", "dataQuality": {"metric": metric} | limits}


@pytest.mark.parametrize(
    ("limits", "result"),
    [
        ({"minValue": 0.9}, SignalResult.WITHIN_LIMITS),
        ({"minValue": 0.9001}, SignalResult.BREACHED),
        ({"maxValue": 0.9}, SignalResult.WITHIN_LIMITS),
        ({"maxValue": 0.8999}, SignalResult.BREACHED),
    ],
)
def test_performance_is_held_against_its_limits(
    folder: Path, limits: dict[str, Any], result: SignalResult
) -> None:
    """A value that equals a limit is within it."""
    (signal,) = checked(folder, performance(**limits)).signals

    assert (signal.result, signal.value) == (result, "0.9")


def test_a_breached_signal_is_told_and_changes_no_verdict(folder: Path) -> None:
    """The message names it; the result is that of the columns."""
    check = checked(folder, performance(minValue=0.95))

    assert check.result == "NoDrift"
    assert check.message.endswith("; 1 of 1 signals breached (s0)")


def test_labels_that_have_not_arrived_are_never_an_answer(folder: Path) -> None:
    """Neither performance nor the target's drift is False without labels: both are unknown."""
    changed(folder, label=None)
    signals = (performance(minValue=0.5), {"type": "TargetDrift"})

    without = checked(folder, *signals)
    nowhere = checked(folder, *signals, labels={"uri": str(folder / "labels.csv"), "joinColumn": "id"})

    for check in (without, nowhere):
        assert [(each.result, each.reason) for each in check.signals] == [
            (SignalResult.UNKNOWN, Reason.LABELS_NOT_AVAILABLE)
        ] * 2
        assert check.result == "NoDrift"
    assert "or set spec.dataset.labels" in (without.signals[0].message or "")


def test_late_labels_are_joined_by_key_once_their_delay_has_passed(folder: Path) -> None:
    """Of the rows of the last hundred hours none counts, whatever their labels say."""
    table = pd.read_parquet(folder / "current.parquet")
    late = table[["id", "label"]].copy()
    late.loc[:98, "label"] = 1 - table["score"][:99]  # all wrong, and too young to count
    late.loc[99:, "label"] = table["score"][99:]
    late.sample(frac=1, random_state=0).to_csv(folder / "labels.csv", index=False)
    changed(folder, label=None)
    labels = {"uri": str(folder / "labels.csv"), "joinColumn": "id", "delaySeconds": 99 * 3600}
    window = {"timestampColumn": "ts", "lookbackSeconds": 1000 * 3600}

    (signal,) = checked(folder, performance(minValue=1), labels=labels, window=window).signals

    assert (signal.result, signal.value) == (SignalResult.WITHIN_LIMITS, "1")
    assert signal.message == "accuracy is 1 on 301 rows"


@pytest.mark.parametrize(
    ("least", "result"), [(ROWS, SignalResult.WITHIN_LIMITS), (201, SignalResult.UNKNOWN)]
)
def test_few_labels_are_no_answer_either(folder: Path, least: int, result: SignalResult) -> None:
    """With fewer labelled rows than minRows a signal is unknown, while the columns have their verdict."""
    rows = ROWS if least == ROWS else 200
    pd.read_parquet(folder / "current.parquet")[["id", "label"]][:rows].to_csv(
        folder / "labels.csv", index=False
    )
    labels = {"uri": str(folder / "labels.csv"), "joinColumn": "id"}

    check = checked(folder, performance(minValue=0.5), labels=labels, minRows=least)

    assert check.signals[0].result == result
    assert check.result == "NoDrift"


def test_a_signal_of_drift_is_judged_as_a_column_is(folder: Path) -> None:
    """Predictions and labels that turned over are breached, and no column of theirs is in the share."""
    calm = checked(folder, {"type": "PredictionDrift"}, {"type": "TargetDrift"})
    changed(folder, score=np.ones(ROWS, dtype=int), label=np.zeros(ROWS, dtype=int))

    check = checked(folder, {"type": "PredictionDrift"}, {"type": "TargetDrift"})

    assert {each.result for each in calm.signals} == {SignalResult.WITHIN_LIMITS}
    assert {each.result for each in check.signals} == {SignalResult.BREACHED}
    assert check.columns_checked == 2
    assert check.result == "NoDrift"


QUALITY = {
    "null_share": (0.25, "'x'"),
    "new_categories": (0.1, "'plan'"),
    "out_of_range": (0.05, "'x'"),
    "duplicated_rows": (0.0, "rows"),
    "constant_columns": (1.0, "'flag'"),
    "row_count": (400.0, "rows"),
}


@pytest.mark.parametrize("metric", QUALITY)
def test_quality_is_that_of_the_worst_column(folder: Path, metric: str) -> None:
    """Each metric counts what it is named for, and the message names where."""
    table = pd.read_parquet(folder / "reference.parquet")
    table.assign(flag=[0, 1] * (ROWS // 2)).to_parquet(folder / "reference.parquet", index=False)
    x = table["x"].to_numpy().copy()
    x[:100], x[100:120] = np.nan, 99
    plan = table["plan"].to_numpy().copy()
    plan[:40] = "new"
    changed(folder, x=x, plan=plan, flag=1)
    if metric == "duplicated_rows":
        changed(folder, x=np.arange(ROWS) / ROWS)
    value, said = QUALITY[metric]

    (signal,) = checked(folder, quality(metric, maxValue=value)).signals
    (other,) = checked(folder, quality(metric, minValue=value + 0.001)).signals

    assert (signal.result, signal.value) == (SignalResult.WITHIN_LIMITS, f"{value:.6g}")
    assert other.result == SignalResult.BREACHED
    assert said in signal.message


def test_new_categories_and_constant_columns_are_listed(folder: Path) -> None:
    """By the names of their columns, without a signal for it."""
    changed(folder, plan=["c"] * ROWS, x=1.5)

    check = checked(folder)

    assert [(each.name, each.categories, each.rows) for each in check.new_categories] == [("plan", 1, ROWS)]
    assert check.constant_columns == ["x", "plan"]


def test_without_data_every_signal_is_unknown(folder: Path) -> None:
    """The reason is the check's own."""
    (folder / "current.parquet").unlink()

    check = checked(folder, {"type": "TargetDrift"}, performance(minValue=0.5))

    assert {(each.result, each.reason) for each in check.signals} == {
        (SignalResult.UNKNOWN, Reason.DATA_NOT_FOUND)
    }


@pytest.mark.parametrize(
    ("metric", "predictions"),
    [("f1_macro", 0.5), ("root_mean_squared_error", "high"), ("log_loss", 1.5), ("roc_auc", "high")],
)
def test_a_metric_that_says_nothing_about_the_values_is_unknown(
    folder: Path, metric: str, predictions: Any
) -> None:
    """Probabilities are no classes, words are no numbers, and 1.5 is no probability."""
    changed(folder, score=predictions)

    (signal,) = checked(folder, performance(metric, minValue=0)).signals

    assert (signal.result, signal.reason) == (SignalResult.UNKNOWN, Reason.METRIC_NOT_APPLICABLE)


def test_every_type_of_signal_has_a_module_and_every_module_a_type() -> None:
    """The API's list is the only one; a module that it does not name would never be used."""
    modules = {module.name for module in pkgutil.iter_modules(signal_types.__path__)}

    assert modules == {snake_case(each) for each in SIGNAL_TYPES}


def test_what_needs_predictions_reads_them() -> None:
    """The types that the API wants a column of predictions for are those that read one."""
    columns = {"prediction": "score"}
    sides = {side: {"uri": f"/{side}.csv"} for side in ("reference", "current")}

    for each in SIGNAL_TYPES:
        signal = {"name": "s", "type": each} | ({MEMBERS[each]: LIMITS[each]} if each in MEMBERS else {})
        request = run_request(dataset=sides | {"columns": columns}, signals=[signal])
        assert bool(columns_for_signals(request.spec)) == (each in OF_PREDICTIONS)


@given(st.floats(), st.floats(-10, 10), st.floats(0, 10))
def test_what_is_no_number_is_never_within_limits(value: float, low: float, width: float) -> None:
    """NaN breaches every limit; all else is breached exactly outside of them."""
    signal = Signal.from_wire({"name": "s"} | quality("null_share", minValue=low, maxValue=low + width))

    within = held_against_limits(signal, value, "here").result is SignalResult.WITHIN_LIMITS

    assert within == (low <= value <= low + width)


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(0, 2), st.just("")), min_size=2, max_size=2), max_size=30
    )
)
def test_duplicated_rows_are_those_that_equal_an_earlier_one(rows: list[list[Any]]) -> None:
    """Gaps equal gaps, and nothing else."""
    columns = {
        name: pa.array([None if row[at] is None else str(row[at]) for row in rows], pa.string())
        for at, name in enumerate("ab")
    }
    distinct = {tuple(None if value is None else str(value) for value in row) for row in rows}

    assert duplicated_rows(ArrowTable(pa.table(columns)), ["a", "b"]) == len(rows) - len(distinct)


@pytest.mark.parametrize("kind", ["PredictionDrift", "TargetDrift"])
def test_numbers_of_two_widths_are_no_drift_of_a_signal(tmp_path: Path, kind: str) -> None:
    """Models answer in float32, and a database keeps float64."""
    random = np.random.default_rng(6)
    for side, width in (("reference", "float32"), ("current", "float64")):
        values = {name: random.choice([0.1, 0.2, 0.3, 0.7], 400).astype(width) for name in ("score", "label")}
        pd.DataFrame({"x": random.normal(size=400), **values}).to_parquet(tmp_path / f"{side}.parquet")
    sides = {side: {"uri": str(tmp_path / f"{side}.parquet")} for side in ("reference", "current")}

    (found,) = look(
        run_request(
            dataset=sides | {"columns": {"prediction": "score"}}, signals=[{"name": "moved", "type": kind}]
        )
    ).signals

    assert found.result is SignalResult.WITHIN_LIMITS
