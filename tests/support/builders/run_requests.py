"""Requests for containers, with sane defaults: a test names only what it is about."""

from datetime import datetime
from pathlib import Path
from typing import Any

from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.request import MonitorRef, RunRequest, TrackingTarget
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""


def run_request(
    purpose: Purpose = Purpose.CHECK,
    *,
    reference: str | Path = "/data/reference.csv",
    current: str | Path = "/data/current.csv",
    job_name: str = "churn-check-1",
    slot: str = "2026-11-23T06:00:00Z",
    task: Task | None = None,
    monitor: dict[str, Any] | None = None,
    mlflow: dict[str, Any] | None = None,
    **spec: Any,
) -> RunRequest:
    """Return a request; what is not known by name goes into the spec, by its wire name.

    Nobody promotes its versions, unless spec.promotion says who.
    """
    spec["promotion"] = {"mode": "None"} | spec.get("promotion", {})
    dataset = {"reference": {"uri": str(reference)}, "current": {"uri": str(current)}, "minRows": 1}
    return RunRequest(
        purpose=purpose,
        monitor=MonitorRef.from_wire(
            {"namespace": "team-a", "name": "churn", "uid": "uid-1", "generation": 3} | (monitor or {})
        ),
        job_name=job_name,
        slot=datetime.fromisoformat(slot),
        spec=ModelMonitorSpec.from_wire(
            {"dataset": dataset, "target": "label", "threshold": 0.3, "intervalSeconds": 60} | spec
        ),
        task=task,
        task_target=spec.get("target", "label") if task else None,
        mlflow=TrackingTarget.from_wire(
            {"trackingURI": NOWHERE, "experiment": "team-a/churn", "registeredModelName": "team-a.churn"}
            | (mlflow or {})
        ),
    )
