"""The present champion of a monitor, also one that selfheal did not register."""

from collections.abc import Iterator

from msgspec import Struct

from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.run_tags import AWAITED, TAG_PROMOTION, TAG_TARGET
from selfheal_operator.api.model import format_time
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import ModelVersion


class Present(Struct, frozen=True):
    """The present champion."""

    version: Version
    alias: str | None = None
    """The alias that it has; None if it is only the newest version."""


def present_version(registry: ModelRegistry, request: RunRequest) -> Present | None:
    """Return the version with the alias of the champion, else the newest one; None if there is none.

    Versions that selfheal registered for another target are left out: spec.target was edited since. Without
    an alias, so are those that wait for their promotion.

    Raises:
        TrackingError: MLflow could not be reached, or rejected a request.
    """
    return present_by_alias(aliased_version(registry, request), request) or newest_present(registry, request)


def aliased_version(registry: ModelRegistry, request: RunRequest) -> Version | None:
    """Return the version that the champion's alias is on, whatever it predicts; None if there is none."""
    return registry.version_by_alias(request.mlflow.registered_model_name, request.spec.mlflow.champion_alias)


def present_by_alias(aliased: Version | None, request: RunRequest) -> Present | None:
    """Return the version with the alias as the present one, unless it is of another target."""
    if aliased is None or not _is_of(aliased, request.spec.target):
        return None
    return Present(aliased, request.spec.mlflow.champion_alias)


def newest_present(registry: ModelRegistry, request: RunRequest) -> Present | None:
    """Return the newest version that is the present one without an alias; None if there is none."""
    found = (each for each in _newest_first(registry, request) if not _waits(each, request))
    return next((Present(each) for each in found), None)


def _newest_first(registry: ModelRegistry, request: RunRequest) -> Iterator[Version]:
    name, target = request.mlflow.registered_model_name, request.spec.target
    newest = registry.newest_version(name)
    if newest is not None and _is_of(newest, target):
        yield newest
        yield from (each for each in registry.versions(name)[1:] if _is_of(each, target))
    yield from registry.versions_with_tags(name, {TAG_TARGET: target})


def _is_of(version: Version, target: str) -> bool:
    return version.tags.get(TAG_TARGET, target) == target


def _waits(version: Version, request: RunRequest) -> bool:
    return request.spec.promotion.moves_the_alias and version.tags.get(TAG_PROMOTION) == AWAITED


def shown(version: Version, alias: str | None = None) -> ModelVersion:
    """Return what the status shows of a version."""
    return ModelVersion(
        name=version.name,
        version=version.version,
        alias=alias,
        target=version.tags.get(TAG_TARGET),
        run_id=version.run_id,
        registered_time=version.created,
    )


def shown_as_known(version: Version, known: ModelVersion | None, alias: str | None = None) -> ModelVersion:
    """Return what the status shows of a version; of one that it knows, it keeps what MLflow cannot tell."""
    found = shown(version, alias)
    if known is None or _identity(known) != _identity(found):
        return found
    return known.replaced(alias=alias, promoted_time=known.promoted_time if alias else None)


def _identity(version: ModelVersion) -> tuple[str, str, str]:
    return version.name, version.version, format_time(version.registered_time)
