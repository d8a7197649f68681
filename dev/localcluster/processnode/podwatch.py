"""Runs one worker for each pod that is bound to this node."""

import asyncio
import logging
from collections.abc import AsyncIterator

from localcluster.processnode.apiserver import UNREACHABLE, ApiError, Document, until_answered
from localcluster.processnode.context import NodeContext
from localcluster.processnode.podworker import PodWorker

PODS = "/api/v1/pods"

logger = logging.getLogger(__name__)


class PodWatch:
    """Lists and watches this node's pods; outages of the API server only delay it."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._workers: dict[str, PodWorker] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Watch the pods until cancelled; then stop their processes."""
        selector = {"fieldSelector": f"spec.nodeName={self._node.name}"}
        try:
            while True:
                try:
                    await self._follow(selector)
                except UNREACHABLE:
                    await asyncio.sleep(0.2)
                except ApiError as error:
                    # For example 410: the resourceVersion is too old to watch from, so list again.
                    logger.info("Watch ended: %s", error)
                    await asyncio.sleep(0.2)
        finally:
            await self._end_workers()

    async def _follow(self, selector: dict[str, str]) -> None:
        listed = await until_answered(lambda: self._node.api.get(PODS, selector))
        self._replace(listed["items"])
        version = listed["metadata"]["resourceVersion"]
        while True:
            async for event in self._events({**selector, "resourceVersion": version}):
                self._take(event)
                version = event["object"]["metadata"]["resourceVersion"]

    async def _events(self, query: dict[str, str]) -> AsyncIterator[Document]:
        async for event in self._node.api.watch(PODS, query):
            if event["type"] == "ERROR":
                raise ApiError(event["object"].get("code", 500), event["object"].get("message", ""))
            yield event

    def _replace(self, pods: list[Document]) -> None:
        """Process a full list: pods that are not in it were deleted while there was no watch."""
        present = {pod["metadata"]["uid"] for pod in pods}
        for uid in set(self._workers) - present:
            self._workers[uid].see_gone()
        for pod in pods:
            self._put(pod)

    def _take(self, event: Document) -> None:
        if event["type"] in {"ADDED", "MODIFIED"}:
            self._put(event["object"])
        elif event["type"] == "DELETED":
            worker = self._workers.get(event["object"]["metadata"]["uid"])
            if worker:
                worker.see_gone()

    def _put(self, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        if worker := self._workers.get(uid):
            worker.see(pod)
            return
        worker = self._workers[uid] = PodWorker(self._node, pod)
        task = asyncio.create_task(worker.run(), name=uid)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._workers.pop(task.get_name(), None)
        if not task.cancelled() and (error := task.exception()):
            logger.error("Worker of pod %s failed", task.get_name(), exc_info=error)

    async def _end_workers(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
