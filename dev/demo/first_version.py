"""Trains version 1 of each model, by hand: with the product's own retraining code and no cluster at all.

All that a run needs is in one document, so a run can be repeated by whoever has the document.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from demo.monitors import NAMESPACE
from selfheal_operator.api.names import ENV_REQUEST, ENV_TERMINATION_MESSAGE_PATH
from selfheal_operator.api.reasons import Purpose, RetrainResult
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import MonitorRef, RunRequest, TrackingTarget
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import LastRetraining
from testbed.program import Program
from testbed.workspace import Workspace

TRAINING_SECONDS: Final = 600
"""Half a minute on two idle cores."""


class FirstVersion:
    """The training of one model on its reference data.

    Args:
        monitor: The ModelMonitor; its URIs must be readable from here.
        folder: For the log and the report.
    """

    def __init__(self, monitor: Mapping[str, Any], folder: Workspace) -> None:
        self._request = by_hand(monitor, now=datetime.now(UTC))
        self._report = folder.root / "reports" / f"{self._request.job_name}.json"
        self.program = Program(f"training of {self._request.monitor.name} by hand", folder)

    def start(self) -> None:
        """Begin; `outcome` waits for the end."""
        settings = {
            ENV_REQUEST: self._request.to_json(),
            ENV_TERMINATION_MESSAGE_PATH: str(self._report),
            # Without a KUBECONFIG the program knows of no cluster, and cannot report to one by accident.
            "KUBECONFIG": "",
        }
        self.program.start([sys.executable, "-m", "selfheal_jobs", Purpose.RETRAIN.lower()], settings)

    def outcome(self) -> LastRetraining:
        """Return the report once it is there.

        Raises:
            ProgramFailedError: if nothing was registered.
        """
        self.program.wait_for_end(timeout_seconds=TRAINING_SECONDS)
        report = self._read_report()
        if report is None or report.last_retraining.result is not RetrainResult.REGISTERED:
            message = report.last_retraining.message if report else "it left no report"
            raise self.program.failed(f"registered nothing: {message}")
        return report.last_retraining

    def _read_report(self) -> RetrainReport | None:
        if not self._report.exists():
            return None
        return RetrainReport.from_termination_message(self._report.read_text())


def by_hand(monitor: Mapping[str, Any], *, now: datetime) -> RunRequest:
    """Return the request: the monitor's own spec, but trained on the reference, and whatever comes of it.

    The synthetic data has nothing to learn, and a version 1 is wanted all the same.
    """
    metadata, spec = monitor["metadata"], monitor["spec"]
    on_reference = {
        **spec,
        "retraining": {**spec.get("retraining", {}), "trainingData": "Reference"},
        "promotion": {"baseline": "Ignore", "mode": "None"},
    }
    return RunRequest(
        purpose=Purpose.RETRAIN,
        monitor=MonitorRef(namespace=NAMESPACE, name=metadata["name"], uid="by-hand", generation=0),
        job_name=f"{metadata['name']}-by-hand",
        slot=now,
        spec=ModelMonitorSpec.from_wire(on_reference),
        mlflow=TrackingTarget(
            tracking_uri=spec["mlflow"]["trackingURI"],
            experiment=f"{NAMESPACE}/{metadata['name']}",
            registered_model_name=spec["mlflow"]["registeredModelName"],
        ),
    )
