"""How each store is asked for its client.

S3 is met for real in tests/integration. Google Cloud Storage and Azure are met up to the call of Arrow's
client, behind which a folder stands in for the service.
"""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import fs

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
PREFIX = "SELFHEAL_CURRENT_"


def place(uri: str, *, secret: bool = True) -> Place:
    """Return the place of the current data."""
    source = DataSource.from_wire({"uri": uri} | ({"secretRef": {"name": "lake"}} if secret else {}))
    return Place(source=source, field="spec.dataset.current.uri", env_prefix=PREFIX)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the clients of Google and Azure are made with; a folder answers in their place."""
    seen: dict[str, Any] = {}

    def client(*arguments: Any, **options: Any) -> fs.FileSystem:
        key_file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        seen.update(options, arguments=arguments)
        seen["key"] = json.loads(Path(key_file).read_text()) if key_file else None
        return fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())

    monkeypatch.setattr(fs, "GcsFileSystem", client)
    monkeypatch.setattr(fs, "AzureFileSystem", client)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    (tmp_path / "bucket" / "live").mkdir(parents=True)
    TABLE.to_parquet(tmp_path / "bucket" / "live" / "t.parquet")
    return seen


def test_google_gets_the_key_of_the_secret(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file that is gone when the client has read it."""
    monkeypatch.setenv(f"{PREFIX}GOOGLE_CREDENTIALS", '{"type": "service_account"}')

    pd.testing.assert_frame_equal(frame(open_table(place("gs://bucket/live/"))), TABLE)

    assert asked["key"] == {"type": "service_account"}
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in os.environ


def test_google_without_a_secret_is_the_pods_own_identity(asked: dict[str, Any]) -> None:
    """Workload identity: nothing is handed over."""
    open_table(place("gs://bucket/live/t.parquet", secret=False))

    assert asked["key"] is None


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ({"AZURE_STORAGE_KEY": "k"}, {"account_key": "k"}),
        ({"AZURE_STORAGE_SAS_TOKEN": "s"}, {"sas_token": "s"}),
        (
            {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"},
            {"tenant_id": "t", "client_id": "c", "client_secret": "s"},
        ),
    ],
)
def test_azure_gets_what_the_secret_holds(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch, keys: dict[str, str], options: dict[str, str]
) -> None:
    """A key, a token, or a service principal."""
    for name, value in ({"AZURE_STORAGE_ACCOUNT": "lake"} | keys).items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)

    pd.testing.assert_frame_equal(frame(open_table(place("az://bucket/live/*.parquet"))), TABLE)

    assert asked.pop("arguments") == ("lake",)
    assert {name: asked[name] for name in options} == options


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("gs://bucket/t.csv", "no key GOOGLE_CREDENTIALS"),
        ("az://bucket/t.csv", "no key AZURE_STORAGE_ACCOUNT"),
        ("s3://bucket/t.csv", "no key AWS_ACCESS_KEY_ID and no key AWS_SECRET_ACCESS_KEY"),
        ("https://data.example/t.csv", "no key token"),
        ("sql://t", "no key url"),
    ],
)
def test_a_secret_that_lacks_its_keys_is_told(uri: str, said: str) -> None:
    """Before anybody is asked for anything."""
    with pytest.raises(DataError) as caught:
        open_table(place(uri))

    assert caught.value.reason is Reason.DATA_ACCESS_DENIED
    assert said in str(caught.value)


def test_a_key_that_is_no_document_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a pasted key is half of a key."""
    monkeypatch.setenv(f"{PREFIX}GOOGLE_CREDENTIALS", '{"private_key": "-----BEGIN hush')

    with pytest.raises(DataError) as caught:
        open_table(place("gs://bucket/t.csv"))

    assert "is no JSON document" in str(caught.value)
    assert "hush" not in str(caught.value)


class Answering(BaseHTTPRequestHandler):
    """Answers /t.csv to the right credential, and all else with the status that its bucket is named for."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/t.csv":
            let_in = self.headers.get("Authorization") in {"Bearer hush-token", "Basic YW5uOmh1c2gtcGFzcw=="}
            status, body = (200, b"a,b\n1,x\n2,y\n") if let_in else (401, b"")
        else:
            status, body = int(self.path.split("/b/")[1][:3]), b'{"error": {"message": "no"}}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    """A server that answers as its addresses say."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, Reason.DATA_ACCESS_DENIED),
        (403, Reason.DATA_ACCESS_DENIED),
        (404, Reason.DATA_NOT_FOUND),
    ],
)
def test_what_google_refuses_is_told(
    web: str, monkeypatch: pytest.MonkeyPatch, status: int, reason: Reason
) -> None:
    """Google's real client, and a server that says no."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", web)

    with pytest.raises(DataError) as caught:
        open_table(place(f"gs://{status}-bucket/t.csv", secret=False))

    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("keys", "let_in"),
    [
        ({"token": "hush-token"}, True),
        ({"username": "ann", "password": "hush-pass"}, True),
        ({"token": "hush-other"}, False),
    ],
)
def test_a_web_server_gets_what_the_secret_holds(
    *, web: str, monkeypatch: pytest.MonkeyPatch, keys: dict[str, str], let_in: bool
) -> None:
    """A bearer token, or a name and a password."""
    for name, value in keys.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)

    if let_in:
        pd.testing.assert_frame_equal(frame(open_table(place(f"{web}/t.csv"))), TABLE)
        return
    with pytest.raises(DataError) as caught:
        open_table(place(f"{web}/t.csv"))
    assert caught.value.reason is Reason.DATA_ACCESS_DENIED
    assert "hush" not in str(caught.value)
