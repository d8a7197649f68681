"""The process that runs in place of a container."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcluster.childprocess import die_with_parent, kill_marked
from localcluster.processnode.races import unless

POD_MARK = "LOCALCLUSTER_POD"  # in the environment of all processes of a pod: its UID


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command line, its environment, and its working directory."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path


class Container:
    """A running process and all that it started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Command) -> "Container":
        """Start the process in a process group of its own; raises `OSError` when it cannot be started."""
        with command.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                env=dict(command.environment),
                cwd=command.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # If the node is killed, its pods must not keep running unobserved.
                preexec_fn=die_with_parent,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """The number of the process and of its group."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for the end; return the exit code, or the negated number of the signal that ended it."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float, *, at_once: asyncio.Event) -> None:
        """Ask the process group to end, and kill it after the grace period or when `at_once` is set."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(unless(at_once, self.wait()), grace_seconds)
        self._signal(signal.SIGKILL)
        await self.wait()

    def _signal(self, number: signal.Signals) -> None:
        # Once the process was reaped, its id may be reused.
        if self._process.returncode is None:
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                return


def kill_leftovers(pod_uid: str) -> None:
    """Kill processes that a pod's main process left behind; the end of a container would end them too."""
    kill_marked(POD_MARK, pod_uid)
