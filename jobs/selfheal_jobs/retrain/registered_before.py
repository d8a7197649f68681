"""Recognises the rows from which this monitor has registered a version already.

Where the alias `champion` stays on an older version, each retraining would register the same again.
"""

from typing import Final

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.prepared_rows import PreparedRows
from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.run_tags import TAG_GENERATION, TAG_MONITOR_UID, run_tags
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.request import RunRequest

TAG_ROWS: Final = "selfheal.rowsDigest"
"""Tag of a version: a digest of the rows of its retraining, those that were held out among them."""


def require_other_rows(
    registry: ModelRegistry, request: RunRequest, rows: PreparedRows, present: Version
) -> None:
    """Raise DataError (TooFewNewRows) if another version was registered from these rows, by the same spec.

    Rows that the present version itself has learnt are not held out; that is seen to elsewhere.

    Raises:
        TrackingError: MLflow could not be reached, or rejected a request.
    """
    own = {tag: run_tags(request)[tag] for tag in (TAG_MONITOR_UID, TAG_GENERATION)}
    name = request.mlflow.registered_model_name
    for version in registry.versions_with_tags(name, own | {TAG_ROWS: rows.digest}):
        if version.version == present.version:
            continue
        raise DataError(
            Reason.TOO_FEW_NEW_ROWS,
            f"Version {version.version} has been registered from the same rows, and another version is the "
            f"present one. Nothing was trained. Set the alias champion to version {version.version} if it is "
            f"to be the present one, or request a retraining with the option force.",
        )
