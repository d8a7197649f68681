"""Whose Job has the name that ours needs: the name is the lock, so one that is taken has to be read."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from selfheal_operator.core.errors import ConflictError


class NameHolder(Enum):
    """Whose a Job is that has the name and is not this monitor's."""

    NAMESAKE = auto()
    """A ModelMonitor of the same name with another UID: the one before, or, where our view of the monitor is
    out of date, the one after."""
    TERMINATING = auto()
    """Anybody's. It is being deleted, and its finalizers hold the name for a while."""
    ANOTHER = auto()


class NameTakenError(ConflictError):
    """The name that our Job needs is taken by one that is not ours.

    Args:
        message: What is to be done about it.
        holder: Whose that Job is.
        uid: Which Job it is.
    """

    def __init__(self, message: str, holder: NameHolder, uid: str) -> None:
        super().__init__(message)
        self.holder = holder
        self.uid = uid


def name_holder(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> NameHolder:
    """Return whose Job has the name.

    Args:
        found: The Job that has the name, as a document.
        wanted: The manifest that the API server refused because of it.
    """
    if "deletionTimestamp" in found["metadata"]:
        return NameHolder.TERMINATING
    owner, other = _controller(wanted), _controller(found)
    if _identity(other) == _identity(owner) and other.get("uid") != owner.get("uid"):
        return NameHolder.NAMESAKE
    return NameHolder.ANOTHER


def _controller(job: Mapping[str, Any]) -> Mapping[str, Any]:
    owners = job["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})


def _identity(owner: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """Return what two monitors of one name have in common; the version of the API is not part of it."""
    group = str(owner.get("apiVersion", "")).partition("/")[0]
    return group, owner.get("kind"), owner.get("name")
