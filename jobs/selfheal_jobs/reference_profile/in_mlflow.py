"""Stores a profile in MLflow: as an artifact of the check's run, with its address in an experiment tag.

With a tag of the experiment instead of the run, two requests suffice: one for the experiment with its tags
and one for the artifact. If the tracking server does not proxy artifacts, no profile is stored: MLflow's own
client supports every artifact store, but takes two seconds to import.
"""

import json
import logging
from typing import Final

from msgspec import Struct

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.tracking.rest_client import MLflowServer, reach
from selfheal_jobs.tracking.run_tags import same_job
from selfheal_jobs.transport.retry_policy import RetryPolicy
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

_ARTIFACT: Final = "reference_profile.json"
_LOOKING: Final = RetryPolicy(timeout_seconds=2, retries=0)
"""Waiting any longer for a server that does not respond would take more time than reading the reference."""


class InMLflow(Struct, frozen=True):
    """The place of one profile in MLflow."""

    request: RunRequest
    tag: str

    @classmethod
    def of(cls, request: RunRequest, key: str) -> "InMLflow":
        """Return the place in the monitor's experiment for a request, which the key identifies."""
        return cls(request, f"selfheal.referenceProfile.{key[:16]}")

    def read(self) -> bytes | None:
        """Return the document; None if it does not exist or MLflow does not return it."""
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
        """Log the document as an artifact of this check's run, and set the experiment's tag to its address.

        Raises:
            TrackingError: MLflow cannot be reached, or rejects a request.
        """
        server = self._server
        experiment = server.find_experiment(self.request.mlflow.experiment)
        runs = server.search_runs(experiment.experiment_id, same_job(self.request)) if experiment else []
        if experiment is None or not runs:
            raise TrackingError("this check has no run in MLflow to put it beside")
        # As a JSON string, since artifacts are read as JSON. The tag is set last, after the complete upload.
        place = server.log_json(runs[0], _ARTIFACT, json.dumps(document.decode()))
        server.tag_experiment(experiment.experiment_id, self.tag, place)

    @property
    def _server(self) -> MLflowServer:
        return reach(self.request.mlflow.tracking_uri, _LOOKING)
