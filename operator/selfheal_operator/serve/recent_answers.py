"""What was answered lately, of bounded number and age."""

from collections.abc import Callable
from hashlib import sha256
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class RecentAnswers(Generic[Answer]):
    """Remembers answers about secrets; of these it keeps digests only.

    Args:
        seconds: How long an answer holds.
        most: How many are kept; a new one replaces the oldest.
        timer: A monotonic clock, in seconds.
    """

    def __init__(self, seconds: float, most: int, timer: Callable[[], float]) -> None:
        self._seconds, self._most, self._timer = seconds, most, timer
        self._kept: dict[bytes, tuple[float, Answer]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, secret: str) -> Answer | None:
        """Return the answer about a secret, unless it is too old."""
        until, answer = self._kept.get(_digest(secret), (0.0, None))
        return answer if self._timer() < until else None

    def keep(self, secret: str, answer: Answer) -> None:
        """Remember an answer about a secret."""
        self._kept.pop(_digest(secret), None)
        while len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[_digest(secret)] = (self._timer() + self._seconds, answer)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
