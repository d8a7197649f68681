"""What a retraining asks of MLflow's client everywhere: the experiment, and runs that are found again.

A check does without this client: see `mlflow_server`.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.tracking.run_tags import TAG_PURPOSE, run_tags, same_job
from selfheal_jobs.transport.retry_policy import STANDARD, RetryPolicy
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

MAX_KEY: Final = 250
"""MLflow's limit for the names of metrics, params and tags."""


def apply(endurance: RetryPolicy) -> None:
    """Set it for this process: MLflow reads its environment at every request."""
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(endurance.timeout_seconds)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = str(endurance.retries)
    os.environ["MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"] = "1"


@contextmanager
def mlflow_errors(tracking_uri: str) -> Iterator[None]:
    """Turn MLflow's errors into a TrackingError that names the server."""
    try:
        yield
    except (MlflowException, requests.RequestException) as error:
        server = without_secrets(tracking_uri)
        if is_unreachable(error):
            logger.info("MLflow does not answer: %s", one_line(error))
            raise TrackingError(f"MLflow at {server} could not be reached.") from error
        raise TrackingError(f"MLflow at {server} refused ({one_line(error)}).") from error


def is_unreachable(error: BaseException) -> bool:
    """Return whether an error is the server's absence, not its answer: MLflow has no type for it."""
    return isinstance(error, requests.RequestException) or (
        isinstance(error, MlflowException) and "API request to" in str(error)
    )


@dataclass(frozen=True)
class Tracking:
    """An experiment that has been found or made, and the request whose runs go there."""

    client: MlflowClient
    experiment_id: str
    request: RunRequest

    def earlier_runs(self) -> list[Run]:
        """Return the runs that other attempts of the same Job have left, newest first."""
        return list(self.client.search_runs([self.experiment_id], same_job(self.request)))

    def mark_killed(self, run: Run) -> None:
        """End a run, and those under it, whose process has died."""
        parent = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
        for each in [*self.client.search_runs([self.experiment_id], parent), run]:
            if each.info.status == "RUNNING":
                self.client.set_terminated(each.info.run_id, status="KILLED")

    def start_run(self) -> Run:
        """Start the Job's run."""
        return self.client.create_run(
            self.experiment_id, tags=run_tags(self.request), run_name=self.request.job_name
        )

    def start_child_run(self, parent: Run, name: str) -> Run:
        """Start a run below another one, which MLflow shows nested."""
        tags = run_tags(self.request) | {TAG_PURPOSE: "Candidate", "mlflow.parentRunId": parent.info.run_id}
        return self.client.create_run(self.experiment_id, tags=tags, run_name=name)

    def log(
        self,
        run: Run,
        *,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log many values by as few requests as MLflow allows."""
        now = int(time.time() * 1000)
        self.client.log_batch(
            run.info.run_id,
            metrics=[Metric(key, value, now, 0) for key, value in (metrics or {}).items()],
            params=[Param(key, value) for key, value in (params or {}).items()],
            tags=[RunTag(key, value) for key, value in (tags or {}).items()],
        )


def connect(request: RunRequest, endurance: RetryPolicy) -> Tracking:
    """Find or make the experiment.

    Raises:
        TrackingError: MLflow could not be reached for as long as `endurance` allows, or refuses.
    """
    target = request.mlflow
    mlflow.set_tracking_uri(
        target.tracking_uri
    )  # models are logged and loaded by functions that take no address
    with mlflow_errors(target.tracking_uri):
        client = MlflowClient(target.tracking_uri)
        apply(endurance)
        experiment_id = _experiment_id(client, target.experiment)
        apply(STANDARD)
        # Else MLFLOW_EXPERIMENT_NAME in podTemplate.env would contradict the runs that we start by their ids.
        mlflow.set_experiment(experiment_id=experiment_id)
    return Tracking(client, experiment_id, request)


def _experiment_id(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)  # another monitor's Job was faster
    if found is None or found.lifecycle_stage == "deleted":
        raise TrackingError(
            f"MLflow's experiment {name!r} is deleted. Restore it, or set spec.mlflow.experiment to another."
        )
    return str(found.experiment_id)
