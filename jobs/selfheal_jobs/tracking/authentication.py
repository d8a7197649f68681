"""Authenticates to MLflow as its own library does, by the same environment variables.

With `MLFLOW_TRACKING_AUTH=kubernetes` the token of the pod's ServiceAccount is sent, and with
`kubernetes-namespaced` also the pod's namespace, as the workspace (`mlflow.tracking.request_auth`, 3.17).
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from selfheal_jobs.errors import TrackingError
from selfheal_operator.api.names import SERVICE_ACCOUNT_FOLDER

_ACCOUNT: Final = Path(SERVICE_ACCOUNT_FOLDER)
WORKSPACE_HEADER: Final = "X-MLFLOW-WORKSPACE"
_KUBERNETES: Final = frozenset({"kubernetes", "kubernetes-namespaced"})


def authentication(
    environment: Mapping[str, str], account: Path = _ACCOUNT
) -> Callable[[], Mapping[str, str]]:
    """Return a function that returns the headers of a request; the kubelet rotates the token.

    The function raises TrackingError if the environment wants what only MLflow's library can do, or the pod
    has no token.
    """
    return lambda: dict(_headers(environment, account))


def _headers(environment: Mapping[str, str], account: Path) -> Iterator[tuple[str, str]]:
    plugin = environment.get("MLFLOW_TRACKING_AUTH", "")
    if plugin and plugin not in _KUBERNETES:
        raise TrackingError(f"MLFLOW_TRACKING_AUTH must be {' or '.join(sorted(_KUBERNETES))}, not {plugin}")
    if environment.get("MLFLOW_TRACKING_AWS_SIGV4", "").lower() in {"true", "1"}:
        raise TrackingError("MLFLOW_TRACKING_AWS_SIGV4 is not supported")
    user, password = (environment.get(f"MLFLOW_TRACKING_{part}") for part in ("USERNAME", "PASSWORD"))
    if user and password and not plugin:
        yield "Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    elif token := environment.get("MLFLOW_TRACKING_TOKEN") or (plugin and _read(account / "token")):
        yield "Authorization", f"Bearer {token}"
    workspace = environment.get("MLFLOW_WORKSPACE", "").strip()
    if not workspace and plugin == "kubernetes-namespaced":
        workspace = _read(account / "namespace")
    if workspace:
        yield WORKSPACE_HEADER, workspace


def _read(path: Path) -> str:
    try:
        found = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise TrackingError(f"MLFLOW_TRACKING_AUTH needs {path}, which cannot be read") from error
    if not found:
        raise TrackingError(f"MLFLOW_TRACKING_AUTH needs {path}, which is empty")
    return found
