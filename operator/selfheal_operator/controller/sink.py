"""Where it is told what has changed: the seam for notifications beside Kubernetes' Events."""

from datetime import datetime
from typing import Protocol

from selfheal_operator.core.observed import Monitor
from selfheal_operator.core.plan import Event


class Sink(Protocol):
    """Is told of each change once, after it is stored; what it fails to pass on is lost."""

    async def tell(self, monitor: Monitor, event: Event, now: datetime) -> None:
        """Pass on what has changed.

        Raises:
            SelfhealError: it could not be passed on. The others are told all the same.
        """
