"""Moves an alias from one version to another, unless somebody else has moved it."""

from datetime import datetime
from enum import Enum, auto
from typing import Protocol

import msgspec

from selfheal_jobs.tracking.model_registry import Version
from selfheal_jobs.tracking.run_tags import PROMOTED, TAG_APPROVED_BY, TAG_PROMOTION
from selfheal_operator.api.model import format_time
from selfheal_operator.api.request import PromotionOrder, RunRequest


class AliasRegistry(Protocol):
    """What a promotion needs of `ModelRegistry`, which it is given."""

    def version(self, name: str, version: str) -> Version | None:
        """Return a version; None if there is none."""

    def version_by_alias(self, name: str, alias: str) -> Version | None:
        """Return the version that an alias points to; None if there is no such alias."""

    def set_alias(self, version: Version, alias: str) -> None:
        """Set an alias to a version."""

    def tag_version(self, version: Version, key: str, value: str) -> None:
        """Set a tag of a version."""


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
    registered_time: datetime | None = None
    """When the version was registered, if that is recorded."""

    @classmethod
    def of(cls, request: RunRequest, order: PromotionOrder) -> "AliasMove":
        """Return what a request asks for."""
        return cls(
            name=request.mlflow.registered_model_name,
            alias=request.spec.mlflow.champion_alias,
            version=order.version,
            expected=order.expected_version,
            approved_by=order.approved_by,
            registered_time=order.known.registered_time if order.known else None,
        )

    def is_for(self, version: Version) -> bool:
        """Return whether the version is the one that was decided on.

        After a model was deleted and made anew, its versions have the same numbers.
        """
        registered = self.registered_time
        return registered is None or format_time(registered) == format_time(version.created)


class End(Enum):
    """How it ended."""

    DONE = auto()
    """The alias is on the version."""
    MOVED_ELSEWHERE = auto()
    """It was, or is, on a version that nobody expected, and was not touched."""
    VERSION_GONE = auto()
    """There is no such version."""
    VERSION_REPLACED = auto()
    """The version of this number was registered at another time than the one that was decided on."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a move."""

    end: End
    version: Version | None = None
    """The version that was to get the alias."""
    found: str | None = None
    """The version that the alias is on, where it was not moved."""


def move_alias(registry: AliasRegistry, wanted: AliasMove) -> Moved:
    """Move the alias if it is on the expected version; again if a former attempt may have moved it.

    Raises:
        TrackingError: MLflow could not be reached, or rejected a request.
    """
    version = registry.version(wanted.name, wanted.version)
    if version is None:
        return Moved(end=End.VERSION_GONE)
    if not wanted.is_for(version):
        return Moved(end=End.VERSION_REPLACED)
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


def _aliased(registry: AliasRegistry, wanted: AliasMove) -> str | None:
    found = registry.version_by_alias(wanted.name, wanted.alias)
    return found.version if found is not None else None
