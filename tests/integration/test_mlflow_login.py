"""How runs authenticate to a real MLflow server with workspaces, seen by a proxy before it."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.tracking.request_auth import kubernetes_request_auth_provider as plugin
from mlflow.utils import workspace_context

from selfheal_jobs.tracking import authentication
from selfheal_jobs.tracking.rest_client import MLflowServer, reach
from selfheal_jobs.transport.retry_policy import QUICK
from testbed.mlflow_server import running_mlflow


class Proxy(ThreadingHTTPServer):
    """Passes requests on, and keeps what they are authenticated by."""

    behind: str
    seen: list[tuple[str | None, str | None]]

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Proxy

    def passed_on(self) -> None:
        """Answer as the server behind does."""
        self.server.seen.append((self.headers["Authorization"], self.headers["X-MLFLOW-WORKSPACE"]))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        names = ("Content-Type", "X-MLFLOW-WORKSPACE")
        headers = {name: self.headers[name] for name in names if name in self.headers}
        request = urllib.request.Request(self.server.behind + self.path, body, headers, method=self.command)
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = passed_on  # noqa: N815 - the base class looks for these names

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the workspaces team-a and team-b."""
    with running_mlflow(tmp_path_factory.mktemp("workspaces"), ["--enable-workspaces"]) as server:
        for name in ("team-a", "team-b"):
            body = json.dumps({"name": name}).encode()
            request = urllib.request.Request(
                f"{server.uri}/api/3.0/mlflow/workspaces",
                body,
                {"Content-Type": "application/json"},
            )
            urllib.request.urlopen(request, timeout=60).close()
        yield server.uri


@pytest.fixture
def proxy(workspaces: str) -> Iterator[Proxy]:
    """A proxy before the server."""
    with Proxy(("127.0.0.1", 0), Handler) as server:
        server.behind, server.seen = workspaces, []
        threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A pod's ServiceAccount in the namespace team-a."""
    (tmp_path / "token").write_text("account-t0ken")
    (tmp_path / "namespace").write_text("team-a")
    monkeypatch.setattr(plugin, "_SERVICE_ACCOUNT_TOKEN_PATH", tmp_path / "token")
    monkeypatch.setattr(plugin, "_SERVICE_ACCOUNT_NAMESPACE_PATH", tmp_path / "namespace")
    monkeypatch.setattr(plugin, "_file_cache", None)
    yield tmp_path
    monkeypatch.undo()
    workspace_context.set_workspace(None)  # the plugin sets one for the whole process


def ours(uri: str, environment: dict[str, str], account: Path) -> MLflowServer:
    """Return our client, in a pod with this environment."""
    headers = authentication.authentication(environment, account)
    client = reach(uri, QUICK, environment)
    client.server._headers = headers
    return client


@pytest.mark.parametrize(
    ("environment", "workspace"),
    [
        ({"MLFLOW_TRACKING_AUTH": "kubernetes-namespaced"}, "team-a"),
        ({"MLFLOW_TRACKING_AUTH": "kubernetes-namespaced", "MLFLOW_WORKSPACE": "team-b"}, "team-b"),
        ({"MLFLOW_TRACKING_AUTH": "kubernetes", "MLFLOW_WORKSPACE": "team-b"}, "team-b"),
    ],
)
def test_checks_and_retrainings_meet_in_one_workspace(
    proxy: Proxy, account: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], workspace: str
) -> None:
    """What our client logs is what MLflow's own client reads, and nobody reads it elsewhere."""
    name = f"login-{workspace}-{len(environment)}"
    server = ours(proxy.url, environment, account)
    run = server.create_run(server.experiment_id(name), "churn-check-1", {"a": "1"})
    server.log_text(run, "note.txt", "kept")
    server.end_run(run)
    by_us, proxy.seen = set(proxy.seen), []
    before: Any = workspace_context._WORKSPACE.set(None)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)

    theirs = MlflowClient(proxy.url)
    found = theirs.get_experiment_by_name(name)

    assert found is not None
    assert theirs.get_run(run.run_id).data.tags["a"] == "1"
    with_workspace = {each for each in proxy.seen if each[1]}
    assert by_us == with_workspace == {("Bearer account-t0ken", workspace)}
    workspace_context._WORKSPACE.reset(before)
    elsewhere = {"MLFLOW_WORKSPACE": {"team-a": "team-b", "team-b": "team-a"}[workspace]}
    assert ours(proxy.url, elsewhere, account).find_experiment(name) is None
