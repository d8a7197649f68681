"""What the operator asks a check for, of a monitor that leaves all that it can to the defaults."""

from pathlib import Path
from typing import Any, Final

MONITOR: Final = {"namespace": "bench", "name": "check", "uid": "bench-check"}
NOWHERE: Final = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


def check_request(reference: Path, current: Path, *, mlflow: str = NOWHERE, **dataset: Any) -> dict[str, Any]:
    """Return the request as a document.

    Args:
        reference: The file or folder of one side. No column may be called label: that is the target.
        current: That of the other one.
        mlflow: Where the check is logged.
        dataset: More of spec.dataset, by wire names.
    """
    return {
        "purpose": "Check",
        "monitor": MONITOR | {"generation": 1},
        "jobName": "check-check-1",
        "slot": "2026-11-23T06:00:00Z",
        "spec": {
            "dataset": {"reference": {"uri": str(reference)}, "current": {"uri": str(current)}, **dataset},
            "target": "label",
            "threshold": 0.3,
            "intervalSeconds": 300,
        },
        "mlflow": {"trackingURI": mlflow, "experiment": "bench/check", "registeredModelName": "bench.check"},
    }
