"""Artifacts are fetched from MLflow's server, object stores and volumes; others would get its credentials."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mlflow
import pytest

from selfheal_jobs.retrain.artifact_address import ForeignAddressError, require_own
from selfheal_jobs.retrain.champion import TAG_LEARNT_ROWS, learnt_rows
from selfheal_jobs.tracking.model_registry import Version

SERVER = "https://mlflow.example:8443"


@pytest.mark.parametrize(
    "address",
    [
        "mlflow-artifacts:/1/models/m-1/artifacts",
        "mlflow-artifacts://mlflow.example:8443/1",
        f"{SERVER}/api/2.0/mlflow-artifacts/artifacts/1",
        "s3://lake/1",
        "gs://lake/1",
        "abfss://lake@account.dfs.core.windows.net/1",
    ],
)
def test_own_addresses_are_fetched(address: str) -> None:
    """Of the server, by both its spellings, and of object stores."""
    require_own(address, SERVER)


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/api/2.0/mlflow-artifacts/artifacts/1",
        "http://mlflow.example:8443/1",
        "https://mlflow.example/1",
        "https://mlflow.example.evil:8443/1",
        "https://mlflow.example:8443@evil/1",
        "mlflow-artifacts://elsewhere/1",
        "HTTPS://169.254.169.254/latest",
        "ftp://elsewhere/1",
        "sftp://elsewhere/1",
        "file://elsewhere/etc",
        "http://[1",
    ],
)
def test_those_of_other_servers_are_not(address: str) -> None:
    """Another scheme or port is another server."""
    with pytest.raises(ForeignAddressError, match="neither on MLflow's server"):
        require_own(address, SERVER)


def test_files_are_fetched_below_volumes_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of data sources."""
    monkeypatch.setenv("SELFHEAL_DATA_PATHS", str(tmp_path / "mlruns"))
    require_own(f"{tmp_path}/mlruns/1", SERVER)
    require_own(f"file://{tmp_path}/mlruns/1", SERVER)
    for address in (f"{tmp_path}/mlruns/../other", f"file://{tmp_path}/other", "/proc/self/environ"):
        with pytest.raises(ForeignAddressError, match=r"log it anew to an experiment .*--serve-artifacts"):
            require_own(address, SERVER)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[ThreadingHTTPServer]:
    """A server of somebody else, which keeps what it is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("scheme", ["http", "mlflow-artifacts"])
def test_a_tag_does_not_lead_to_another_server(
    elsewhere: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Whoever may write to MLflow sets tags, and MLflow's library would send its token there."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hunter22")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    address = f"{scheme}://127.0.0.1:{elsewhere.server_port}/api/2.0/mlflow-artifacts/artifacts/rows.json"
    version = Version(
        name="m", version="1", created=datetime(2026, 11, 23, tzinfo=UTC), tags={TAG_LEARNT_ROWS: address}
    )

    assert learnt_rows(version) is None
    assert elsewhere.asked == []  # type: ignore[attr-defined]
