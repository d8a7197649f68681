"""The life of one pod on this node, from the first look to its removal from the API server."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from localcluster.processnode.apiserver import ApiError, Document, until_answered
from localcluster.processnode.container import POD_MARK, Command, Container, kill_leftovers
from localcluster.processnode.context import NodeContext
from localcluster.processnode.environment import (
    ConfigError,
    SourceRef,
    Sources,
    container_environment,
    expand,
    referenced_sources,
)
from localcluster.processnode.podfolder import PodFolder
from localcluster.processnode.podidentity import keep_token_fresh, write_identity
from localcluster.processnode.podspec import is_terminal, main_container, refusals
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
from localcluster.processnode.statusreporter import StatusReporter

CONFIG_RETRY_SECONDS = 1.0
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """All that is needed to start the container, gathered."""

    command: Command
    token_expires: datetime | None


class PodWorker:
    """Runs one pod. `see` and `see_gone` tell it what the API server says of the pod meanwhile."""

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
        """Take a newer version of the pod."""
        self.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            self._deleted.set()
            self._stopping.set()
            if pod["metadata"].get("deletionGracePeriodSeconds") == 0:
                self._gone.set()

    def see_gone(self) -> None:
        """Take note that the pod is no longer there: removed by force, or by us."""
        self._gone.set()
        self._deleted.set()
        self._stopping.set()

    async def run(self) -> None:
        """Run the pod to its end, report it, and remove the pod once it is deleted."""
        async with _background(self._reporter.run()):
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
            sentence = f"The process node cannot run this pod: {'; '.join(found)}. A real cluster can."
            self._report_start_error("UnsupportedByProcessNode", sentence)
            return
        self._folder.create(self.pod)
        try:
            async with _background(self._watch_deadline()):
                if launch := await self._prepared():
                    await self._run_container(launch)
                else:
                    self._report_never_started()
        finally:
            self._folder.clean()

    async def _prepared(self) -> Launch | None:
        """Gather what the container needs, for as long as it takes; None when the pod is to stop first."""
        while not self._stopping.is_set():
            try:
                launch = await _unless(self._stopping, self._gather())
            except ConfigError as error:
                reason, message = "CreateContainerConfigError", str(error)
                self._reporter.report(waiting_status(self.pod, _now(), reason=reason, message=message))
            else:
                return launch
            await _unless(self._stopping, asyncio.sleep(CONFIG_RETRY_SECONDS))
        return None

    async def _gather(self) -> Launch:
        container = main_container(self.pod)
        expires = await write_identity(self._node, self.pod, self._folder)
        sources = await self._read_sources(referenced_sources(container))
        host, port = self._node.server.removeprefix("https://").split(":")
        given = {
            **dict(self._node.inherited),
            "HOSTNAME": self.pod["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
            "KUBERNETES_SERVICE_PORT_HTTPS": port,
        }
        environment = container_environment(self.pod, container, sources, given)
        words = [expand(word, environment) for word in (*container["command"], *container.get("args", []))]
        command = Command(
            argv=interpreted(words, self._node.interpreter),
            environment={**environment, **self._places(with_identity=expires is not None)},
            directory=self._folder.home,
            log=self._folder.log(container["name"]),
        )
        return Launch(command=command, token_expires=expires)

    def _places(self, *, with_identity: bool) -> dict[str, str]:
        """Return the variables that stand for a container's own file system; they win over the pod's."""
        identity = {"KUBECONFIG": str(self._folder.kubeconfig)} if with_identity else {}
        return {
            **identity,
            "HOME": str(self._folder.home),
            "TMPDIR": str(self._folder.tmp),
            "TERMINATION_MESSAGE_PATH": str(self._folder.termination_message),
            POD_MARK: self._uid,
        }

    async def _read_sources(self, refs: set[SourceRef]) -> Sources:
        """Read the ConfigMaps and Secrets that exist; those that do not are left out."""
        found: dict[str, dict[str, dict[str, str]]] = {"ConfigMap": {}, "Secret": {}}
        for ref in sorted(refs):
            path = f"/api/v1/namespaces/{self.pod['metadata']['namespace']}/{ref.kind.lower()}s/{ref.name}"
            try:
                document = await until_answered(partial(self._node.api.get, path))
            except ApiError as error:
                if error.status != 404:
                    raise ConfigError(error.message) from error
                continue
            data = document.get("data") or {}
            found[ref.kind][ref.name] = decoded(data) if ref.kind == "Secret" else data
        return Sources(configmaps=found["ConfigMap"], secrets=found["Secret"])

    async def _run_container(self, launch: Launch) -> None:
        self._folder.mark_started()
        started = _now()
        try:
            container = await Container.start(launch.command)
        except OSError as error:
            self._report_start_error("StartError", f"cannot start {launch.command.argv[0]}: {error.strerror}")
            return
        self._reporter.report(running_status(self.pod, started, pid=container.pid))
        async with _background(self._keep_token_fresh(launch.token_expires)):
            try:
                code = await self._until_end(container)
            finally:
                kill_leftovers(self._uid)
        self._report_end(code, started)

    async def _keep_token_fresh(self, expires: datetime | None) -> None:
        if expires:
            await keep_token_fresh(self._node, self.pod, self._folder, expires)

    async def _until_end(self, container: Container) -> int:
        """Wait until the process ends, or end it when the pod is to stop."""
        code = await _unless(self._stopping, container.wait())
        if code is None:
            # A deadline leaves the pod its own grace period, a deletion brings one with it.
            grace = self.pod["metadata"].get("deletionGracePeriodSeconds")
            grace = self.pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
            await container.stop(grace, at_once=self._gone)
        return await container.wait()

    async def _watch_deadline(self) -> None:
        """Stop the pod when its activeDeadlineSeconds, counted from its startTime, are over."""
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
        """Give up a pod that an earlier run of this node started: its process was not ours to wait for."""
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
        """Tell the API server that nothing of the deleted pod runs any more, whereupon it forgets it."""
        if self._gone.is_set():
            return
        metadata = self.pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
        # 404 and 409: it is gone already, and perhaps another has its name.
        with contextlib.suppress(ApiError):
            await until_answered(lambda: self._node.api.delete(path, options))


def interpreted(words: list[str], interpreter: str) -> list[str]:
    """Let a command that starts with `python` or `python3` run with the given interpreter."""
    program, *rest = words
    return [interpreter if program in {"python", "python3"} else program, *rest]


def _unknown_end(message: str) -> ContainerEnd:
    """Describe the end of a container that cannot be found, as a kubelet does."""
    reason = "ContainerStatusUnknown"
    return ContainerEnd(exit_code=UNKNOWN_EXIT_CODE, finished=_now(), reason=reason, message=message)


def decoded(data: dict[str, str]) -> dict[str, str]:
    """Return a Secret's values as text."""
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what the work returns, or None when the event comes first; the work is cancelled then."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, waiting):
            task.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)


@contextlib.asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the block, and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _now() -> datetime:
    return datetime.now(UTC)
