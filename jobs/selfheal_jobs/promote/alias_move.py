"""Moves an alias from one version to another, unless somebody else has moved it."""

from enum import Enum, auto

import msgspec

from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.run_tags import PROMOTED, TAG_APPROVED_BY, TAG_PROMOTION
from selfheal_operator.api.request import PromotionOrder, RunRequest


class AliasMove(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done."""

    name: str
    """The registered model."""
    alias: str
    version: str
    """The version that gets the alias."""
    expected: str | None
    """The version that the alias is on; None if there is no such alias."""
    approved_by: str

    @classmethod
    def of(cls, request: RunRequest, order: PromotionOrder) -> "AliasMove":
        """Return what a request asks for."""
        return cls(
            name=request.mlflow.registered_model_name,
            alias=request.spec.mlflow.champion_alias,
            version=order.version,
            expected=order.expected_version,
            approved_by=order.approved_by,
        )


class End(Enum):
    """How it ended."""

    DONE = auto()
    """The alias is on the version."""
    MOVED_ELSEWHERE = auto()
    """It was, or is, on a version that nobody expected, and was not touched."""
    VERSION_GONE = auto()
    """There is no such version."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a move."""

    end: End
    version: Version | None = None
    """The version that was to get the alias."""
    found: str | None = None
    """The version that the alias is on, where it was not moved."""


def move_alias(registry: ModelRegistry, wanted: AliasMove) -> Moved:
    """Move the alias if it is on the expected version; again if a former attempt may have moved it.

    Raises:
        TrackingError: MLflow could not be reached, or rejected a request.
    """
    version = registry.version(wanted.name, wanted.version)
    if version is None:
        return Moved(end=End.VERSION_GONE)
    found = _aliased(registry, wanted)
    if found not in (wanted.version, wanted.expected):
        return Moved(end=End.MOVED_ELSEWHERE, version=version, found=found)
    if found != wanted.version:
        registry.set_alias(version, wanted.alias)
        found = _aliased(registry, wanted)
        if found != wanted.version:  # somebody has moved it since: theirs stays
            return Moved(end=End.MOVED_ELSEWHERE, version=version, found=found)
    registry.tag_version(version, TAG_APPROVED_BY, wanted.approved_by)
    registry.tag_version(version, TAG_PROMOTION, PROMOTED)
    return Moved(end=End.DONE, version=version)


def _aliased(registry: ModelRegistry, wanted: AliasMove) -> str | None:
    found = registry.version_by_alias(wanted.name, wanted.alias)
    return found.version if found is not None else None
