"""Which addresses of artifacts a run fetches: whoever may write to MLflow chooses them.

MLflow's library sends its credentials to the server that such an address names, and copies files of this
container. Object stores have credentials of their own, which are sent to that provider only.
"""

from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import mlflow
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository

from selfheal_jobs.mounted_folders import is_outside
from selfheal_jobs.redaction import without_secrets

_SERVERS: Final = frozenset({"http", "https", "mlflow-artifacts"})
_FILES: Final = frozenset({"", "file"})
_NEVER: Final = frozenset({"ftp", "sftp"})
_MOST_STEPS: Final = 5
"""A version may name a logged model, and this one its files."""


class ForeignAddressError(ValueError):
    """Artifacts are where this run does not fetch them."""


def artifacts_at(address: str) -> Any:
    """Return MLflow's repository of artifacts at an address.

    Raises:
        ForeignAddressError: The address is of another server than MLflow's, or of a file outside the volumes.
        MlflowException: MLflow could not be reached.
    """
    for _ in range(_MOST_STEPS):
        if not address.startswith("models:"):
            require_own(address, mlflow.get_tracking_uri())
            return get_artifact_repository(address)
        address = ModelsArtifactRepository.get_underlying_uri(address)  # type: ignore[no-untyped-call]  # no types
    raise ForeignAddressError("a version names a version, and so on")


def require_own(address: str, tracking_uri: str) -> None:
    """Raise ForeignAddressError for an address of another server, or of a file outside the volumes.

    >>> require_own("mlflow-artifacts:/1/models/m-1", "http://mlflow:5000")
    >>> require_own("s3://lake/1/models/m-1", "http://mlflow:5000")
    >>> require_own("mlflow-artifacts://elsewhere/1", "http://mlflow:5000")
    Traceback (most recent call last):
    ...
    selfheal_jobs.retrain.artifact_address.ForeignAddressError: \
mlflow-artifacts://elsewhere/1 is neither on MLflow's server, nor in an object store, nor on a volume: log \
it anew to an experiment whose artifacts are served (--serve-artifacts) or in an object store
    """
    try:
        parsed = urlsplit(address)
        is_own = _is_own(parsed, urlsplit(tracking_uri))
    except ValueError:  # no address
        is_own = False
    if not is_own:
        where = without_secrets(address)
        raise ForeignAddressError(
            f"{where} is neither on MLflow's server, nor in an object store, nor on a volume: log it anew to "
            f"an experiment whose artifacts are served (--serve-artifacts) or in an object store"
        )


def _is_own(address: SplitResult, server: SplitResult) -> bool:
    if address.scheme in _SERVERS:
        return not address.netloc or _origin(address, server.scheme) == _origin(server, server.scheme)
    if address.scheme in _FILES:
        return not address.netloc and not is_outside(address.path)
    return address.scheme not in _NEVER


def _origin(address: SplitResult, scheme: str) -> tuple[str, str | None, int]:
    """Return the origin; `mlflow-artifacts` is fetched by the scheme of the server."""
    scheme = scheme if address.scheme == "mlflow-artifacts" else address.scheme
    return scheme, address.hostname, address.port or (443 if scheme == "https" else 80)
