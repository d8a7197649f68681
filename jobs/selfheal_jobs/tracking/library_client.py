"""MLflow's own library, for what only it can do: log a fitted model, and load one."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
import requests
from mlflow.exceptions import MlflowException

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.transport.retry_policy import RetryPolicy

logger = logging.getLogger(__name__)


def configure_library(tracking_uri: str, experiment_id: str, retries: RetryPolicy) -> None:
    """Set what MLflow's functions take from their process: where to, and how long a server is tried.

    Raises:
        MlflowException: MLflow could not be reached, or refuses.
    """
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(retries.timeout_seconds)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = str(retries.retries)
    os.environ["MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"] = "1"
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(
        tracking_uri
    )  # else MLFLOW_REGISTRY_URI would load from where nothing is registered
    # Else MLFLOW_EXPERIMENT_NAME in podTemplate.env would contradict the runs that we start by their ids.
    mlflow.set_experiment(experiment_id=experiment_id)


@contextmanager
def library_errors(tracking_uri: str) -> Iterator[None]:
    """Turn the library's errors into a TrackingError that names the server."""
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
