"""Artifacts that MLflow's library would copy into a folder of a pod are lost with it."""

from pathlib import Path

import pytest

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.tracking.artifact_folder import require_kept, why_lost


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mounted volume, the only one."""
    monkeypatch.setenv("SELFHEAL_DATA_PATHS", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize("address", ["file:///mlruns/1/a/artifacts", "/mlruns/1/a", "./mlruns/1", "mlruns/1"])
def test_a_folder_of_the_pod_is_told_with_the_remedy(address: str) -> None:
    """A relative one is in the working directory."""
    with pytest.raises(TrackingError) as caught:
        require_kept(address)

    assert f"in the folder {address}, which its server does not share" in str(caught.value)
    assert "--serve-artifacts" in str(caught.value)
    assert "spec.mlflow.experiment" in str(caught.value)


@pytest.mark.usefixtures("volume")
@pytest.mark.parametrize(
    "address", ["mlflow-artifacts:/1/a", "s3://lake/1", "https://mlflow:5000/a", "http://[1"]
)
def test_servers_and_object_stores_keep_artifacts(address: str) -> None:
    """What is no address fails where it is used."""
    require_kept(address)


def test_a_volume_keeps_artifacts(volume: Path) -> None:
    """It may be that of MLflow's server."""
    assert not why_lost(f"file://{volume}/1/artifacts")
    assert not why_lost(f"{volume}/1/artifacts")
    assert why_lost(f"{volume}/../1/artifacts")


def test_a_run_by_hand_stores_artifacts_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow may be on the same computer."""
    monkeypatch.delenv("SELFHEAL_DATA_PATHS", raising=False)

    assert not why_lost("/mlruns/1/artifacts")
