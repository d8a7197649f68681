"""Whether the artifacts of a run are kept, or are lost with its pod.

MLflow's server tells each client where to store them. Where it does not serve artifacts itself, that may be a
folder, which MLflow's library takes for one of the client's own computer: here of a pod that is deleted.
"""

from typing import Final
from urllib.parse import urlsplit

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.mounted_folders import is_outside
from selfheal_jobs.redaction import without_secrets

_FILES: Final = frozenset({"", "file"})


def why_lost(address: str) -> str:
    """Return a sentence, without its full stop, if artifacts at an address are lost with this pod.

    It is empty for servers, object stores, and a volume that is mounted here and at MLflow's server alike.
    """
    try:
        place = urlsplit(address)
    except ValueError:  # no address
        return ""
    if place.scheme not in _FILES or not is_outside(place.path):
        return ""
    return (
        f"MLflow stores the artifacts of this experiment in the folder {without_secrets(address)}, which its "
        f"server does not share with this pod. Start the server with --serve-artifacts and without a folder "
        f"as --default-artifact-root, or with an object store as --default-artifact-root; then name a new "
        f"experiment in spec.mlflow.experiment, since this one keeps its folder"
    )


def require_kept(address: str) -> None:
    """Raise TrackingError for an address at which artifacts are lost with this pod."""
    if why := why_lost(address):
        raise TrackingError(f"{why}.")
