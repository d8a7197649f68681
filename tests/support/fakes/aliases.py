"""A model registry in memory whose requests fail when a test says so."""

from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING

from selfheal_jobs.errors import TrackingError
from selfheal_jobs.tracking.model_registry import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "team-a.churn"
REGISTERED = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""When all versions were, as a status holds it; MLflow tells milliseconds."""


class Fault(Enum):
    """What happens to one request."""

    NONE = auto()
    AWAY = auto()
    """It does not arrive."""
    LOST_ANSWER = auto()
    """It is carried out, and its answer does not arrive."""
    KILLED = auto()
    """It is carried out, and the run dies."""


class KilledError(BaseException):
    """The run was killed."""


class Aliases:
    """The versions of one model, its alias, and a log of what was set.

    Args:
        versions: How many there are.
        alias: The version that the alias is on.
    """

    def __init__(self, versions: int = 0, alias: str | None = None) -> None:
        self.alias = alias
        self.tags: dict[str, dict[str, str]] = {str(number): {} for number in range(1, versions + 1)}
        self.sets: list[tuple[str | None, str]] = []
        """Each alias that a run has set: from which version to which."""
        self.faults: Iterator[Fault] = iter(())

    def version(self, name: str, version: str) -> Version | None:
        """Return a version."""
        with _Request(self):
            return self._version(version) if name == NAME and version in self.tags else None

    def version_by_alias(self, name: str, alias: str) -> Version | None:
        """Return the version with the alias."""
        assert (name, alias) == (NAME, "champion")
        with _Request(self):
            return self._version(self.alias) if self.alias else None

    def set_alias(self, version: Version, alias: str) -> None:
        """Move the alias."""
        assert alias == "champion"
        with _Request(self):
            self.sets.append((self.alias, version.version))
            self.alias = version.version

    def tag_version(self, version: Version, key: str, value: str) -> None:
        """Set a tag."""
        with _Request(self):
            self.tags[version.version][key] = value

    def _version(self, number: str) -> Version:
        return Version(NAME, number, REGISTERED + timedelta(milliseconds=250), dict(self.tags[number]))


class _Request:
    """One request, with the fault that is next."""

    def __init__(self, aliases: Aliases) -> None:
        self._fault = next(aliases.faults, Fault.NONE)

    def __enter__(self) -> None:
        if self._fault is Fault.AWAY:
            raise TrackingError("MLflow could not be reached.")

    def __exit__(self, *_: object) -> None:
        if self._fault is Fault.LOST_ANSWER:
            raise TrackingError("MLflow could not be reached.")
        if self._fault is Fault.KILLED:
            raise KilledError
