import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from selfheal_jobs import redaction
from selfheal_jobs.errors import TrackingError
from selfheal_jobs.tracking.rest_client import RefusedError, Run, reach
from selfheal_jobs.transport.retry_policy import QUICK, STANDARD

URI = "http://mlflow.mlops:5000"


def test_all_that_reach_one_server_share_one_connection() -> None:
    """The run of a check and the profile of its reference are written by different modules."""
    first, second = reach(URI, QUICK, {}), reach(f"{URI}/", STANDARD, {})

    assert first.server is second.server
    assert (first.retries, second.retries) == (QUICK, STANDARD)


def test_other_credentials_make_another_connection() -> None:
    """The environment is what MLflow takes them from."""
    own = reach(URI, QUICK, {"MLFLOW_TRACKING_TOKEN": "t"})

    assert own.server is not reach(URI, QUICK, {}).server
    assert own.server is reach(URI, QUICK, {"MLFLOW_TRACKING_TOKEN": "t", "HOME": "/root"}).server


class Handler(BaseHTTPRequestHandler):
    """Answers as some other server in the cluster would."""

    status = 404
    body = b""
    received: list[str] = []  # noqa: RUF012  each test sets its own

    def do_GET(self) -> None:
        """Answer."""
        self.received.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_PUT = do_GET  # noqa: N815 - the base class looks for these names

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def some_server() -> Iterator[str]:
    """Any server that a spec may name as MLflow."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (
            404,
            b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "inner-secret"}',
            "RESOURCE_DOES_NOT_EXIST",
        ),
        (404, b'{"error_code": "inner-secret", "message": "inner-secret"}', ""),
        (403, b"inner-secret", ""),
        (200, b"inner-secret", ""),
        (200, b"[" * 100_000, ""),
    ],
)
def test_of_an_answer_only_mlflows_code_is_shown(
    some_server: str, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, code: str
) -> None:
    """The message goes into the status, and the address is the spec's: the answer may be any server's."""
    monkeypatch.setattr(Handler, "status", status)
    monkeypatch.setattr(Handler, "body", body)

    with pytest.raises(RefusedError) as refused:
        reach(some_server, QUICK, {}).ask("GET", "runs/get")

    assert refused.value.code == code
    assert "inner-secret" not in str(refused.value)
    shown = f"{status} {http.client.responses[status]}" if status != 200 else "200 no JSON in the answer"
    assert (
        str(refused.value) == f"MLflow at {some_server} refused (AnswerError: {shown}{code and ' ' + code})."
    )


def test_a_link_local_server_is_refused_at_once() -> None:
    """It is not tried again: the spec has to be corrected."""
    with pytest.raises(TrackingError, match="link-local addresses and metadata servers are never read"):
        reach("http://169.254.169.254", QUICK, {}).ask("GET", "runs/get")


def test_nothing_that_is_logged_has_a_secret(some_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Params, tags and artifacts; the tags that programs read are names of ours."""
    monkeypatch.setattr(Handler, "status", 200)
    monkeypatch.setattr(Handler, "body", b"{}")
    received: list[str] = []
    monkeypatch.setattr(Handler, "received", received)
    monkeypatch.setattr(redaction, "_learnt", {"hunter22"})
    run = Run(run_id="1", status="RUNNING", artifact_uri="mlflow-artifacts:/1", tags={})
    server = reach(some_server, QUICK, {})

    server.log(run, params={"a": "hunter22"}, tags={"b": "is hunter22", "selfheal.jobName": "hunter22-check"})
    server.log_text(run, "note.txt", "it is hunter22")

    logged = json.loads(received[0])
    assert logged["params"] == [{"key": "a", "value": "***"}]
    assert [each["value"] for each in logged["tags"]] == ["is ***", "hunter22-check"]
    assert received[1] == "it is ***"
