"""What the operator asks of the API server, call by call. RBAC in manifests/ grants these and no others."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from selfheal_operator.api.names import (
    ANNOTATION_REPLACED,
    API_VERSION,
    GROUP,
    KIND,
    LABEL_MANAGED_BY,
    LABEL_MONITOR,
    LABEL_MONITOR_UID,
    MANAGED_BY,
    OPERATOR_MANAGER,
    PLURAL,
    RUNNER_ACCOUNT,
    VERSION,
)
from selfheal_operator.core.errors import ConflictError
from selfheal_operator.core.name_lock import NameHolder, name_holder
from selfheal_operator.core.observed import Job, Monitor, job_from
from selfheal_operator.core.plan import Event
from selfheal_operator.kube.client import (
    APPLY,
    JSON,
    MERGE,
    METADATA,
    METADATA_LIST,
    AlreadyExistsError,
    ApiClient,
    NotFoundError,
)

JOB_SELECTOR: Final = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
EVERYWHERE: Final = ""
"""Instead of a namespace: all of them."""
_EVENT_MESSAGE_LIMIT: Final = 1024
_NAME_TAKEN: Final = {
    NameHolder.NAMESAKE: "Job {} belongs to another monitor of this name",
    NameHolder.TERMINATING: "Job {} of another owner is being deleted; waiting until it is gone",
    NameHolder.ANOTHER: "Job {} exists and does not belong to this monitor; delete or rename it",
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a list without contents tells of an object: which one it is, and in which state."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    monitor: str
    """The name of the monitor that it is, or belongs to."""
    owner_uid: str = ""
    """The UID of that monitor, if it is a Job."""


class Cluster:
    """The API server, in the operator's words.

    Args:
        client: The connection.
        namespaces: Those that are served; none: all.
    """

    def __init__(self, client: ApiClient, namespaces: Sequence[str] = ()) -> None:
        self._client = client
        self.scopes: tuple[str, ...] = tuple(namespaces) or (EVERYWHERE,)

    async def probe(self, namespace: str = EVERYWHERE) -> None:
        """Return if ModelMonitors can be listed.

        Raises:
            NotFoundError: the CRD is not installed.
        """
        path = _collection(f"/apis/{GROUP}/{VERSION}", namespace, PLURAL)
        await self._client.request("GET", path, query={"limit": "1"})

    async def monitors(self, namespace: str = EVERYWHERE) -> AsyncIterator[dict[str, Any]]:
        """Yield all ModelMonitors, as documents."""
        async for item in self._items(_collection(f"/apis/{GROUP}/{VERSION}", namespace, PLURAL)):
            yield item

    async def monitors_listed(self, namespace: str = EVERYWHERE) -> AsyncIterator[Listed]:
        """Yield the state of all ModelMonitors, without their contents."""
        path = _collection(f"/apis/{GROUP}/{VERSION}", namespace, PLURAL)
        async for item in self._items(path, accept=METADATA_LIST):
            yield _listed(item, item["metadata"]["name"])

    async def jobs(
        self, namespace: str = EVERYWHERE, owner_uid: str | None = None
    ) -> AsyncIterator[tuple[Job, str]]:
        """Yield all Jobs of ours, or those of one monitor, each with its resourceVersion."""
        selector = JOB_SELECTOR if owner_uid is None else f"{JOB_SELECTOR},{LABEL_MONITOR_UID}={owner_uid}"
        path = _collection("/apis/batch/v1", namespace, "jobs")
        async for item in self._items(path, {"labelSelector": selector}):
            if (job := job_from(item)) is not None:
                yield job, item["metadata"]["resourceVersion"]

    async def jobs_listed(self, namespace: str = EVERYWHERE) -> AsyncIterator[Listed]:
        """Yield the state of all Jobs of ours, without their contents."""
        path, selector = _collection("/apis/batch/v1", namespace, "jobs"), {"labelSelector": JOB_SELECTOR}
        async for item in self._items(path, selector, accept=METADATA_LIST):
            if (job := job_from(item)) is not None:  # what makes it ours is all in the metadata
                yield _listed(item, item["metadata"]["labels"][LABEL_MONITOR], job.owner_uid)

    async def _items(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON
    ) -> AsyncIterator[dict[str, Any]]:
        async for page in self._client.pages(path, query, accept=accept):
            for item in page["items"] or ():  # null where there is none and contents were not asked for
                yield item

    async def monitor(self, namespace: str, name: str) -> dict[str, Any]:
        """Return one ModelMonitor as it is now, as a document."""
        return await self._client.request("GET", _monitor_path(namespace, name))

    async def job(self, namespace: str, name: str) -> tuple[Job, str] | None:
        """Return a Job of ours as it is now, and its resourceVersion; None if there is none of that name."""
        try:
            body = await self._client.request("GET", f"{_jobs_path(namespace)}/{name}")
        except NotFoundError:
            return None
        job = job_from(body)
        return None if job is None else (job, body["metadata"]["resourceVersion"])

    async def create_job(self, manifest: dict[str, Any]) -> tuple[Job, str]:
        """Create a Job, or find that it is there already: the name is the lock.

        Returns:
            The Job, newly made or adopted, and its resourceVersion.

        Raises:
            NameTakenError: another's Job has the name.
        """
        metadata = manifest["metadata"]
        path = _jobs_path(metadata["namespace"])
        try:
            # A new Job has no status, and the rest of its 5 KB is what we have just sent.
            body = await self._client.request("POST", path, manifest, accept=METADATA)
        except AlreadyExistsError:
            # Another operator was faster, the answer to our own request was lost, or we died
            # between creating the Job and writing the status. All three look the same, and are.
            body = await self._client.request("GET", f"{path}/{metadata['name']}")
        job = job_from(body)
        if job is None or job.owner_uid != metadata["ownerReferences"][0]["uid"]:
            holder = name_holder(body, manifest)
            message = _NAME_TAKEN[holder].format(metadata["name"])
            raise NameTakenError(message, holder, body["metadata"]["uid"])
        # Ours even while it is being deleted: it has run, and waiting to create it anew would run it twice.
        return job, body["metadata"]["resourceVersion"]

    async def stop_job(self, job: Job) -> tuple[Job, str] | None:
        """Have a Job's pods ended, if it is still that one; the Job stays, as the lock of its slot.

        Returns:
            The Job, which ends as failed within seconds, and its resourceVersion; None if it is gone.
        """
        body = {
            "metadata": {"uid": job.uid, "annotations": {ANNOTATION_REPLACED: "true"}},
            "spec": {"activeDeadlineSeconds": 1},  # there is no other way to end one that runs
        }
        path = f"{_jobs_path(job.namespace)}/{job.name}"
        try:
            stopped = await self._client.request("PATCH", path, body, content_type=MERGE)
        except NotFoundError:
            return None
        found = job_from(stopped)
        return None if found is None else (found, stopped["metadata"]["resourceVersion"])

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete a Job and its pods with it; one that is gone is no error.

        Raises:
            ConflictError: another Job has the name by now.
        """
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        with contextlib.suppress(NotFoundError):
            await self._client.request("DELETE", f"{_jobs_path(namespace)}/{name}", body)

    async def apply_status(
        self, monitor: Monitor, status: dict[str, Any], manager: str = OPERATOR_MANAGER
    ) -> dict[str, Any]:
        """Write one manager's whole part of the status, if the monitor is still as `monitor` says.

        The resourceVersion makes it a compare-and-swap: a look that is out of date writes nothing.

        Returns:
            The monitor as it is afterwards, as a document.

        Raises:
            ConflictError: it has changed; look again.
        """
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": monitor.name,
                "namespace": monitor.namespace,
                "uid": monitor.uid,
                "resourceVersion": monitor.resource_version,
            },
            "status": status,
        }
        path = _monitor_path(monitor.namespace, monitor.name) + "/status"
        query = {"fieldManager": manager, "force": "true"}
        return await self._client.request("PATCH", path, body, query=query, content_type=APPLY)

    async def pods_of(self, namespace: str, job: Job) -> list[dict[str, Any]]:
        """Return the pods of a Job, oldest first."""
        page = await self._client.request(
            "GET",
            f"/api/v1/namespaces/{namespace}/pods",
            query={"labelSelector": f"batch.kubernetes.io/controller-uid={job.uid}"},
        )
        return sorted(page["items"], key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    async def post_event(self, monitor: Monitor, event: Event, now: datetime) -> None:
        """Record an Event on the monitor."""
        time = now.isoformat(timespec="seconds").replace("+00:00", "Z")
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{monitor.name}.{uuid.uuid4().hex[:16]}", "namespace": monitor.namespace},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": monitor.name,
                "namespace": monitor.namespace,
                "uid": monitor.uid,
                "resourceVersion": monitor.resource_version,
            },
            "type": event.type,
            "reason": str(event.reason),
            "message": event.message[:_EVENT_MESSAGE_LIMIT],
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
            "source": {"component": OPERATOR_MANAGER},
            "reportingComponent": OPERATOR_MANAGER,
            "reportingInstance": "",
        }
        await self._client.request("POST", f"/api/v1/namespaces/{monitor.namespace}/events", body)

    async def ensure_runner_account(self, namespace: str) -> None:
        """See to it that the namespace has the account under which containers patch the status."""
        metadata = {"name": RUNNER_ACCOUNT, "labels": {LABEL_MANAGED_BY: MANAGED_BY}}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": RUNNER_ACCOUNT,
            },
            "subjects": [{"kind": "ServiceAccount", "name": RUNNER_ACCOUNT, "namespace": namespace}],
        }
        await self._create_if_absent(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
        await self._create_if_absent(
            f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding
        )

    async def _create_if_absent(self, path: str, body: dict[str, Any]) -> None:
        try:
            await self._client.request("GET", f"{path}/{body['metadata']['name']}")
        except NotFoundError:
            try:
                await self._client.request("POST", path, body)
            except AlreadyExistsError:
                return


def _jobs_path(namespace: str) -> str:
    return _collection("/apis/batch/v1", namespace, "jobs")


def _monitor_path(namespace: str, name: str) -> str:
    return f"{_collection(f'/apis/{GROUP}/{VERSION}', namespace, PLURAL)}/{name}"


def _collection(group: str, namespace: str, plural: str) -> str:
    return f"{group}/{plural}" if namespace == EVERYWHERE else f"{group}/namespaces/{namespace}/{plural}"


def _listed(item: Mapping[str, Any], monitor: str, owner_uid: str = "") -> Listed:
    metadata = item["metadata"]
    return Listed(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        monitor=monitor,
        owner_uid=owner_uid,
    )
