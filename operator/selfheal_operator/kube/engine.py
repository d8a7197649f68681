"""The interface of engines that run checks and retrainings; Jobs of batch/v1 are the default.

An engine creates its object with the Job's name, labels, annotations and owner, so that the name is the lock
and the object is the record. It represents each object as a `Job`, whatever its kind.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from selfheal_operator.core.observed import Job
from selfheal_operator.kube.collection import Collection, Listed

Versioned = tuple[Job, str]
"""A run, and the resourceVersion of its object."""


class Engine(Protocol):
    """Creates, stops, deletes and finds runs, and reports how they ended."""

    collection: Collection
    """The collection of its objects; those labelled app.kubernetes.io/managed-by the operator are watched."""

    def read(self, document: Mapping[str, Any]) -> Job | None:
        """Read an object; None if it is not one of ours. The metadata are enough to decide that."""

    async def create(self, manifest: dict[str, Any]) -> Versioned:
        """Create the run of a Job's manifest, or adopt it if it already exists: the name is the lock.

        Returns:
            The run, created or adopted.

        Raises:
            NameTakenError: An object of another owner has the name.
        """

    async def stop(self, job: Job) -> Versioned | None:
        """Stop a run; its object stays, as the lock of its slot. Return it, or None if it is gone."""

    async def delete(self, namespace: str, name: str, uid: str) -> None:
        """Delete a run and its pods. A run that is already gone is not an error.

        Raises:
            ConflictError: Another run has the name now.
        """

    async def find(self, namespace: str, name: str) -> Versioned | None:
        """Read a run; None if there is none of that name."""

    def runs(self, namespace: str, owner_uid: str | None = None) -> AsyncIterator[Versioned]:
        """Yield all runs, or those of one monitor."""

    def listed(self, namespace: str) -> AsyncIterator[Listed]:
        """Yield the metadata of all runs."""

    async def pods(self, job: Job) -> list[dict[str, Any]]:
        """Return the pods of a run, oldest first; they show how it ended or why it does not start."""
