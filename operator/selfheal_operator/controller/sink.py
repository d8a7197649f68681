"""The interface for notifications about changes; Kubernetes Events are one implementation."""

from datetime import datetime
from typing import Protocol

from selfheal_operator.core.observed import Monitor
from selfheal_operator.core.plan import Event


class Sink(Protocol):
    """Receives each change once, after it is stored. A failed delivery is not retried."""

    async def tell(self, monitor: Monitor, event: Event, now: datetime) -> None:
        """Deliver one change.

        Raises:
            SelfhealError: The delivery failed. The other sinks are still called.
        """
