"""The current time by the API server's clock, which all other components of the cluster use."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

logger = logging.getLogger(__name__)

ANSWERS: Final = 3
"""So many answers in a row must agree on another time before the clock is moved: a single wrong Date header,
of a proxy or of one API server among several, must not start tomorrow's slots."""
TOLERANCE_SECONDS: Final = 1.0
"""The accepted difference between the wall clock and the Date header, which has whole seconds."""


class ServerClock:
    """This machine's clock while the API server agrees with it; otherwise the API server's.

    Between two responses it runs on the monotonic clock, so that a step of the wall clock has no effect until
    the API server has confirmed it. Otherwise a clock stepped a day ahead would start tomorrow's slots now,
    and then none until tomorrow.

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
        self._proposed = self._offset
        """What the newest answers want the offset to be, if that is another one."""
        self._agreed = 0
        """How many answers in a row want that."""
        self._deviates = False

    def __call__(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self._monotonic() + self._offset, UTC)

    def monotonic(self) -> float:
        """Return the monotonic clock's time in seconds."""
        return self._monotonic()

    def hear(self, date: str, asked: float) -> None:
        """Compare the clock with a response of the API server; correct it if several in a row disagree alike.

        Args:
            date: The Date header of the response.
            asked: When the request was sent, by `monotonic`. The header was written between then and now.
        """
        try:
            told = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return
        now = self._monotonic()
        earliest = told - TOLERANCE_SECONDS - now
        latest = told + 1 + (now - asked) + TOLERANCE_SECONDS - now
        wall = self._wall() - now
        agrees = earliest <= wall <= latest
        if earliest <= self._offset <= latest:
            self._offset, self._agreed = wall if agrees else self._offset, 0
        elif not self._is_agreed(wall if agrees else told + 0.5 - now, earliest, latest):
            return
        if agrees is self._deviates:
            self._tell(agrees=agrees, deviation=now + wall - told)

    def _is_agreed(self, offset: float, earliest: float, latest: float) -> bool:
        """Move the clock if this answer is the last one of `ANSWERS` that agree; return whether it was."""
        agrees = self._agreed > 0 and earliest <= self._proposed <= latest
        self._agreed = self._agreed + 1 if agrees else 1
        self._proposed = offset
        if self._agreed < ANSWERS:
            return False
        self._offset, self._agreed = offset, 0
        return True

    def _tell(self, *, agrees: bool, deviation: float) -> None:
        self._deviates = not agrees
        if agrees:
            logger.info("This machine's clock agrees with the API server's again")
        else:
            logger.warning(
                "This machine's clock is not the API server's, whose time is used instead",
                extra={"ahead_seconds": round(deviation)},
            )
