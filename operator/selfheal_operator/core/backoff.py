"""How long to wait after the API server has refused a Job."""

from datetime import datetime, timedelta
from typing import Final

from selfheal_operator.api.reasons import Reason
from selfheal_operator.core.observed import Rejection

FIRST: Final = timedelta(seconds=5)
"""Short, because a Job that is being deleted is gone within seconds, and a full quota may be free as soon."""
LONGEST: Final = timedelta(minutes=5)


def retry_time(rejection: Rejection) -> datetime:
    """Return when to ask again."""
    if rejection.reason is Reason.JOB_TERMINATING:
        return rejection.time + FIRST  # somebody has acted already: the name is free as soon as the pods end
    doublings = min(rejection.attempts - 1, 10)
    return rejection.time + min(FIRST * (1 << doublings), LONGEST)
