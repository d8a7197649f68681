"""Limits the rate of requests: a token bucket, and a pause after Retry-After."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

LONGEST_HOLD: Final = 60.0
"""The longest Retry-After to obey, in seconds. The API server sends one or two; an hour is not from it."""


class Throttle:
    """A bucket that holds `burst` tokens and gets `per_second` new ones; each request takes one.

    The state is the time at which the bucket will be full again (generic cell rate algorithm), so no timer is
    needed to refill it.

    Args:
        per_second: The long-term rate of requests.
        burst: Requests that may be sent at once after a pause.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = 1 / per_second
        self._tolerance = burst / per_second
        self._clock = clock
        self._full_at = clock()
        self._held_until = clock()

    async def turn(self) -> None:
        """Wait until the next request may be sent."""
        now = self._clock()
        self._full_at = max(self._full_at, now) + self._pause
        if (wait := self._full_at - self._tolerance - now) > 0:
            await asyncio.sleep(wait)
        while (wait := self._held_until - self._clock()) > 0:  # noqa: ASYNC110 - it may be prolonged
            await asyncio.sleep(wait)

    def hold(self, seconds: float) -> None:
        """Hold back all requests for `seconds`, after a Retry-After to any of them."""
        self._held_until = max(self._held_until, self._clock() + min(seconds, LONGEST_HOLD))
