"""A monitor that no operator watches: who runs its checks and retrainings makes their requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.request import MonitorRef, RunRequest, TrackingTarget
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

SLOT: Final = datetime(2026, 11, 23, 6, tzinfo=UTC)
"""Of every run."""
NOBODY: Final = {"mode": "None"}


@dataclass(frozen=True, kw_only=True)
class UnwatchedMonitor:
    """A monitor, and where its runs are logged."""

    ref: MonitorRef
    model: str
    """The name of the experiment and of the registered model."""
    mlflow_uri: str

    def request(
        self, purpose: Purpose, spec: Mapping[str, Any], *, job_name: str, task: Task | None = None
    ) -> RunRequest:
        """Return the request of one run.

        Args:
            purpose: A check or a retraining.
            spec: The spec, as in a manifest. Nobody promotes its versions, unless it says who.
            job_name: A retraining with the name of an earlier one reports the decision of that one.
            task: The task that an earlier check has inferred.
        """
        return RunRequest(
            purpose=purpose,
            monitor=self.ref,
            job_name=job_name,
            slot=SLOT,
            spec=ModelMonitorSpec.from_wire({**spec, "promotion": NOBODY | spec.get("promotion", {})}),
            task=task,
            mlflow=TrackingTarget(
                tracking_uri=self.mlflow_uri, experiment=self.model, registered_model_name=self.model
            ),
        )
