"""A model's files are loaded only if they are those that the status has recorded, or the run has logged."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest

from integration.faults.running import FaultMonitor, case_of
from selfheal_operator.api.reasons import Origin, Reason, RetrainResult


def _touch_artifact(monitor: FaultMonitor, version: str, root: Path) -> None:
    """Change a file of a registered version in the artifact store, as whoever may write there can."""
    made = mlflow.MlflowClient(monitor.mlflow_uri).get_model_version(monitor.model, version)
    model_id = str(made.source).removeprefix("models:/")
    folder = next(each.parent for each in root.glob("mlflow*/**/MLmodel") if model_id in each.parts)
    (folder / "requirements.txt").write_text("changed\n")


def test_a_version_whose_files_have_changed_is_not_loaded(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, mlflow_uri: str
) -> None:
    """The registration records their digest; a request may accept the change."""
    case, monitor = case_of("14a", tmp_path), FaultMonitor.new(mlflow_uri)
    first = monitor.prepare(case)
    assert first is not None
    assert first.model is not None
    assert first.model.origin is Origin.RETRAINING
    unchanged = monitor.retrain(case.spec, champion=first.model)
    assert unchanged.last_retraining.result is RetrainResult.NOT_IMPROVED
    _touch_artifact(monitor, first.model.version, tmp_path_factory.getbasetemp())

    refused = monitor.retrain(case.spec, champion=first.model)
    accepted = monitor.retrain(case.spec, champion=first.model, accept_champion=True)

    assert refused.last_retraining.reason is Reason.CHAMPION_CHANGED
    assert "acceptChampion" in refused.last_retraining.message
    assert accepted.last_retraining.result is RetrainResult.NOT_IMPROVED
    assert accepted.model is not None
    assert (accepted.model.origin, accepted.model.version) == (Origin.FOUND, first.model.version)
    assert accepted.model.digest not in {None, first.model.digest}


def test_the_first_retraining_records_a_version_that_it_has_found(tmp_path: Path, mlflow_uri: str) -> None:
    """A version of someone else has no digest until a retraining has compared it."""
    case, monitor = case_of("03", tmp_path), FaultMonitor.new(mlflow_uri)
    monitor.prepare(case)

    found = monitor.retrain(case.spec).model

    assert found is not None
    assert (found.version, found.origin) == ("1", Origin.FOUND)
    assert found.digest is not None
    assert monitor.retrain(case.spec, champion=found).model == found


@dataclass
class Touches:
    """Creates a file where it is unpickled."""

    path: str

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        """Return what is called, and with what."""
        return Path.touch, (Path(self.path),)


def test_a_file_that_is_exchanged_before_the_trial_is_not_loaded(
    tmp_path: Path, mlflow_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial fetches it from MLflow: what this run has not logged is neither loaded nor registered."""
    case, monitor, mark = case_of("14a", tmp_path), FaultMonitor.new(mlflow_uri), tmp_path / "mark"
    forged = tmp_path / "model.pkl"
    forged.write_bytes(pickle.dumps(Touches(str(mark))))
    really = mlflow.MlflowClient.log_model_artifacts

    def exchanged(self: mlflow.MlflowClient, model_id: str, local_dir: str, **more: Any) -> None:
        really(self, model_id, local_dir, **more)
        self.log_model_artifact(model_id, str(forged))

    monkeypatch.setattr(mlflow.MlflowClient, "log_model_artifacts", exchanged)
    report = monitor.prepare(case)

    assert report is not None
    assert not mark.exists()
    assert report.model is None
    assert report.last_retraining.result is RetrainResult.FAILED
    assert "MLflow has other files of it than this run has logged" in report.last_retraining.message
    assert mlflow.MlflowClient(mlflow_uri).search_model_versions(f"name = '{monitor.model}'") == []
