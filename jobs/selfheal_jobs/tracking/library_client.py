"""Uses MLflow's own library only to log and load fitted models, which its REST API cannot do."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
import requests
from mlflow.exceptions import MlflowException, RestException

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.transport.retry_policy import RetryPolicy

logger = logging.getLogger(__name__)


def configure_library(tracking_uri: str, experiment_id: str, retries: RetryPolicy) -> None:
    """Set the process-wide configuration of MLflow's functions: servers, experiment, timeout and retries.

    Raises:
        MlflowException: MLflow could not be reached, or rejected a request.
    """
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(retries.timeout_seconds)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = str(retries.retries)
    os.environ["MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"] = "1"
    # Our own client does not follow redirects either: they would lead past the check of the address.
    os.environ["MLFLOW_ALLOW_HTTP_REDIRECTS"] = "false"
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(
        tracking_uri
    )  # otherwise MLFLOW_REGISTRY_URI could name a registry without our models
    # Otherwise MLFLOW_EXPERIMENT_NAME in podTemplate.env would conflict with the runs that we start by id.
    mlflow.set_experiment(experiment_id=experiment_id)


@contextmanager
def library_errors(tracking_uri: str) -> Iterator[None]:
    """Convert the library's errors into a TrackingError that names the server."""
    try:
        yield
    except (MlflowException, requests.RequestException) as error:
        server = without_secrets(tracking_uri)
        if is_unreachable(error):
            logger.info("MLflow does not answer: %s", _without_answer(error))
            raise TrackingError(f"MLflow at {server} could not be reached.") from error
        raise TrackingError(f"MLflow at {server} refused ({_without_answer(error)}).") from error


def _without_answer(error: MlflowException | requests.RequestException) -> str:
    """Return an error as one line without the body of the server's answer, which may be any server's."""
    if isinstance(error, RestException):
        return f"{type(error).__name__}: {error.error_code}"
    return one_line(Exception(str(error).partition("Response body")[0]))


def is_unreachable(error: BaseException) -> bool:
    """Return whether an error means that the server sent no response; MLflow has no type for this."""
    return isinstance(error, requests.RequestException) or (
        isinstance(error, MlflowException) and "API request to" in str(error)
    )
