"""Trains version 1 of each model, by hand: with the product's own retraining code and no cluster at all.

All that a run needs is in one document, so a run can be repeated by whoever has the document.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from demo.errors import PieceFailedError
from demo.folders import DemoFolder
from demo.monitors import NAMESPACE
from selfheal_operator.api.names import ENV_REQUEST, ENV_TERMINATION_MESSAGE_PATH
from selfheal_operator.api.reasons import Purpose, RetrainResult
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import MonitorRef, RunRequest, TrackingTarget
from selfheal_operator.api.v1alpha1 import LastRetraining, ModelMonitorSpec

TRAINING_SECONDS: Final = 600
"""Half a minute on two idle cores."""


def train_first_version(monitor: Mapping[str, Any], folder: DemoFolder) -> LastRetraining:
    """Train on the reference data of `monitor`, and register the best candidate.

    The monitor's URIs must be readable from here.

    Raises:
        PieceFailedError: if nothing was registered.
    """
    request = by_hand(monitor, now=datetime.now(UTC))
    name = request.job_name
    report = folder.root / f"{name}.json"
    _run(request, report, folder.log(name))
    outcome = RetrainReport.from_termination_message(report.read_text()) if report.exists() else None
    if outcome is None or outcome.last_retraining.result is not RetrainResult.REGISTERED:
        message = outcome.last_retraining.message if outcome else "it left no report"
        raise PieceFailedError.with_log(
            f"version 1 of {request.monitor.name} was not trained: {message}", folder.log(name)
        )
    return outcome.last_retraining


def by_hand(monitor: Mapping[str, Any], *, now: datetime) -> RunRequest:
    """Return the request: the monitor's own spec, but trained on the reference."""
    metadata, spec = monitor["metadata"], monitor["spec"]
    on_reference = {**spec, "retraining": {**spec.get("retraining", {}), "trainingData": "Reference"}}
    return RunRequest(
        purpose=Purpose.RETRAIN,
        monitor=MonitorRef(namespace=NAMESPACE, name=metadata["name"], uid="by-hand", generation=0),
        job_name=f"{metadata['name']}-by-hand",
        slot=now,
        spec=ModelMonitorSpec.model_validate(on_reference),
        mlflow=TrackingTarget(
            tracking_uri=spec["mlflow"]["trackingURI"],
            experiment=f"{NAMESPACE}/{metadata['name']}",
            registered_model_name=spec["mlflow"]["registeredModelName"],
        ),
    )


def _run(request: RunRequest, report: Path, log: Path) -> None:
    # Without a KUBECONFIG the program knows of no cluster, and cannot report to one by accident.
    inherited = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    environment = inherited | {
        ENV_REQUEST: request.model_dump_json(by_alias=True, exclude_none=True),
        ENV_TERMINATION_MESSAGE_PATH: str(report),
    }
    command = [sys.executable, "-m", "selfheal_jobs", Purpose.RETRAIN.lower()]
    with log.open("wb") as output:
        try:
            subprocess.run(
                command, env=environment, stdout=output, stderr=output, timeout=TRAINING_SECONDS, check=True
            )
        except subprocess.TimeoutExpired:
            sentence = f"training {request.monitor.name} by hand took longer than {TRAINING_SECONDS} s"
            raise PieceFailedError.with_log(sentence, log) from None
        except subprocess.CalledProcessError as error:
            sentence = f"training {request.monitor.name} by hand ended with exit code {error.returncode}"
            raise PieceFailedError.with_log(sentence, log) from None
