"""A profile in MLflow: an artifact of the run of the check that made it, found by a tag of the experiment.

A tag of the experiment, not of the run: it comes with the one request that asks for the experiment, and the
artifact with a second one. A run whose artifacts MLflow's server does not hand out itself gets no profile:
MLflow's own client would know every store, but takes two seconds to import.
"""

import json
import logging
from dataclasses import dataclass
from typing import Final

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.tracking.rest_client import MLflowServer, reach
from selfheal_jobs.tracking.run_tags import same_job
from selfheal_jobs.transport.retry_policy import RetryPolicy
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

_ARTIFACT: Final = "reference_profile.json"
_LOOKING: Final = RetryPolicy(timeout_seconds=2, retries=0)
"""Reading the reference takes no longer than waiting for a server that does not answer."""


@dataclass(frozen=True, slots=True)
class InMLflow:
    """Where one profile is."""

    request: RunRequest
    tag: str

    @classmethod
    def of(cls, request: RunRequest, key: str) -> "InMLflow":
        """Return the place in the monitor's experiment for what is asked of the reference, told by a key."""
        return cls(request, f"selfheal.referenceProfile.{key[:16]}")

    def read(self) -> bytes | None:
        """Return the document; None if there is none, or MLflow does not give it."""
        try:
            experiment = self._server.find_experiment(self.request.mlflow.experiment)
            if experiment is None or self.tag not in experiment.tags:
                return None
            found = self._server.artifact(experiment.tags[self.tag])
        except TrackingError as error:
            logger.info("The reference's profile cannot be read: %s", error)
            return None
        return found.encode() if isinstance(found, str) else b""

    def write(self, document: bytes) -> None:
        """Put the document beside the numbers of this check, and let the experiment point to it.

        Raises:
            TrackingError: MLflow cannot be reached, or refuses.
        """
        server = self._server
        experiment = server.find_experiment(self.request.mlflow.experiment)
        runs = server.search_runs(experiment.experiment_id, same_job(self.request)) if experiment else []
        if experiment is None or not runs:
            raise TrackingError("this check has no run in MLflow to put it beside")
        # As a JSON text: what the server hands out is read as JSON. The tag comes last: it points to no half.
        place = server.log_json(runs[0], _ARTIFACT, json.dumps(document.decode()))
        server.tag_experiment(experiment.experiment_id, self.tag, place)

    @property
    def _server(self) -> MLflowServer:
        return reach(self.request.mlflow.tracking_uri, _LOOKING)
