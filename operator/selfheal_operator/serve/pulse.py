"""The liveness check behind /livez, and the measurement of the event loop's lag."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from selfheal_operator.metrics.instruments import Instruments

BEAT_SECONDS: Final = 1.0
STUCK_SECONDS: Final = 60.0
"""A request to the API server times out after ten seconds, so work still progresses during an outage."""


class Pulse:
    """Runs a heartbeat every second and reports what is stuck.

    An unreachable API server is no reason to restart: calls fail with an error, and the work that waited for
    them ends for now. Only work without any progress is stuck.

    Args:
        instruments: Record the event loop's lag and track work in progress.
        on_beat: Called at each beat.
        timer: A monotonic clock, in seconds.
    """

    def __init__(
        self,
        instruments: Instruments,
        on_beat: Callable[[], None] = lambda: None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._instruments = instruments
        self._on_beat = on_beat
        self._timer = timer
        self._beaten_at = timer()

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            due = self._timer() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self.beat(due)

    def beat(self, due: float) -> None:
        """Record a beat that was due at `due`, by the timer."""
        self._beaten_at = self._timer()
        self._instruments.observe_loop_lag(max(0.0, self._beaten_at - due))
        self._on_beat()

    def trouble(self) -> str | None:
        """Return a sentence on what has been stuck for too long; None if nothing has."""
        silence = self._timer() - self._beaten_at
        if silence > STUCK_SECONDS:
            return f"The event loop's heartbeat has been silent for {silence:.0f} s"
        standstill = self._instruments.works.longest_standstill()
        if standstill > STUCK_SECONDS:
            return f"A worker has been stuck at a monitor for {standstill:.0f} s"
        return None
