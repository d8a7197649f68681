"""Where to look when the story is over: MLflow, the drift reports, and the cluster itself."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from demo.expectations import Outcome
from demo.place import Place
from demo.registry import Registry
from demo.summary import aligned


def fetch_reports(registry: Registry, outcomes: Iterable[Outcome], folder: Path) -> None:
    """Copy each monitor's newest drift report into `folder`, named after the monitor."""
    for outcome in outcomes:
        check = outcome.status.last_check
        if check and check.report_uri:
            registry.download(check.report_uri, folder / f"{outcome.scenario.name}.html")


def addresses(place: Place, registry: Registry, outcomes: Iterable[Outcome], reports: str) -> str:
    """Return a block of text; `reports` is the URL under which the fetched reports are served."""
    kubectl = place.kubectl
    rows = [
        ("MLflow", place.tracking_uri),
        *(row for outcome in outcomes for row in _of_monitor(registry, outcome, reports)),
        ("kubectl", f"export KUBECONFIG={kubectl.kubeconfig}"),
        ("", f"{kubectl.program} --namespace {kubectl.namespace} describe mmon"),
    ]
    return aligned(rows)


def _of_monitor(registry: Registry, outcome: Outcome, reports: str) -> Iterator[tuple[str, str]]:
    name, status = outcome.scenario.name, outcome.status
    if status.last_check and status.last_check.report_uri:
        yield f"drift report of {name}", f"{reports}/{name}.html"
    if status.last_retraining and status.last_retraining.run_id:
        yield f"retraining of {name}", registry.run_page(status.last_retraining.run_id)
