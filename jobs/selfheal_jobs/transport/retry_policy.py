"""How often a request is tried, how long each time, and how long the pauses are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from selfheal_jobs.transport.json_http import AnswerError

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """A number of attempts."""

    timeout_seconds: int
    """of one request"""
    retries: int
    """after a refused or timed-out request; the pauses between them double: 1, 2, 4 s and so on"""

    def call(self, attempt: Callable[[], _T], *, is_transient: Callable[[BaseException], bool]) -> _T:
        """Return what the attempt returns; try again while its error is transient, then raise the error."""
        retrying = Retrying(
            retry=retry_if_exception(is_transient),
            wait=wait_exponential(),
            stop=stop_after_attempt(self.retries + 1),
            reraise=True,
        )
        return retrying(attempt)


QUICK: Final = RetryPolicy(timeout_seconds=5, retries=3)
"""7 s for a server that refuses, 27 s for one that does not answer: a check has its verdict already."""
PATIENT: Final = RetryPolicy(timeout_seconds=30, retries=6)
"""63 s for a server that refuses, 4 minutes for one that does not answer: a retraining is lost without it."""
STANDARD: Final = RetryPolicy(timeout_seconds=60, retries=4)
"""For a server that answered a moment ago: it may be busy with a large artifact, or restart."""


@dataclass(frozen=True, kw_only=True)
class DeadlinePolicy:
    """A time limit that depends on what the server answers."""

    total_seconds: float = 300
    """Longer than an API server's restart, shorter than a Job that hangs for nothing."""
    forbidden_seconds: float = 30
    """A RoleBinding that was made together with the Job may take a moment to be known everywhere."""
    longest_pause_seconds: float = 30

    def call(
        self,
        attempt: Callable[[], _T],
        *,
        is_transient: Callable[[BaseException], bool],
        before_pause: Callable[[BaseException, float], None],
    ) -> _T:
        """Return what the attempt returns; try again until the limit for its error, then raise the error.

        Args:
            attempt: What to do.
            is_transient: Whether an error may pass. All others are raised at once.
            before_pause: Told the error and the seconds before each pause.
        """
        retrying = Retrying(
            retry=retry_if_exception(is_transient),
            wait=lambda state: self.pause(_error(state), state.attempt_number - 1),
            stop=lambda state: _end_of_pause(state) > self.limit(_error(state)),
            before_sleep=lambda state: before_pause(_error(state), state.upcoming_sleep),
            reraise=True,
        )
        return retrying(attempt)

    def pause(self, error: BaseException, attempt: int) -> float:
        """Return how many seconds to wait after an attempt, counted from 0."""
        status = _status(error)
        if status == 409:  # somebody else wrote meanwhile: read again at once
            return 0.05 * (attempt + 1)
        if status == 429 and (asked := _retry_after(error)):
            return asked
        return min(2.0**attempt, self.longest_pause_seconds)

    def limit(self, error: BaseException) -> float:
        """Return for how many seconds an error is waited for to pass, pauses included."""
        status = _status(error)
        if status in (401, 403):
            return self.forbidden_seconds
        refused = 400 <= status < 500 and status not in (408, 409, 429)
        return 0 if refused else self.total_seconds


REPORTING: Final = DeadlinePolicy()
"""For the report of a run to the API server."""


def _error(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    if error is None:
        raise ValueError("only a failed attempt is tried again")
    return error


def _end_of_pause(state: RetryCallState) -> float:
    return (state.seconds_since_start or 0) + state.upcoming_sleep


def _status(error: BaseException) -> int:
    """Return the answer's status code; 0 if no answer came."""
    return error.status if isinstance(error, AnswerError) else 0


def _retry_after(error: BaseException) -> float | None:
    value = error.headers.get("Retry-After", "") if isinstance(error, AnswerError) else ""
    return float(value) if str(value).isdigit() else None
