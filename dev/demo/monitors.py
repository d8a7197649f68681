"""Manifests of the demo's monitors."""

from typing import Any, Final

from demo.datasets.tables import CURRENT, REFERENCE
from demo.scenarios import THRESHOLD, Scenario
from selfheal_operator.api.names import API_VERSION, KIND

NAMESPACE: Final = "selfheal-demo"
INTERVAL_SECONDS: Final = 60
"""The shortest interval that the API accepts, to keep the demo short."""


def model_name(scenario: Scenario) -> str:
    """Return the name of the registered model, which has to begin with the namespace."""
    return f"{NAMESPACE}.{scenario.name}"


def monitor(scenario: Scenario, *, data: str, tracking_uri: str) -> dict[str, Any]:
    """Return the ModelMonitor.

    Args:
        scenario: What to watch.
        data: Where its tables are as its pods see it, a path or a URL.
        tracking_uri: The MLflow server as its pods see it.
    """
    spec: dict[str, Any] = {
        "dataset": {
            "reference": {"uri": f"{data}/{scenario.name}/{REFERENCE}"},
            "current": {"uri": f"{data}/{scenario.name}/{CURRENT}"},
        },
        "target": scenario.target,
        "threshold": THRESHOLD,
        "intervalSeconds": INTERVAL_SECONDS,
        "mlflow": {"trackingURI": tracking_uri, "registeredModelName": model_name(scenario)},
    }
    if scenario.retraining:
        spec["retraining"] = dict(scenario.retraining)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": scenario.name, "namespace": NAMESPACE},
        "spec": spec,
    }
