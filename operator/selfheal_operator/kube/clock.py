"""What time it is: that of the API server, by which all other parts of the cluster go."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

logger = logging.getLogger(__name__)

TOLERANCE_SECONDS: Final = 1.0
"""A wall clock that differs by no more is believed: the Date header tells whole seconds."""


class ServerClock:
    """This machine's clock, as long as the API server agrees with it.

    Between two answers it runs by the monotonic clock, so that a step of the wall clock moves nothing before
    the API server has confirmed it. A clock that is stepped would else start the slots of tomorrow, and then
    none until tomorrow.

    Args:
        wall: This machine's wall clock, in seconds since 1970.
        monotonic: A clock that is never stepped, in seconds.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self._deviates = False

    def __call__(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self._monotonic() + self._offset, UTC)

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never stepped."""
        return self._monotonic()

    def hear(self, date: str, asked: float) -> None:
        """Compare with the API server.

        Args:
            date: The Date header of an answer.
            asked: When the answer was asked for, by `monotonic`: the header was written some time since.
        """
        try:
            told = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        now = self._monotonic()
        earliest, latest = told - TOLERANCE_SECONDS, told + 1 + (now - asked) + TOLERANCE_SECONDS
        wall = self._wall() - now
        agrees = earliest <= now + wall <= latest
        if agrees:
            self._offset = wall
        elif not earliest <= now + self._offset <= latest:
            self._offset = told + 0.5 - now
        if agrees is self._deviates:
            self._tell(agrees=agrees, deviation=now + wall - told)

    def _tell(self, *, agrees: bool, deviation: float) -> None:
        self._deviates = not agrees
        if agrees:
            logger.info("This machine's clock agrees with the API server's again")
        else:
            logger.warning(
                "This machine's clock is not the API server's, whose time is used instead",
                extra={"ahead_seconds": round(deviation)},
            )
