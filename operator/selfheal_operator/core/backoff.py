"""The operator's exponential backoff."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.api.reasons import Reason
from selfheal_operator.core.observed import Rejection

_MOST_DOUBLINGS: Final = 10
"""Bounds the exponent, however often something fails."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double from the first one up to the longest."""

    first: timedelta
    longest: timedelta

    def pause(self, failures: int, jitter: float = 1.0) -> timedelta:
        """Return the pause after so many failures in a row, one at least.

        Args:
            failures: The number of failures in a row.
            jitter: A factor around 1 that spreads the retries of simultaneous failures.
        """
        return min(self.first * (1 << min(failures - 1, _MOST_DOUBLINGS)), self.longest) * jitter


REFUSED_JOB: Final = Backoff(timedelta(seconds=5), timedelta(minutes=5))
"""Short at first: a terminating Job is gone within seconds, and a quota may be free as soon."""


def retry_time(rejection: Rejection) -> datetime:
    """Return when to retry a Job that the API server has refused."""
    # The name of a Job that is being deleted is free as soon as its pods have ended.
    attempts = 1 if rejection.reason is Reason.JOB_TERMINATING else rejection.attempts
    return rejection.time + REFUSED_JOB.pause(attempts)
