"""The champion, the model version that a retraining has to beat: finds it in the registry, and asks it.

A champion that cannot be asked is never replaced: nobody knows what would be lost.

Loading a model from the registry executes code from its files, since cloudpickle and pickle do. Anyone with
write access to the registry or its artifacts can thus run code in this container, under the ServiceAccount of
the Job. Serving the model needs the same trust; restrict access to the registry as to the cluster.
"""

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException

from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.retrain.gates import PastScore
from selfheal_jobs.retrain.row_digests import LearntRows
from selfheal_jobs.retrain.scores import HeldOut, Predictor, ranking
from selfheal_jobs.tracking.library_client import is_unreachable
from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.present_version import present_version
from selfheal_jobs.transport.retry_policy import RetryPolicy
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.request import RunRequest

logger = logging.getLogger(__name__)

TAG_LEARNT_ROWS: Final = "selfheal.learntRows"
"""Address of the artifact with the digests of the rows that a version has learnt."""
TAG_TRAINED_UNTIL: Final = "selfheal.trainedUntilTime"
TAG_METRIC: Final = "selfheal.metric"
TAG_SCORE: Final = "selfheal.score"
TAG_BASELINE: Final = "selfheal.baseline"


@dataclass(frozen=True, kw_only=True)
class Champion:
    """A model version that has been loaded."""

    version: Version
    model: Predictor
    fitted: Any = None
    """The model as MLflow's scikit-learn flavor loads it; None if it has none."""
    names: tuple[str, ...] | None = None
    """The columns of its signature; None if it has no signature."""
    learnt: LearntRows | None = None
    """The rows that it has learnt; None if nobody has recorded them."""

    @property
    def name(self) -> str:
        """Return how messages call it."""
        return f"version {self.version.version}"

    def predict(self, held_out: HeldOut) -> tuple[Any, dict[str, float]]:
        """Return its predictions, and the metrics of its probabilities.

        Raises:
            DataError: It raises an error (ChampionNotScorable).
            MlflowException: MLflow could not be reached.
        """
        try:
            with warnings.catch_warnings(action="ignore"):  # about library versions other than at training
                return self.model.predict(held_out.rows), ranking(self.model, held_out)
        except Exception as error:
            if is_unreachable(error):
                raise
            raise not_scorable(self.version, one_line(error, 300)) from error

    def past(self) -> PastScore | None:
        """Return its score when it was registered; None if it was not registered by a retraining."""
        tags = self.version.tags
        try:
            return PastScore(
                metric=tags[TAG_METRIC], score=float(tags[TAG_SCORE]), baseline=float(tags[TAG_BASELINE])
            )
        except (KeyError, ValueError):
            return None


def find_version(registry: ModelRegistry, request: RunRequest) -> Version | None:
    """Return the version in the status; if there is none, the present one in the registry, or None.

    A version in the status that has been deleted from the registry is not an error.
    """
    name, target, champion = request.mlflow.registered_model_name, request.spec.target, request.champion
    named = registry.version(name, champion.version) if champion and champion.is_of(name, target) else None
    return named or present_version(registry, name, target)


def load(version: Version, retries: RetryPolicy) -> Champion:
    """Load a registered version of any origin; try again if its files cannot be fetched.

    Raises:
        DataError: It cannot be loaded (ChampionNotScorable).
        MlflowException: MLflow could not be reached.
    """
    try:
        champion = retries.call(lambda: _load(version), is_transient=_is_about_files)
    except Exception as error:
        if is_unreachable(error):
            raise
        raise not_scorable(version, one_line(error, 300)) from error
    return replace(champion, learnt=learnt_rows(version))


def not_scorable(version: Version, why: str) -> DataError:
    """Return the error for a champion that cannot be compared."""
    return DataError(
        Reason.CHAMPION_NOT_SCORABLE,
        f"Version {version.version} of {version.name} is present and cannot be scored ({why}), so nothing is "
        f"registered over it. Repair what it needs, delete the version from the registry, or request a "
        f"retraining with the option ignoreChampion.",
    )


def learnt_rows(version: Version) -> LearntRows | None:
    """Return the rows that a version has learnt; None if nobody has recorded them.

    Without them the champion may be examined on rows that it has learnt, which errs on the safe side.

    Raises:
        MlflowException: MLflow could not be reached.
    """
    address = version.tags.get(TAG_LEARNT_ROWS)
    if not address:
        return None
    try:
        return LearntRows.from_wire(json.loads(mlflow.artifacts.load_text(address)))
    except Exception as error:  # each artifact store's library has its own errors
        if is_unreachable(error):
            raise
        logger.info(
            "The rows that version %s has learnt cannot be read: %s", version.version, one_line(error)
        )
        return None


def _is_about_files(error: BaseException) -> bool:
    """Return whether the files of a model could not be fetched, which may be a matter of moments."""
    return isinstance(error, (MlflowException, OSError)) and not isinstance(error, ImportError)


def _load(version: Version) -> Champion:
    """Load with the scikit-learn flavor if the model has it: only this flavor offers probabilities."""
    uri = f"models:/{version.name}/{version.version}"
    with warnings.catch_warnings(action="ignore"):
        info = mlflow.models.get_model_info(uri)
        inputs = info.signature.inputs if info.signature else None
        names = inputs.input_names() if inputs is not None and inputs.has_input_names() else None
        if "sklearn" not in info.flavors:
            return Champion(version=version, model=mlflow.pyfunc.load_model(uri))
        fitted = mlflow.sklearn.load_model(uri)
        narrowed = _Narrowed(fitted, names) if names else fitted
        return Champion(version=version, model=narrowed, fitted=fitted, names=tuple(names) if names else None)


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


def promotion_tags(past: PastScore, until: str | None, learnt_rows_address: str | None) -> Mapping[str, str]:
    """Return what a later retraining has to know of a version."""
    tags = {TAG_METRIC: past.metric, TAG_SCORE: repr(past.score), TAG_BASELINE: repr(past.baseline)}
    if until:
        tags[TAG_TRAINED_UNTIL] = until
    return tags | ({TAG_LEARNT_ROWS: learnt_rows_address} if learnt_rows_address else {})
