"""Writes a pod's status to the API server, with unlimited retries."""

import asyncio
import logging

from localcluster.processnode.apiserver import ApiError, ApiServer, Document, until_answered

logger = logging.getLogger(__name__)


class StatusReporter:
    """Writes the newest status of one pod; older ones that were not written yet are skipped.

    So a process that starts and ends during an outage of the API server is reported once, as ended.
    """

    def __init__(self, api: ApiServer, pod: Document) -> None:
        metadata = pod["metadata"]
        self._api = api
        self._uid = metadata["uid"]
        self._path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        self._newest: Document | None = None
        self._sent: Document | None = None
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    def report(self, status: Document) -> None:
        """Queue a status and return at once."""
        if status != self._newest:
            self._newest = status
            self._settled.clear()
            self._news.set()

    async def delivered(self) -> None:
        """Wait until the newest status is written, or the pod no longer exists."""
        await self._settled.wait()

    async def run(self) -> None:
        """Write the statuses from `report`, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._send()
            if self._sent == self._newest:
                self._settled.set()

    async def _send(self) -> None:
        try:
            await until_answered(self._patch_newest)
        except ApiError as error:
            self._sent = self._newest
            # 404: deleted by force. 409: another pod has its name now; the UID in the patch does not match.
            if error.status not in {404, 409}:
                logger.warning("Status refused for %s: %s", self._path, error)

    async def _patch_newest(self) -> None:
        newest = self._newest
        await self._api.patch(self._path, {"metadata": {"uid": self._uid}, "status": newest})
        self._sent = newest
