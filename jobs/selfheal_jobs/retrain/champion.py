"""The champion, the version that a retraining has to beat: found in the registry, loaded, made to predict.

Scores are fair to both sides as long as the champion has not learnt from the rows that are held out now.
Where windows of current data overlap it may have, and then it looks better than it is: an unnecessary
version is avoided rather than a worse one promoted.

Loading a model from the registry runs what its files say: cloudpickle and pickle are programs. Whoever
may write to the registry or to its artifacts may thus run code in this container, under the ServiceAccount
of the Job. Whoever serves the model trusts them as much; keep the registry as closed as the cluster.
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
    """A version and its metrics on the held-out rows, or why there are none."""

    version: str
    metrics: dict[str, float] | None
    problem: str = ""


def find_version(registry: ModelRegistry, name: str, champion: ModelVersion | None) -> Version | None:
    """Return the version that the status names, or else the newest of the registered model, or None.

    A version that the status names but somebody has deleted is no reason to fail.
    """
    named = registry.version(name, champion.version) if champion and champion.name == name else None
    return named or registry.newest_version(name)


def score_version(version: Version, held_out: HeldOut) -> Champion:
    """Score a registered version, whatever made it; where that fails, say why.

    Raises:
        MlflowException: MLflow could not be reached.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # other versions of libraries than it was made with
            metrics = score(_load(version), held_out)
    except Exception as error:
        if is_unreachable(error):
            raise
        logger.info("Version %s of the registry could not be scored: %s", version.version, one_line(error))
        return Champion(version=version.version, metrics=None, problem=one_line(error, 160))
    return Champion(version=version.version, metrics=metrics)


def _load(version: Version) -> Predictor:
    """Load as scikit-learn where that is possible: only there probabilities are to be had."""
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
    """Gives a model the columns that it was trained with, in their order, and nothing else."""

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
