"""Whether the process is still alive: what /livez says, and what the event loop's lag is."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from selfheal_operator.metrics.instruments import Instruments

BEAT_SECONDS: Final = 1.0
STUCK_SECONDS: Final = 60.0
"""A request to the API server fails after ten seconds: whoever waits for one that is away still gets on."""


class Pulse:
    """Beats every second, and says what has stopped.

    An API server that is away is no reason to restart: calls to it end, with an error, and then the work
    that waited for them is done for now. Only work that nothing comes out of at all is stuck.

    Args:
        instruments: Are told of the event loop's lag, and know of stuck work.
        on_beat: Done at each beat.
        timer: Seconds that only ever grow.
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
        """Note that a beat came that was due at `due`, by the timer."""
        self._beaten_at = self._timer()
        self._instruments.observe_loop_lag(max(0.0, self._beaten_at - due))
        self._on_beat()

    def trouble(self) -> str | None:
        """Return a sentence on what has been stuck for too long; None if all is well."""
        silence = self._timer() - self._beaten_at
        if silence > STUCK_SECONDS:
            return f"The event loop's heartbeat has been silent for {silence:.0f} s"
        standstill = self._instruments.works.longest_standstill()
        if standstill > STUCK_SECONDS:
            return f"A worker has been stuck at a monitor for {standstill:.0f} s"
        return None
