"""The runs of one Job in its experiment: found again after a pod has died, and started."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from selfheal_jobs.tracking.rest_client import MLflowServer, Run, reach
from selfheal_jobs.tracking.run_tags import TAG_PURPOSE, run_tags, same_job
from selfheal_jobs.transport.retry_policy import STANDARD, RetryPolicy
from selfheal_operator.api.request import RunRequest

_PARENT: Final = "mlflow.parentRunId"


@dataclass(frozen=True, slots=True)
class JobRuns:
    """An experiment that has been found or made, and the request whose runs go there."""

    server: MLflowServer
    experiment_id: str
    request: RunRequest

    @classmethod
    def connect(cls, request: RunRequest, first: RetryPolicy) -> "JobRuns":
        """Find or make the experiment.

        Args:
            request: Where to, and whose runs.
            first: How long a server is tried that has not answered yet.

        Raises:
            TrackingError: MLflow could not be reached, or refuses.
        """
        uri = request.mlflow.tracking_uri
        experiment_id = reach(uri, first).experiment_id(request.mlflow.experiment)
        return cls(reach(uri, STANDARD), experiment_id, request)

    def earlier(self) -> list[Run]:
        """Return the runs that other attempts of the same Job have left, newest first."""
        return self.server.search_runs(self.experiment_id, same_job(self.request))

    def mark_killed(self, run: Run) -> None:
        """End a run, and those under it, whose process has died."""
        children = self.server.search_runs(self.experiment_id, f"tags.`{_PARENT}` = '{run.run_id}'")
        for each in [*children, run]:
            if each.status == "RUNNING":
                self.server.end_run(each, "KILLED")

    def start(self) -> Run:
        """Start the Job's run."""
        return self._start(self.request.job_name, {})

    def start_child(self, parent: Run, name: str) -> Run:
        """Start a run below another one, which MLflow shows nested."""
        return self._start(name, {TAG_PURPOSE: "Candidate", _PARENT: parent.run_id})

    def _start(self, name: str, tags: Mapping[str, str]) -> Run:
        return self.server.create_run(self.experiment_id, name, {**run_tags(self.request), **tags})
