"""Where the demo plays: a cluster with the operator in it, an MLflow server, and the data."""

from collections.abc import Callable
from dataclasses import dataclass

from testbed.kubectl import Kubectl


@dataclass(frozen=True)
class Place:
    """What the play needs to know of its stage, wherever that is."""

    kubectl: Kubectl
    tracking_uri: str
    """The MLflow server as we reach it."""
    tracking_uri_in_pods: str
    """The MLflow server as the pods reach it."""
    data_in_pods: str
    """The folder or URL above all tables, as the pods reach it."""
    check: Callable[[], None]
    """Raises `ProgramFailedError` when something that must run does not run any more."""
