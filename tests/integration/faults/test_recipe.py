"""What the spec and the columns say reaches the model."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from integration.faults.running import FaultMonitor, case_of, retrain_case
from selfheal_operator.api.reasons import RetrainResult
from selfheal_operator.api.v1alpha1.status import LastRetraining
from testbed.kubectl import Kubectl


def test_a_column_may_have_any_name(tmp_path: Path, mlflow_uri: str) -> None:
    """A column named self was taken for a keyword argument of pandas."""
    assert outcome("19", tmp_path, mlflow_uri).result is RetrainResult.REGISTERED


def test_declared_categories_are_one_hot(tmp_path: Path, mlflow_uri: str) -> None:
    """Codes of a plan that are learnt as a number tell a linear model nothing."""
    assert f1_macro(outcome("15", tmp_path, mlflow_uri)) > 0.95


def test_weights_are_of_the_classes_of_the_target(tmp_path: Path, mlflow_uri: str) -> None:
    """The keys of a manifest are text, also where the classes are numbers."""
    assert outcome("21f", tmp_path, mlflow_uri).result is RetrainResult.REGISTERED


def test_row_numbers_of_a_csv_file_are_not_learnt(tmp_path: Path, mlflow_uri: str) -> None:
    """The rows are sorted by the label, so that their numbers would tell it."""
    found = outcome("10-2", tmp_path, mlflow_uri)

    assert f1_macro(found) == pytest.approx(0.59, abs=0.1)
    assert "not learnt from, as row numbers, identifiers or times: 'Unnamed: 0'" in found.message


def test_columns_that_can_only_grow_are_not_learnt(tmp_path: Path, mlflow_uri: str) -> None:
    """Later order numbers and years are values that no model has seen."""
    monitor, (report,) = retrain_case("W14-2", tmp_path, mlflow_uri)

    assert report.last_retraining.result is RetrainResult.REGISTERED
    assert inputs(monitor) == ["x", "z", "month"]
    assert "'order', 'year'" in report.last_retraining.message


@pytest.mark.usefixtures("installation")
def test_a_parameter_that_is_null_reaches_the_estimator(
    kubectl: Kubectl, tmp_path: Path, mlflow_uri: str
) -> None:
    """`kubectl apply` keeps the text "null", and trees are grown in full."""
    candidates = case_of("23", tmp_path).spec["retraining"]["candidates"]
    kubectl("apply", "-f", str(tmp_path / "monitor.json"))
    stored = kubectl.get("modelmonitor", "nulls")["spec"]

    monitor, (report,) = retrain_case("23", tmp_path, mlflow_uri)

    assert stored["retraining"]["candidates"] == candidates
    assert report.last_retraining.result is RetrainResult.REGISTERED, report.last_retraining.message
    (_, estimator) = loaded(monitor).steps[-1]
    assert estimator.get_params()["max_depth"] is None


def outcome(name: str, folder: Path, mlflow_uri: str) -> LastRetraining:
    """Run a case and return the outcome of its retraining."""
    _, (report,) = retrain_case(name, folder, mlflow_uri)
    return report.last_retraining


def f1_macro(outcome: LastRetraining) -> float:
    """Return the score of the candidate."""
    (found,) = [each.candidate for each in outcome.metrics if each.name == "f1_macro"]
    assert found is not None
    return float(found)


def inputs(monitor: FaultMonitor) -> list[str]:
    """Return the columns that version 1 asks for."""
    names: list[str] = mlflow.models.get_model_info(
        f"models:/{monitor.model}/1"
    ).signature.inputs.input_names()
    return names


def loaded(monitor: FaultMonitor) -> Any:
    """Return version 1 as scikit-learn's pipeline."""
    return mlflow.sklearn.load_model(f"models:/{monitor.model}/1")


def test_a_declared_category_of_integers_may_have_gaps(tmp_path: Path, mlflow_uri: str) -> None:
    """It is kept as numbers of a list, and no integer stands for a gap."""
    rng = np.random.default_rng(0)
    plan, other = rng.integers(1, 5, 400), rng.random(400) < 0.1
    table = pd.DataFrame({"plan": pd.array(plan, dtype="Int64"), "x": rng.normal(size=400)})
    table["label"] = (plan + other) % 2
    table.loc[::9, "plan"] = pd.NA
    spec = case_of("15", tmp_path).spec
    for side in ("reference", "current"):
        table.to_parquet(spec["dataset"][side]["uri"])

    assert FaultMonitor.new(mlflow_uri).retrain(spec).last_retraining.result is RetrainResult.REGISTERED


def test_a_reference_needs_no_target(tmp_path: Path, mlflow_uri: str) -> None:
    """Checks do not need it either; a version is learnt from the current data alone."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"plan": rng.integers(1, 5, 400), "x": rng.normal(size=400)})
    spec = case_of("15", tmp_path).spec
    table.to_parquet(spec["dataset"]["reference"]["uri"])
    table.assign(label=table["plan"] % 2).to_parquet(spec["dataset"]["current"]["uri"])

    assert FaultMonitor.new(mlflow_uri).retrain(spec).last_retraining.result is RetrainResult.REGISTERED
