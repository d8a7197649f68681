"""The default engine: runs are Jobs of batch/v1."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from selfheal_operator.api.names import (
    ANNOTATION_REPLACED,
    LABEL_JOB_UID,
    LABEL_MANAGED_BY,
    LABEL_MONITOR,
    LABEL_MONITOR_UID,
    MANAGED_BY,
)
from selfheal_operator.core.name_lock import NameHolder, NameTakenError, name_holder
from selfheal_operator.core.observed import Job, job_from
from selfheal_operator.kube.client import (
    MERGE,
    METADATA,
    METADATA_LIST,
    AlreadyExistsError,
    ApiClient,
    NotFoundError,
)
from selfheal_operator.kube.collection import EVERYWHERE, Collection, Listed, listed
from selfheal_operator.kube.one_object import one_object

SELECTOR: Final = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
_PODS: Final = Collection("v1", "pods")
_NAME_TAKEN: Final = {
    NameHolder.NAMESAKE: "Job {} belongs to another monitor of this name",
    NameHolder.TERMINATING: "Job {} of another owner is being deleted; waiting until it is gone",
    NameHolder.ANOTHER: "Job {} exists and does not belong to this monitor; delete or rename it",
}


class BatchJobs:
    """The engine that runs checks and retrainings as Jobs."""

    collection: Collection = Collection("batch/v1", "jobs")

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def read(self, document: Mapping[str, Any]) -> Job | None:
        """Read a Job."""
        return job_from(document)

    async def create(self, manifest: dict[str, Any]) -> tuple[Job, str]:
        """Create a Job, or adopt it if it already exists: the name is the lock.

        Returns:
            The Job, created or adopted, and its resourceVersion.

        Raises:
            NameTakenError: A Job of another owner has the name.
        """
        metadata = manifest["metadata"]
        namespace = metadata["namespace"]
        path, call = self.collection.path(namespace), self.collection.call("create")
        try:
            # Metadata is enough: a new Job has no status, and the rest of its 5 KB is what we just sent.
            body = await self._client.request("POST", path, manifest, accept=METADATA, call=call)
        except AlreadyExistsError:
            # Another operator was faster, the response to our own request was lost, or we crashed between
            # creating the Job and writing the status. All three are handled alike: adopt the Job.
            body = await self._get(namespace, metadata["name"])
        job = self.read(body)
        if job is None or job.owner_uid != metadata["ownerReferences"][0]["uid"]:
            holder = name_holder(body, manifest)
            message = _NAME_TAKEN[holder].format(metadata["name"])
            raise NameTakenError(message, holder, body["metadata"]["uid"])
        # Adopt it even if it is being deleted: it has run, and creating it again would run it twice.
        return job, body["metadata"]["resourceVersion"]

    async def stop(self, job: Job) -> tuple[Job, str] | None:
        """Stop a Job's pods if the Job has the same UID. The Job object stays, as the lock of its slot.

        Returns:
            The Job, which fails within seconds, and its resourceVersion; None if it is gone.
        """
        body = {
            "metadata": {"uid": job.uid, "annotations": {ANNOTATION_REPLACED: "true"}},
            "spec": {"activeDeadlineSeconds": 1},  # the only way to stop a running Job but keep it
        }
        path, call = self.collection.path_of(job.namespace, job.name), self.collection.call("patch")
        try:
            stopped = await self._client.request("PATCH", path, body, content_type=MERGE, call=call)
        except NotFoundError:
            return None
        return self._versioned(stopped)

    async def delete(self, namespace: str, name: str, uid: str) -> None:
        """Delete a Job and its pods. A Job that is already gone is not an error.

        Raises:
            ConflictError: Another Job has the name now.
        """
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        path, call = self.collection.path_of(namespace, name), self.collection.call("delete")
        with contextlib.suppress(NotFoundError):
            await self._client.request("DELETE", path, body, call=call)

    async def find(self, namespace: str, name: str) -> tuple[Job, str] | None:
        """Read one of our Jobs and its resourceVersion; None if there is none of that name."""
        try:
            body = await self._get(namespace, name)
        except NotFoundError:
            return None
        return self._versioned(body)

    async def runs(
        self, namespace: str = EVERYWHERE, owner_uid: str | None = None
    ) -> AsyncIterator[tuple[Job, str]]:
        """Yield all our Jobs, or those of one monitor, each with its resourceVersion."""
        selector = SELECTOR if owner_uid is None else f"{SELECTOR},{LABEL_MONITOR_UID}={owner_uid}"
        async for item in self.collection.items(self._client, namespace, {"labelSelector": selector}):
            found = None
            with one_object(self._client.instruments, self.collection.plural, item):
                found = self._versioned(item)
            if found is not None:
                yield found

    async def listed(self, namespace: str = EVERYWHERE) -> AsyncIterator[Listed]:
        """Yield the metadata of all our Jobs."""
        query = {"labelSelector": SELECTOR}
        async for item in self.collection.items(self._client, namespace, query, METADATA_LIST):
            found = None
            with one_object(self._client.instruments, self.collection.plural, item):
                found = self._listed(item)
            if found is not None:
                yield found

    async def pods(self, job: Job) -> list[dict[str, Any]]:
        """Return the pods of a Job, oldest first."""
        query = {"labelSelector": f"{LABEL_JOB_UID}={job.uid}"}
        page = await self._client.request(
            "GET", _PODS.path(job.namespace), query=query, call=_PODS.call("list")
        )
        return sorted(page["items"], key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    async def _get(self, namespace: str, name: str) -> dict[str, Any]:
        path = self.collection.path_of(namespace, name)
        return await self._client.request("GET", path, call=self.collection.call("get"))

    def _listed(self, item: Mapping[str, Any]) -> Listed | None:
        job = self.read(item)  # the metadata show whether it is ours
        if job is None:
            return None
        return listed(item, item["metadata"]["labels"][LABEL_MONITOR], job.owner_uid)

    def _versioned(self, body: Mapping[str, Any]) -> tuple[Job, str] | None:
        job = self.read(body)
        return None if job is None else (job, body["metadata"]["resourceVersion"])
