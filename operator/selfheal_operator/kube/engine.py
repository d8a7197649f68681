"""What runs a check or a retraining: the seam for other kinds of objects than Jobs of batch/v1.

An engine creates its object under the Job's name, with the Job's labels, annotations and owner, so that the
name stays the lock and the object stays the record. It tells of it as a `Job`, whatever its kind.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from selfheal_operator.core.observed import Job
from selfheal_operator.kube.collection import Collection, Listed

Versioned = tuple[Job, str]
"""A run, and the resourceVersion of its object."""


class Engine(Protocol):
    """Creates, stops, deletes and finds runs, and tells how they ended."""

    collection: Collection
    """Of its objects; those with the label app.kubernetes.io/managed-by of the operator are watched."""

    def read(self, document: Mapping[str, Any]) -> Job | None:
        """Read an object; None if it is not one of ours. Its metadata alone are enough to tell."""

    async def create(self, manifest: dict[str, Any]) -> Versioned:
        """Create the run of a Job's manifest, or find that it is there already: the name is the lock.

        Returns:
            The run, newly made or adopted.

        Raises:
            NameTakenError: another's object has the name.
        """

    async def stop(self, job: Job) -> Versioned | None:
        """Have a run ended; its object stays, as the lock of its slot. Return it, or None if it is gone."""

    async def delete(self, namespace: str, name: str, uid: str) -> None:
        """Delete a run and its pods; one that is gone is no error.

        Raises:
            ConflictError: another one has the name by now.
        """

    async def find(self, namespace: str, name: str) -> Versioned | None:
        """Return a run as it is now; None if there is none of that name."""

    def runs(self, namespace: str, owner_uid: str | None = None) -> AsyncIterator[Versioned]:
        """Yield all runs, or those of one monitor."""

    def listed(self, namespace: str) -> AsyncIterator[Listed]:
        """Yield the state of all runs, without their contents."""

    async def pods(self, job: Job) -> list[dict[str, Any]]:
        """Return the pods of a run, oldest first: they say how it ended, or why it does not start."""
