"""The lifecycle of one pod on this node, from its first event to its deletion."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from localcluster.processnode.apiserver import ApiError, Document, until_answered
from localcluster.processnode.container import Container, kill_leftovers
from localcluster.processnode.context import NodeContext
from localcluster.processnode.environment import ConfigError
from localcluster.processnode.launch import Launch, gather
from localcluster.processnode.podfolder import PodFolder
from localcluster.processnode.podidentity import keep_token_fresh
from localcluster.processnode.podspec import is_terminal, refusals
from localcluster.processnode.podstatus import (
    START_ERROR_EXIT_CODE,
    UNKNOWN_EXIT_CODE,
    ContainerEnd,
    ended_status,
    failed_status,
    parse_timestamp,
    running_status,
    waiting_status,
)
from localcluster.processnode.races import beside, unless
from localcluster.processnode.statusreporter import StatusReporter

CONFIG_RETRY_SECONDS = 1.0
UNSUPPORTED = "UnsupportedByProcessNode"
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"


class PodWorker:
    """Runs one pod. `see` and `see_gone` pass it later events about the pod."""

    def __init__(self, node: NodeContext, pod: Document) -> None:
        self.pod = pod
        self._node = node
        self._uid = pod["metadata"]["uid"]
        self._folder = PodFolder.of(node.pods, pod)
        self._reporter = StatusReporter(node.api, pod)
        self._stopping = asyncio.Event()
        self._deadline_exceeded = False
        self._deleted = asyncio.Event()
        self._gone = asyncio.Event()
        self.see(pod)

    def see(self, pod: Document) -> None:
        """Handle a newer version of the pod."""
        self.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            self._deleted.set()
            self._stopping.set()
            if pod["metadata"].get("deletionGracePeriodSeconds") == 0:
                self._gone.set()

    def see_gone(self) -> None:
        """Handle the pod's deletion, forced or by this worker."""
        self._gone.set()
        self._deleted.set()
        self._stopping.set()

    async def run(self) -> None:
        """Run the pod to its end, report it, and remove the pod once it is deleted."""
        async with beside(self._reporter.run()):
            if not is_terminal(self.pod):
                await self._live()
            await self._reporter.delivered()
            await self._deleted.wait()
            await self._remove()

    async def _live(self) -> None:
        if self._folder.started:
            self._report_lost()
            return
        if found := refusals(self.pod):
            await self._refuse(found)
            return
        self._folder.create(self.pod)
        try:
            async with beside(self._watch_deadline()):
                if launch := await self._prepared():
                    await self._run_container(launch)
                else:
                    self._report_never_started()
        finally:
            self._folder.clean()

    async def _refuse(self, found: list[str]) -> None:
        sentence = f"The process node cannot run this pod: {'; '.join(found)}. A real cluster can."
        if self.pod["spec"].get("restartPolicy") == "Never":
            self._report_start_error(UNSUPPORTED, sentence)
            return
        # If it failed, its controller would create another pod at once, endlessly.
        self._reporter.report(waiting_status(self.pod, _now(), reason=UNSUPPORTED, message=sentence))
        await self._stopping.wait()
        self._report_never_started()

    async def _prepared(self) -> Launch | None:
        """Prepare the container's start, retrying as needed; None if the pod must stop first."""
        while not self._stopping.is_set():
            try:
                launch = await unless(self._stopping, gather(self._node, self.pod, self._folder))
            except ConfigError as error:
                reason, message = "CreateContainerConfigError", str(error)
                self._reporter.report(waiting_status(self.pod, _now(), reason=reason, message=message))
            else:
                return launch
            await unless(self._stopping, asyncio.sleep(CONFIG_RETRY_SECONDS))
        return None

    async def _run_container(self, launch: Launch) -> None:
        self._folder.mark_started()
        started = _now()
        try:
            container = await Container.start(launch.command)
        except OSError as error:
            self._report_start_error("StartError", f"cannot start {launch.command.argv[0]}: {error.strerror}")
            return
        self._reporter.report(running_status(self.pod, started, pid=container.pid))
        async with beside(self._keep_token_fresh(launch.token_expires)):
            try:
                code = await self._until_end(container)
            finally:
                kill_leftovers(self._uid)
        self._report_end(code, started)

    async def _keep_token_fresh(self, expires: datetime | None) -> None:
        if expires:
            await keep_token_fresh(self._node, self.pod, self._folder, expires)

    async def _until_end(self, container: Container) -> int:
        """Wait until the process ends, or stop it when the pod must stop."""
        code = await unless(self._stopping, container.wait())
        if code is None:
            # A deadline uses the pod's own grace period; a deletion specifies one.
            grace = self.pod["metadata"].get("deletionGracePeriodSeconds")
            grace = self.pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
            await container.stop(grace, at_once=self._gone)
        return await container.wait()

    async def _watch_deadline(self) -> None:
        """Stop the pod when its activeDeadlineSeconds have passed since its startTime."""
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return
        start = self.pod.get("status", {}).get("startTime")
        since = parse_timestamp(start) if start else _now()
        await asyncio.sleep((since + timedelta(seconds=seconds) - _now()).total_seconds())
        self._deadline_exceeded = True
        self._stopping.set()

    def _report_end(self, code: int, started: datetime) -> None:
        message = self._folder.end_message(self.pod, code)
        end = ContainerEnd.of_process(code, started=started, finished=_now(), message=message)
        if self._deadline_exceeded:
            self._report_failed(end, "DeadlineExceeded", DEADLINE_MESSAGE)
        else:
            self._reporter.report(ended_status(self.pod, end))

    def _report_never_started(self) -> None:
        end = _unknown_end("The container was never started")
        if self._deadline_exceeded:
            self._report_failed(end, "DeadlineExceeded", DEADLINE_MESSAGE)
        else:
            self._reporter.report(ended_status(self.pod, end))

    def _report_lost(self) -> None:
        """Fail a pod that an earlier run of this node started: its process cannot be waited for."""
        kill_leftovers(self._uid)
        end = _unknown_end("The process node was restarted and lost this pod's process")
        self._report_failed(end, "ContainerLost", end.message)
        self._folder.clean()

    def _report_start_error(self, reason: str, sentence: str) -> None:
        code = START_ERROR_EXIT_CODE
        end = ContainerEnd(exit_code=code, finished=_now(), reason="StartError", message=sentence)
        self._report_failed(end, reason, sentence)

    def _report_failed(self, end: ContainerEnd, reason: str, message: str) -> None:
        self._reporter.report(failed_status(self.pod, end, reason=reason, message=message))

    async def _remove(self) -> None:
        """Delete the pod object without grace, once none of its processes runs any more."""
        if self._gone.is_set():
            return
        metadata = self.pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
        # 404 and 409: it is already gone; another pod may have its name.
        with contextlib.suppress(ApiError):
            await until_answered(lambda: self._node.api.delete(path, options))


def _unknown_end(message: str) -> ContainerEnd:
    """Describe the end of a container whose state is unknown, as a kubelet does."""
    reason = "ContainerStatusUnknown"
    return ContainerEnd(exit_code=UNKNOWN_EXIT_CODE, finished=_now(), reason=reason, message=message)


def _now() -> datetime:
    return datetime.now(UTC)
