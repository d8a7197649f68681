"""The MLflow runs of one Job: starts them, and finds those of earlier pods of the Job."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from selfheal_jobs.tracking.rest_client import MLflowServer, Run, reach
from selfheal_jobs.tracking.run_tags import TAG_PURPOSE, run_tags, same_job
from selfheal_jobs.tracking.search_conditions import equals
from selfheal_jobs.transport.retry_policy import STANDARD, RetryPolicy
from selfheal_operator.api.request import RunRequest

_PARENT: Final = "mlflow.parentRunId"


class JobRuns(Struct, frozen=True):
    """An existing experiment, and the request whose runs are logged to it."""

    server: MLflowServer
    experiment_id: str
    request: RunRequest

    @classmethod
    def connect(cls, request: RunRequest, first: RetryPolicy) -> "JobRuns":
        """Find or create the experiment.

        Args:
            request: Names the tracking server, the experiment and the Job.
            first: Retry policy until the server has answered once.

        Raises:
            TrackingError: MLflow could not be reached, or rejected a request.
        """
        uri = request.mlflow.tracking_uri
        experiment_id = reach(uri, first).experiment_id(request.mlflow.experiment)
        return cls(reach(uri, STANDARD), experiment_id, request)

    def earlier(self) -> list[Run]:
        """Return the runs of earlier attempts of the same Job, newest first."""
        return self.server.search_runs(self.experiment_id, same_job(self.request))

    def mark_killed(self, run: Run) -> None:
        """End a run whose process has died, and its child runs, as KILLED."""
        children = self.server.search_runs(self.experiment_id, equals(f"tags.`{_PARENT}`", run.run_id))
        for each in [*children, run]:
            if each.status == "RUNNING":
                self.server.end_run(each, "KILLED")

    def start(self) -> Run:
        """Start the Job's run."""
        return self._start(self.request.job_name, {})

    def start_child(self, parent: Run, name: str) -> Run:
        """Start a child run, which MLflow shows nested under its parent."""
        return self._start(name, {TAG_PURPOSE: "Candidate", _PARENT: parent.run_id})

    def _start(self, name: str, tags: Mapping[str, str]) -> Run:
        return self.server.create_run(self.experiment_id, name, {**run_tags(self.request), **tags})
