"""Who owns the Job that has the name we need: the name is the lock, so the existing Job must be read."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from selfheal_operator.core.errors import ConflictError


class NameHolder(Enum):
    """The owner of a Job that has the name but does not belong to this monitor."""

    NAMESAKE = auto()
    """A ModelMonitor of the same name with another UID: an earlier one, or, if our read of the monitor is
    stale, a later one."""
    TERMINATING = auto()
    """Any owner. The Job is being deleted, and its finalizers hold the name for a while."""
    ANOTHER = auto()


class NameTakenError(ConflictError):
    """A Job that is not ours has the name that our Job needs.

    Args:
        message: What to do about it.
        holder: The owner of that Job.
        uid: The UID of that Job.
    """

    def __init__(self, message: str, holder: NameHolder, uid: str) -> None:
        super().__init__(message)
        self.holder = holder
        self.uid = uid


def name_holder(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> NameHolder:
    """Return the owner of the Job that has the name.

    Args:
        found: The Job that has the name, as a document.
        wanted: The manifest that the API server refused with AlreadyExists.
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
    """Return what two monitors of the same name have in common, without the API version."""
    group = str(owner.get("apiVersion", "")).partition("/")[0]
    return group, owner.get("kind"), owner.get("name")
