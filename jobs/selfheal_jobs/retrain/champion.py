"""The champion, the model version that a retraining has to beat: finds it in the registry, and asks it.

A champion that cannot be asked is never replaced: nobody knows what would be lost.

Loading a model executes code from its files, since cloudpickle and pickle do, and others may have written
them. So it is loaded in a confined process (`isolation`), and only if its files have the recorded digest.
"""

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow.exceptions import MlflowException
from msgspec import Struct

from selfheal_jobs.errors import DataError
from selfheal_jobs.isolation.file_digest import digest_of_files
from selfheal_jobs.isolation.isolated_model import IsolatedModel, ModelError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_jobs.retrain.artifact_address import artifacts_at, require_own
from selfheal_jobs.retrain.gates import PastScore
from selfheal_jobs.retrain.learnt_rows import LearntRows
from selfheal_jobs.retrain.scores import HeldOut, Predictor, ranking
from selfheal_jobs.tracking.library_client import is_unreachable
from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.present_version import Present, newest_present, present_by_alias, shown_as_known
from selfheal_jobs.transport.retry_policy import RetryPolicy
from selfheal_operator.api.reasons import Origin, Reason
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import ModelVersion

logger = logging.getLogger(__name__)

TAG_LEARNT_ROWS: Final = "selfheal.learntRows"
"""Address of the artifact with the digests of the rows that a version has learnt."""
TAG_TRAINED_UNTIL: Final = "selfheal.trainedUntilTime"
TAG_METRIC: Final = "selfheal.metric"
TAG_SCORE: Final = "selfheal.score"
TAG_BASELINE: Final = "selfheal.baseline"


class Champion(Struct, frozen=True, kw_only=True):
    """A model version that has been loaded."""

    version: Version
    model: Predictor
    recorded: ModelVersion | None = None
    """What the status is to record: the digest of its files, the only ones to be loaded from now on."""
    fitted: Any = None
    """The model itself, for a candidate made of it: only if a retraining of this monitor has made it."""
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
            raise not_scorable(self.version, _why(error)) from error

    def past(self) -> PastScore | None:
        """Return its score when it was registered; None if it was not registered by a retraining."""
        tags = self.version.tags
        try:
            return PastScore(
                metric=tags[TAG_METRIC], score=float(tags[TAG_SCORE]), baseline=float(tags[TAG_BASELINE])
            )
        except (KeyError, ValueError):
            return None


def find_version(registry: ModelRegistry, request: RunRequest, aliased: Version | None) -> Present | None:
    """Return the version in the status; if there is none, the present one in the registry, or None.

    Where promotions move the alias, the one with the alias goes first: the status may not know of it yet. A
    version in the status that has been deleted from the registry is not an error.

    Args:
        registry: The registry.
        request: The retraining's.
        aliased: The version that the alias is on.
    """
    name, target, champion = request.mlflow.registered_model_name, request.spec.target, request.champion
    by_alias = present_by_alias(aliased, request)
    if by_alias is not None and request.spec.promotion.moves_the_alias:
        return by_alias
    named = registry.version(name, champion.version) if champion and champion.is_of(name, target) else None
    return Present(named) if named else by_alias or newest_present(registry, request)


def load(present: Present, model: IsolatedModel, request: RunRequest, retries: RetryPolicy) -> Champion:
    """Load a registered version of any origin; try again if its files cannot be fetched.

    Args:
        present: The version.
        model: A confined process.
        request: The retraining's; its champion has the digest that is recorded.
        retries: How patiently the files are fetched.

    Raises:
        DataError: It cannot be loaded (ChampionNotScorable), or its files are others than those recorded
            (ChampionChanged).
        MlflowException: MLflow could not be reached.
    """
    version = present.version
    try:
        digest = _fetched(version, model, retries)
        known = shown_as_known(version, request.champion, present.alias)
        is_known = known.digest == digest
        if known.digest and not request.accept_champion:
            _require_same(version, known.digest, digest)
        model.load()
        is_own = is_known and known.origin is Origin.RETRAINING
        # Only as a default candidate, recalibrated, it is needed here.
        fitted = _fitted(model.folder) if is_own and not request.spec.retraining.candidates else None
    except DataError:
        raise
    except Exception as error:
        if is_unreachable(error):
            raise
        raise not_scorable(version, _why(error)) from error
    return Champion(
        version=version,
        model=model,
        fitted=fitted,
        names=model.names,
        learnt=learnt_rows(version),
        recorded=known if is_known else known.replaced(digest=digest, origin=Origin.FOUND),
    )


def _fetched(version: Version, model: IsolatedModel, retries: RetryPolicy) -> str:
    """Fetch a version's files into the folder of its process, and return their digest."""
    uri = f"models:/{version.name}/{version.version}"
    with warnings.catch_warnings(action="ignore"):
        retries.call(
            lambda: artifacts_at(uri).download_artifacts("", dst_path=str(model.folder)),
            is_transient=_is_about_files,
        )
    return digest_of_files(model.folder)


def _fitted(folder: Path) -> Any:
    """Load a model in this process. A retraining of this monitor has made it, as its digest proves."""
    with warnings.catch_warnings(action="ignore"):
        info = mlflow.models.get_model_info(str(folder))
        return mlflow.sklearn.load_model(str(folder)) if "sklearn" in info.flavors else None


def _why(error: Exception) -> str:
    return without_secrets(str(error)) if isinstance(error, ModelError) else one_line(error, 300)


def _require_same(version: Version, recorded: str, found: str) -> None:
    if found == recorded:
        return
    raise DataError(
        Reason.CHAMPION_CHANGED,
        f"The files of version {version.version} of {version.name} are not those that were recorded "
        f"(SHA-256 {found[:12]}, recorded {recorded[:12]}), so it is not loaded. If the change is yours, "
        f"request a retraining with the option acceptChampion; if not, find out who writes to the artifacts.",
    )


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
        require_own(address, mlflow.get_tracking_uri())
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


def promotion_tags(past: PastScore, until: str | None, learnt_rows_address: str | None) -> Mapping[str, str]:
    """Return what a later retraining has to know of a version."""
    tags = {TAG_METRIC: past.metric, TAG_SCORE: repr(past.score), TAG_BASELINE: repr(past.baseline)}
    if until:
        tags[TAG_TRAINED_UNTIL] = until
    return tags | ({TAG_LEARNT_ROWS: learnt_rows_address} if learnt_rows_address else {})
