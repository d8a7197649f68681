"""Controls an operator process: starts, kills, suspends and resumes it."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess

from chaos.clock import ClockStep
from chaos.operator_config import OperatorConfig, live

_PRELOADED = ["chaos.operator_config"]


def fork_server() -> ForkServerContext:
    """Return the server from which operators are forked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


class OperatorProcess:
    """One of several operators; it keeps its name across restarts."""

    def __init__(
        self, forks: ForkServerContext, life: OperatorConfig, entry: Callable[[OperatorConfig], None] = live
    ) -> None:
        self._forks, self._life, self._entry = forks, life, entry
        self._process: ForkServerProcess | None = None
        self._terminated: ForkServerProcess | None = None
        """The newest process that got SIGTERM."""
        self._clock = ClockStep(life.step)
        self.lives = 0
        self.dead: list[str] = []
        """How it ended, each time that nobody had stopped it."""

    @property
    def alive(self) -> bool:
        """Whether its process exists, suspended or not."""
        return self._process is not None and self._process.is_alive()

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start it if it does not run; `settings` replace the current ones."""
        if settings is not None:
            self._life = replace(self._life, settings=settings)
        self._note_own_end()
        if not self.alive:
            self._process = self._forks.Process(target=self._entry, args=(self._life,), daemon=True)
            self._process.start()
            self.lives += 1

    async def kill(self) -> None:
        """Kill it with SIGKILL; return when it has ended."""
        self._note_own_end()
        self._signal(signal.SIGKILL)
        if (process := self._process) is not None:
            self._process = None  # several faults may target the same operator
            await asyncio.to_thread(process.join)
            process.close()

    async def terminate(self, grace_seconds: float = 10) -> None:
        """Stop it with SIGTERM; kill it after the grace period."""
        self.thaw()
        self._note_own_end()
        self._signal(signal.SIGTERM)
        if (process := self._process) is not None:
            self._terminated = process
            await asyncio.to_thread(process.join, grace_seconds)
        await self.kill()

    def freeze(self) -> None:
        """Suspend it with SIGSTOP, like a suspended machine."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume it with SIGCONT."""
        self._signal(signal.SIGCONT)

    def set_clock(self, offset: timedelta) -> None:
        """Set the offset of its clock."""
        self._clock.offset = offset

    def _note_own_end(self) -> None:
        """Record that it ended by itself: it is there no more, and nobody has killed or terminated it."""
        process = self._process
        if process is not None and process is not self._terminated and not process.is_alive():
            self.dead.append(f"{self._life.log.stem} ended by itself, with exit code {process.exitcode}")
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        # multiprocessing has not reaped it yet, so the id is not reused.
        if self._process is not None and self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, number)
