"""An API server in memory, as far as the operator needs one.

It keeps the promises that selfheal is built on: names are unique, a write that carries an old resourceVersion
or another's UID is refused, server-side apply takes away what its manager no longer sends, a write that
changes nothing is none, and a watch tells of everything in order, but late.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import GROUP, PLURAL, VERSION
from selfheal_operator.core.errors import ConflictError
from selfheal_operator.kube.client import MERGE, AlreadyExistsError, NotFoundError
from selfheal_operator.metrics.instruments import Instruments

Document = dict[str, Any]

MONITORS: Final = f"/apis/{GROUP}/{VERSION}"
JOBS: Final = "/apis/batch/v1"


class WatchEvent(NamedTuple):
    """Something that a watch tells."""

    type: str
    object: Document


@dataclass
class MemoryApi:
    """Objects by their paths, and all that ever happened to them."""

    clock: Callable[[], datetime]
    objects: dict[str, Document] = field(default_factory=dict)
    history: dict[str, list[WatchEvent]] = field(default_factory=lambda: {PLURAL: [], "jobs": []})
    pods: dict[str, list[Document]] = field(default_factory=dict)
    """By the UID of their Job."""
    events: list[Document] = field(default_factory=list)
    queue_is_full: bool = False
    """New Jobs are suspended, as by Kueue's webhook."""
    instruments: Instruments = field(default_factory=Instruments)
    _revision: int = 1000

    # --- what the operator asks -----------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "",
        accept: str = "",
        call: object = None,
    ) -> Document:
        """Answer as the API server would; stands in for `ApiClient.request`."""
        del accept, call
        if path.endswith("/pods"):
            uid = (query or {})["labelSelector"].rpartition("=")[2]
            return {"items": self.pods.get(uid, [])}
        if path.endswith("/events"):
            self.events.append(dict(body or {}))
            return {}
        if method == "GET":
            return self.get(path)
        if method != "PATCH":
            change = {"POST": self.create, "DELETE": self.delete_as_asked}[method]
            return change(path, dict(body or {}))
        return self._patch(path, dict(body or {}), content_type, (query or {}).get("fieldManager", ""))

    def _patch(self, path: str, body: Document, content_type: str, manager: str) -> Document:
        if "/jobs/" in path:
            return self.stop_job(path, body)
        if content_type == MERGE:
            return self.merge_status(path.removesuffix("/status"), body)
        return self.apply_status(path.removesuffix("/status"), body, manager)

    async def pages(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = "", call: object = None
    ) -> AsyncIterator[Document]:
        """Yield one page, with contents even if they were not asked for; stands in for `ApiClient.pages`."""
        del query, accept, call
        yield {"items": self.listed(path.rpartition("/")[2])}

    # --- what happens at the server -------------------------------------------------------------------------

    def listed(self, plural: str) -> list[Document]:
        """Return all objects of a kind."""
        return [body for path, body in self.objects.items() if f"/{plural}/" in path]

    def get(self, path: str) -> Document:
        """Return an object, or raise NotFoundError."""
        if path not in self.objects:
            raise NotFoundError(path)
        return self.objects[path]

    def create(self, collection: str, body: Document) -> Document:
        """Make an object, or raise AlreadyExistsError."""
        path = f"{collection}/{body['metadata']['name']}"
        if path in self.objects:
            raise AlreadyExistsError(path)
        metadata = body["metadata"] | {
            "uid": f"uid-{self._revision + 1}",
            "creationTimestamp": format_time(self.clock()),
            "generation": 1,
            "managed": {},
        }
        if not collection.endswith("/jobs"):
            return self._store("ADDED", path, dict(body), metadata)
        spec = body.get("spec", {}) | {"suspend": self.queue_is_full}
        status = {} if self.queue_is_full else {"ready": 1}  # so has its pod
        return self._store("ADDED", path, body | {"spec": spec, "status": status}, metadata)

    def delete(self, path: str) -> None:
        """Take an object away."""
        self._tell("DELETED", path, self.objects.pop(path))

    def delete_as_asked(self, path: str, options: Document) -> Document:
        """Take an object away, if it is the one that is meant."""
        wanted = options.get("preconditions", {}).get("uid")
        if wanted not in (None, self.get(path)["metadata"]["uid"]):
            raise ConflictError("uid is not what it was")
        self.delete(path)
        return {}

    def terminate(self, path: str) -> None:
        """Begin to take an object away: its finalizers hold it until `delete`."""
        self._store("MODIFIED", path, self.get(path), {"deletionTimestamp": format_time(self.clock())})

    def stop_job(self, path: str, patch: Document) -> Document:
        """Note on a Job that it is to end; it does so later."""
        before = self.get(path)
        if patch["metadata"]["uid"] != before["metadata"]["uid"]:
            raise ConflictError("uid is not what it was")
        annotations = before["metadata"]["annotations"] | patch["metadata"]["annotations"]
        spec = before["spec"] | patch["spec"]
        return self._store("MODIFIED", path, before | {"spec": spec}, {"annotations": annotations})

    def edit_spec(self, path: str, spec: Document) -> None:
        """Replace a spec, as a user does; an equal one changes nothing."""
        body = self.get(path)
        if body["spec"] != spec:
            generation = body["metadata"]["generation"] + 1
            self._store("MODIFIED", path, body | {"spec": spec}, {"generation": generation})

    def annotate(self, path: str, annotations: Document) -> None:
        """Set annotations, as a user does."""
        body = self.get(path)
        self._store("MODIFIED", path, body, {"annotations": annotations})

    def suspend_job(self, path: str, *, suspend: bool) -> None:
        """Take a Job's pods away, or have it started: what Kueue and the Job controller do."""
        before = self.get(path)
        spec, status = before["spec"] | {"suspend": suspend}, {} if suspend else {"ready": 1}
        self._store("MODIFIED", path, before | {"spec": spec, "status": status})

    def set_job_status(self, path: str, status: Document) -> None:
        """Write what the Job controller writes."""
        self._store("MODIFIED", path, self.get(path) | {"status": status})

    def apply_status(self, path: str, sent: Document, manager: str) -> Document:
        """Apply one manager's part of a status, by its top-level fields."""
        before = self.get(path)
        for precondition in ("uid", "resourceVersion"):
            if sent["metadata"].get(precondition) not in (None, before["metadata"][precondition]):
                raise ConflictError(f"{precondition} is not what it was")
        managed, part = before["metadata"]["managed"], sent["status"]
        others = {name for other, names in managed.items() if other != manager for name in names}
        dropped = set(managed.get(manager, ())) - set(part) - others
        kept = {name: value for name, value in before.get("status", {}).items() if name not in dropped}
        status, managed = kept | part, managed | {manager: sorted(part)}
        if status == before.get("status") and managed == before["metadata"]["managed"]:
            return before
        return self._store("MODIFIED", path, before | {"status": status}, {"managed": managed})

    def merge_status(self, path: str, patch: Document) -> Document:
        """Set top-level fields of a status, or remove those of None."""
        before = self.get(path)
        if patch["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            raise ConflictError("resourceVersion is not what it was")
        merged = {**before.get("status", {}), **patch["status"]}
        status = {name: value for name, value in merged.items() if value is not None}
        return self._store("MODIFIED", path, before | {"status": status})

    def _store(self, kind: str, path: str, body: Document, metadata: Document | None = None) -> Document:
        """Put a new document in place of the old one; what has been handed out is never changed."""
        self._revision += 1
        version = {"resourceVersion": str(self._revision)}
        body = body | {"metadata": body["metadata"] | (metadata or {}) | version}
        self.objects[path] = body
        self._tell(kind, path, body)
        return body

    def _tell(self, kind: str, path: str, body: Document) -> None:
        if (plural := path.split("/")[-2]) in self.history:
            self.history[plural].append(WatchEvent(kind, body))
