"""Operators for tests: real processes, with the rights of the operator's own ServiceAccount."""

from pathlib import Path

from support.scrapes import Scrape
from testbed.operator_process import OperatorProcess
from testbed.workspace import Workspace


class Operator(OperatorProcess):
    """One operator process; its log is kept.

    Args:
        kubeconfig: Its way to the API server.
        folder: Where its log goes; the folder's name is that of its pod.
        pod_namespace: Where its pod would be, if it is one of several of which one leads.
        settings: Its settings, by their names.
    """

    def __init__(self, kubeconfig: Path, folder: Path, *, pod_namespace: str = "", **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        workspace = Workspace(folder)
        workspace.create()
        pod = {"POD_NAMESPACE": pod_namespace, "POD_NAME": folder.name}
        named = {f"SELFHEAL_{name.upper()}": value for name, value in settings.items()}
        super().__init__(workspace, kubeconfig, folder.name, {**pod, **named})

    def scrape(self) -> Scrape:
        """Return its metrics, as Prometheus would read them."""
        return Scrape(self.metrics())
