"""What is sent to MLflow: the same as MLflow's own library sends, which is asked here."""

import os
from pathlib import Path

import pytest
from mlflow.tracking.request_auth import kubernetes_request_auth_provider as plugin
from mlflow.utils import rest_utils, workspace_context
from mlflow.utils.credentials import get_default_host_creds
from requests import PreparedRequest

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.tracking.authentication import authentication

USER = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "pw"}
TOKEN = {"MLFLOW_TRACKING_TOKEN": "t0ken"}
WORKSPACE = {"MLFLOW_WORKSPACE": " team-b "}
KUBERNETES = {"MLFLOW_TRACKING_AUTH": "kubernetes"}
NAMESPACED = {"MLFLOW_TRACKING_AUTH": "kubernetes-namespaced"}


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kubelet mounts into a pod of the namespace team-a; also for MLflow's library."""
    (tmp_path / "token").write_text("account-t0ken\n")
    (tmp_path / "namespace").write_text("team-a")
    monkeypatch.setattr(plugin, "_SERVICE_ACCOUNT_TOKEN_PATH", tmp_path / "token")
    monkeypatch.setattr(plugin, "_SERVICE_ACCOUNT_NAMESPACE_PATH", tmp_path / "namespace")
    monkeypatch.setattr(plugin, "_file_cache", None)
    for name in os.environ:
        if name.startswith("MLFLOW_"):
            monkeypatch.delenv(name)
    return tmp_path


def sent_by_mlflow(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the two headers that MLflow's library sends."""
    sent: dict[str, str] = {}

    def send(method: str, url: str, *_: object, headers: dict[str, str], **more: object) -> None:
        request = PreparedRequest()
        request.prepare(method, url, headers=headers, auth=more.get("auth"))  # type: ignore[arg-type]
        sent.update({name: str(value) for name, value in request.headers.items()})

    monkeypatch.setattr(rest_utils, "_get_http_response_with_retries", send)
    token = workspace_context._WORKSPACE.set(None)
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        rest_utils.http_request(get_default_host_creds("http://mlflow"), "/api/2.0/mlflow/runs/get", "GET")
    os.environ.pop("MLFLOW_WORKSPACE", None)  # the plugin sets it for the whole process
    workspace_context._WORKSPACE.reset(token)
    return {name: sent[name] for name in ("Authorization", "X-MLFLOW-WORKSPACE") if name in sent}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        USER,
        {"MLFLOW_TRACKING_USERNAME": "ann"},
        TOKEN,
        USER | TOKEN,
        WORKSPACE,
        USER | WORKSPACE,
        KUBERNETES,
        KUBERNETES | USER,
        KUBERNETES | TOKEN,
        KUBERNETES | WORKSPACE,
        NAMESPACED,
        NAMESPACED | USER,
        NAMESPACED | TOKEN,
        NAMESPACED | WORKSPACE,
    ],
    ids=lambda environment: "+".join(each.removeprefix("MLFLOW_") for each in environment) or "nothing",
)
def test_a_check_authenticates_as_mlflows_library_does(
    account: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """A check and a retraining of one monitor are the same user in the same workspace."""
    theirs = sent_by_mlflow(environment, monkeypatch)

    assert authentication(environment, account)() == theirs


def test_a_rotated_token_is_read_again(account: Path) -> None:
    """The kubelet replaces it before it expires."""
    headers = authentication(KUBERNETES, account)
    assert headers()["Authorization"] == "Bearer account-t0ken"

    (account / "token").write_text("another-t0ken")

    assert headers()["Authorization"] == "Bearer another-t0ken"


@pytest.mark.parametrize(
    ("environment", "missing", "said"),
    [
        ({"MLFLOW_TRACKING_AUTH": "mine"}, "", "must be kubernetes or kubernetes-namespaced, not mine"),
        ({"MLFLOW_TRACKING_AWS_SIGV4": "true"}, "", "MLFLOW_TRACKING_AWS_SIGV4 is not supported"),
        (KUBERNETES, "token", "token, which cannot be read"),
        (NAMESPACED, "namespace", "namespace, which cannot be read"),
    ],
)
def test_what_cannot_be_sent_is_named(
    account: Path, environment: dict[str, str], missing: str, said: str
) -> None:
    """Without it, MLflow would answer that access is denied, and nobody knew why."""
    if missing:
        (account / missing).unlink()

    with pytest.raises(TrackingError, match=said):
        authentication(environment, account)()
