"""How fast requests may follow each other: a token bucket, and a pause when the API server asks for one."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

LONGEST_HOLD: Final = 60.0
"""The API server asks for a second or two; whoever asks for an hour is not one."""


class Throttle:
    """A bucket that holds `burst` tokens and gets `per_second` new ones; each request takes one.

    Kept as the time at which the bucket will be full again (the generic cell rate algorithm): nothing has to
    run to fill it.

    Args:
        per_second: Requests a second, in the long run.
        burst: Requests that may be sent at once after a pause.
        clock: Tells seconds that only grow.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = 1 / per_second
        self._tolerance = burst / per_second
        self._clock = clock
        self._full_at = clock()
        self._held_until = clock()

    async def turn(self) -> None:
        """Return when the next request may be sent."""
        now = self._clock()
        self._full_at = max(self._full_at, now) + self._pause
        if (wait := self._full_at - self._tolerance - now) > 0:
            await asyncio.sleep(wait)
        while (wait := self._held_until - self._clock()) > 0:  # noqa: ASYNC110 - it may be prolonged
            await asyncio.sleep(wait)

    def hold(self, seconds: float) -> None:
        """Send nothing for a while: the API server has said Retry-After, to one request and so to all."""
        self._held_until = max(self._held_until, self._clock() + min(seconds, LONGEST_HOLD))
