"""What the spec and the columns say reaches the model."""

from pathlib import Path

from integration.faults.running import retrain_case
from selfheal_operator.api.reasons import RetrainResult
from selfheal_operator.api.v1alpha1.status import LastRetraining


def test_a_column_may_have_any_name(tmp_path: Path, mlflow_uri: str) -> None:
    """A column named self was taken for a keyword argument of pandas."""
    assert outcome("19", tmp_path, mlflow_uri).result is RetrainResult.REGISTERED


def test_declared_categories_are_one_hot(tmp_path: Path, mlflow_uri: str) -> None:
    """Codes of a plan that are learnt as a number tell a linear model nothing."""
    assert f1_macro(outcome("15", tmp_path, mlflow_uri)) > 0.95


def test_weights_are_of_the_classes_of_the_target(tmp_path: Path, mlflow_uri: str) -> None:
    """The keys of a manifest are text, also where the classes are numbers."""
    assert outcome("21f", tmp_path, mlflow_uri).result is RetrainResult.REGISTERED


def outcome(name: str, folder: Path, mlflow_uri: str) -> LastRetraining:
    """Run a case and return the outcome of its retraining."""
    _, (report,) = retrain_case(name, folder, mlflow_uri)
    return report.last_retraining


def f1_macro(outcome: LastRetraining) -> float:
    """Return the score of the candidate."""
    (found,) = [each.candidate for each in outcome.metrics if each.name == "f1_macro"]
    assert found is not None
    return float(found)
