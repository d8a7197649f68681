"""An operator, from outside: a process that is started, killed, frozen and thawed."""

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
    """One operator of several; the same one after a restart."""

    def __init__(
        self, forks: ForkServerContext, life: OperatorConfig, entry: Callable[[OperatorConfig], None] = live
    ) -> None:
        self._forks, self._life, self._entry = forks, life, entry
        self._process: ForkServerProcess | None = None
        self._clock = ClockStep(life.step)
        self.lives = 0

    @property
    def alive(self) -> bool:
        """Whether it runs, or could if it were not frozen."""
        return self._process is not None and self._process.is_alive()

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start it, unless it runs; with other settings from now on, if there are any."""
        if settings is not None:
            self._life = replace(self._life, settings=settings)
        if not self.alive:
            self._process = self._forks.Process(target=self._entry, args=(self._life,), daemon=True)
            self._process.start()
            self.lives += 1

    async def kill(self) -> None:
        """End it in the middle of whatever it does; return when it is dead."""
        self._signal(signal.SIGKILL)
        if (process := self._process) is not None:
            self._process = None  # several faults may strike the same one
            await asyncio.to_thread(process.join)
            process.close()

    async def terminate(self, grace_seconds: float = 10) -> None:
        """Ask it to end; after the grace, end it."""
        self.thaw()
        self._signal(signal.SIGTERM)
        if (process := self._process) is not None:
            await asyncio.to_thread(process.join, grace_seconds)
        await self.kill()

    def freeze(self) -> None:
        """Stop it as a machine that is suspended."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, as if nothing had happened."""
        self._signal(signal.SIGCONT)

    def set_clock(self, offset: timedelta) -> None:
        """Step its clock to be off by so much."""
        self._clock.offset = offset

    def _signal(self, number: signal.Signals) -> None:
        # multiprocessing has not collected it yet, so the number is still its own.
        if self._process is not None and self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, number)
