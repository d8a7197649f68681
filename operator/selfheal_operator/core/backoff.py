"""How long to wait after the API server has refused a Job."""

from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.core.observed import Rejection

FIRST: Final = timedelta(seconds=5)
"""Short, because the Job of an earlier monitor of the same name is gone within seconds."""
LONGEST: Final = timedelta(minutes=5)


def retry_time(rejection: Rejection) -> datetime:
    """Return when to ask again."""
    doublings = min(rejection.attempts - 1, 10)
    return rejection.time + min(FIRST * (1 << doublings), LONGEST)
