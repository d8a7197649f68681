"""How long a server that does not answer is tried."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often, and how long each time."""

    timeout_seconds: int
    """of one request"""
    retries: int
    """after a refused or timed-out request; the pauses between them double"""

    def pauses(self) -> Iterator[float]:
        """Yield the seconds to wait before each retry: 1, 2, 4 and so on."""
        for attempt in range(self.retries):
            yield 2.0**attempt


QUICK: Final = RetryPolicy(timeout_seconds=5, retries=3)
"""7 s for a server that refuses, 27 s for one that does not answer: a check has its verdict already."""
PATIENT: Final = RetryPolicy(timeout_seconds=30, retries=6)
"""63 s for a server that refuses, 4 minutes for one that does not answer: a retraining is lost without it."""
STANDARD: Final = RetryPolicy(timeout_seconds=60, retries=4)
"""For a server that answered a moment ago: it may be busy with a large artifact, or restart."""
