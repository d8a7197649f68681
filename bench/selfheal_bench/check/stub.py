"""A fake API server (https) and a fake MLflow, which serve a check and record its reports."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final

from localcluster.pki import Authority, Identity
from selfheal_bench.check_request import MONITOR

_RUN: Final = {
    "info": {"run_id": "0" * 32, "status": "RUNNING", "artifact_uri": "mlflow-artifacts:/1/run/artifacts"},
    "data": {},
}
_ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "/apis/": {"metadata": MONITOR | {"resourceVersion": "1"}, "status": {}},
    "/api/2.0/mlflow/experiments/get-by-name": {
        "experiment": {"experiment_id": "1", "lifecycle_stage": "active"}
    },
    "/api/2.0/mlflow/runs/create": {"run": _RUN},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """Both servers, as a check finds them."""

    kubeconfig: Path
    mlflow: str
    """Its address."""
    reported: list[dict[str, Any]] = field(default_factory=list)
    """The status documents that were applied, oldest first."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What was logged to MLflow since they were cleared."""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as the real servers have it: else each body waits 40 ms for an ACK
    reported: ClassVar[list[dict[str, Any]]]
    metrics: ClassVar[dict[str, float]]

    def answer(self) -> None:
        """Answer, whatever the method."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/runs/log-batch"):
            self.metrics.update((each["key"], each["value"]) for each in json.loads(body).get("metrics", ()))
        found = (each for path, each in _ANSWERS.items() if self.path.startswith(path))
        document: dict[str, Any] = next(found, {})
        if self.command == "PATCH":
            self.reported.append(_status_of(json.loads(body)))
            document = document | {"status": self.reported[-1]}
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


def _status_of(document: Any) -> dict[str, Any]:
    """Return what is applied, or what a JSON patch writes by its last operation: a verdict."""
    status: dict[str, Any] = (
        {"lastCheck": document[-1]["value"]} if isinstance(document, list) else document["status"]
    )
    return status


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a check that was stopped may have left one of them waiting

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a client that disconnects was stopped, which is reported elsewhere."""


@contextmanager
def stub(folder: Path) -> Iterator[Stub]:
    """Serve until the end of the block, on free ports of this machine; the folder gets the certificates."""
    reported: list[dict[str, Any]] = []
    metrics: dict[str, float] = {}
    handler = type("Answers", (_Answers,), {"reported": reported, "metrics": metrics})
    with (
        _Server(("127.0.0.1", 0), handler) as api_server,
        _Server(("127.0.0.1", 0), handler) as mlflow,
    ):
        authority = Authority("bench-check")
        authority.write(folder / "ca.crt")
        authority.issue(Identity(user="stub", hosts=["127.0.0.1"]), folder / "stub")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "stub.crt", folder / "stub.key")
        api_server.socket = context.wrap_socket(api_server.socket, server_side=True)
        for server in (api_server, mlflow):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(_kubeconfig(f"https://127.0.0.1:{api_server.server_port}", folder / "ca.crt"))
        try:
            yield Stub(
                kubeconfig=kubeconfig,
                mlflow=f"http://127.0.0.1:{mlflow.server_port}",
                reported=reported,
                metrics=metrics,
            )
        finally:
            api_server.shutdown()
            mlflow.shutdown()


def _kubeconfig(server: str, authority: Path) -> str:
    cluster = {"server": server, "certificate-authority": str(authority)}
    return json.dumps(
        {
            "clusters": [{"name": "stub", "cluster": cluster}],
            "users": [{"name": "stub", "user": {"token": "of-nobody"}}],
            "contexts": [{"name": "stub", "context": {"cluster": "stub", "user": "stub"}}],
            "current-context": "stub",
        }
    )
