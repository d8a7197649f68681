"""The operator's check request for a monitor with default settings."""

from pathlib import Path
from typing import Any, Final

MONITOR: Final = {"namespace": "bench", "name": "check", "uid": "bench-check"}
NOWHERE: Final = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


def check_request(reference: Path, current: Path, *, mlflow: str = NOWHERE, **dataset: Any) -> dict[str, Any]:
    """Return the request as a document.

    Args:
        reference: The reference file or folder. No column may be called label: that is the target.
        current: The current file or folder.
        mlflow: The MLflow server's URL.
        dataset: Further fields of spec.dataset, by their JSON names.
    """
    return {
        "purpose": "Check",
        "monitor": MONITOR | {"generation": 1},
        "jobName": "check-check-1",
        "slot": "2026-11-23T06:00:00Z",
        "spec": {
            "dataset": {"reference": {"uri": str(reference)}, "current": {"uri": str(current)}, **dataset},
            "target": "label",
            "retraining": {"mode": "Disabled"},  # which needs no target in the data
            "threshold": 0.3,
            "intervalSeconds": 300,
        },
        "mlflow": {"trackingURI": mlflow, "experiment": "bench/check", "registeredModelName": "bench.check"},
    }
