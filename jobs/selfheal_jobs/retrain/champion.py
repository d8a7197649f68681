"""The champion, the model version that a retraining has to beat: finds it in the registry and scores it.

The comparison is unbiased if the champion was not trained on the held-out rows. With overlapping windows of
current data it may have been, and then its scores are too high. This errs on the safe side: an unnecessary
version is avoided rather than a worse one promoted.

Loading a model from the registry executes code from its files, since cloudpickle and pickle do. Anyone with
write access to the registry or its artifacts can thus run code in this container, under the ServiceAccount of
the Job. Serving the model needs the same trust; restrict access to the registry as to the cluster.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

import mlflow
import pandas as pd

from selfheal_jobs.redaction import one_line
from selfheal_jobs.retrain.scores import HeldOut, Predictor, score
from selfheal_jobs.tracking.library_client import is_unreachable
from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_operator.api.v1alpha1.status import ModelVersion

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Champion:
    """A model version and its metrics on the held-out set, or why there are none."""

    version: str
    metrics: dict[str, float] | None
    problem: str = ""


def find_version(registry: ModelRegistry, name: str, champion: ModelVersion | None) -> Version | None:
    """Return the version in the status; if there is none, the newest of the registered model, or None.

    A version in the status that has been deleted from the registry is not an error.
    """
    named = registry.version(name, champion.version) if champion and champion.name == name else None
    return named or registry.newest_version(name)


def score_version(version: Version, held_out: HeldOut) -> Champion:
    """Score a registered version of any origin; if that fails, return the reason.

    Raises:
        MlflowException: MLflow could not be reached.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # about library versions other than at training
            metrics = score(_load(version), held_out)
    except Exception as error:
        if is_unreachable(error):
            raise
        logger.info("Version %s of the registry could not be scored: %s", version.version, one_line(error))
        return Champion(version=version.version, metrics=None, problem=one_line(error, 160))
    return Champion(version=version.version, metrics=metrics)


def _load(version: Version) -> Predictor:
    """Load with the scikit-learn flavor if the model has it: only this flavor offers probabilities."""
    uri = f"models:/{version.name}/{version.version}"
    info = mlflow.models.get_model_info(uri)
    inputs = info.signature.inputs if info.signature else None
    names = inputs.input_names() if inputs is not None and inputs.has_input_names() else None
    if "sklearn" not in info.flavors:
        model: Predictor = mlflow.pyfunc.load_model(uri)
        return model
    fitted = mlflow.sklearn.load_model(uri)
    return _Narrowed(fitted, names) if names else fitted


class _Narrowed:
    """Passes to a model only the columns that it was trained with, in their order."""

    def __init__(self, model: Any, names: list[str]) -> None:
        self._model = model
        self._names = names

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._model, name)
        if name not in ("predict", "predict_proba", "decision_function"):
            return value
        return lambda rows: value(self._columns(rows))

    def predict(self, rows: pd.DataFrame) -> Any:
        """Return one prediction per row."""
        return self._model.predict(self._columns(rows))

    def _columns(self, rows: pd.DataFrame) -> pd.DataFrame:
        for name in self._names:
            if name not in rows.columns:
                raise LookupError(f"it needs the column {name!r}, which the data lacks")
        return rows[self._names]
