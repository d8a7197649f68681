"""The present champion of a monitor, also one that selfheal did not register."""

from typing import Final

from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.run_tags import TAG_TARGET
from selfheal_operator.api.model import format_time
from selfheal_operator.api.v1alpha1.status import ModelVersion

CHAMPION_ALIAS: Final = "champion"


def present_version(registry: ModelRegistry, name: str, target: str) -> Version | None:
    """Return the version with the alias `champion`, else the newest one; None if there is none.

    Versions that selfheal registered for another target are left out: spec.target was edited since.

    Raises:
        TrackingError: MLflow could not be reached, or rejected a request.
    """
    for version in (registry.version_by_alias(name, CHAMPION_ALIAS), registry.newest_version(name)):
        if version is not None and version.tags.get(TAG_TARGET, target) == target:
            return version
    return next(iter(registry.versions_with_tags(name, {TAG_TARGET: target})), None)


def shown(version: Version) -> ModelVersion:
    """Return what the status shows of a version."""
    return ModelVersion(
        name=version.name,
        version=version.version,
        target=version.tags.get(TAG_TARGET),
        run_id=version.run_id,
        registered_time=version.created,
    )


def shown_as_known(version: Version, known: ModelVersion | None) -> ModelVersion:
    """Return what the status shows of a version; of one that it knows, it keeps what MLflow cannot tell."""
    found = shown(version)
    return known if known is not None and _identity(known) == _identity(found) else found


def _identity(version: ModelVersion) -> tuple[str, str, str]:
    return version.name, version.version, format_time(version.registered_time)
