"""Retry policies: number of attempts, timeouts and pauses."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct

from selfheal_jobs.transport.json_http import AnswerError

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """A number of attempts."""

    timeout_seconds: int
    """Timeout of one request."""
    retries: int
    """Retries after a refused or timed-out request; the pauses double: 1, 2, 4 s and so on."""

    def call(self, attempt: Callable[[], _T], *, is_transient: Callable[[BaseException], bool]) -> _T:
        """Return the attempt's result; retry transient errors, and raise the last error."""
        return _call(attempt, is_transient, self._options)

    def _options(self) -> dict[str, Any]:
        from tenacity import stop_after_attempt, wait_exponential  # noqa: PLC0415 - see `_call`

        return {"wait": wait_exponential(), "stop": stop_after_attempt(self.retries + 1)}


QUICK: Final = RetryPolicy(timeout_seconds=5, retries=3)
"""7 s if connections are refused, 27 s without a response: the check already has its verdict."""
PATIENT: Final = RetryPolicy(timeout_seconds=30, retries=6)
"""63 s if connections are refused, 4 minutes without a response: a retraining is lost without the server."""
STANDARD: Final = RetryPolicy(timeout_seconds=60, retries=4)
"""For a server that has recently responded: it may be busy with a large artifact, or restarting."""


class DeadlinePolicy(Struct, frozen=True, kw_only=True):
    """A retry policy with a time limit that depends on the server's response."""

    total_seconds: float = 300
    """Longer than an API server's restart, but short enough not to keep a Job hanging."""
    forbidden_seconds: float = 30
    """A RoleBinding created together with the Job may take a moment to take effect on all API servers."""
    longest_pause_seconds: float = 30

    def call(
        self,
        attempt: Callable[[], _T],
        *,
        is_transient: Callable[[BaseException], bool],
        before_pause: Callable[[BaseException, float], None],
    ) -> _T:
        """Return the attempt's result; retry until the time limit for its error, then raise the error.

        Args:
            attempt: The function to call.
            is_transient: Whether an error is retried. All others are raised at once.
            before_pause: Called before each pause with the error and the seconds.
        """
        started = time.monotonic()

        def ends_late(state: "RetryCallState") -> bool:
            return time.monotonic() - started + state.upcoming_sleep > self.limit(_error(state))

        options = {
            "wait": lambda state: self.pause(_error(state), state.attempt_number - 1),
            "stop": ends_late,
            "before_sleep": lambda state: before_pause(_error(state), state.upcoming_sleep),
        }
        return _call(attempt, is_transient, lambda: options)

    def pause(self, error: BaseException, attempt: int) -> float:
        """Return how many seconds to wait after an attempt, counted from 0."""
        status = _status(error)
        if status == 409:  # a concurrent write: read again at once
            return 0.05 * (attempt + 1)
        if status == 429 and (asked := _retry_after(error)):
            return asked
        return min(2.0**attempt, self.longest_pause_seconds)

    def limit(self, error: BaseException) -> float:
        """Return the time limit for retrying an error, in seconds, pauses included."""
        status = _status(error)
        if status in (401, 403):
            return self.forbidden_seconds
        refused = 400 <= status < 500 and status not in (408, 409, 429)
        return 0 if refused else self.total_seconds


REPORTING: Final = DeadlinePolicy()
"""For delivering the report of a run to the API server."""


def _call(
    attempt: Callable[[], _T],
    is_transient: Callable[[BaseException], bool],
    options: Callable[[], dict[str, Any]],
) -> _T:
    """Return the attempt's result; import tenacity only to retry, since that takes 2 % of a check."""
    try:
        return attempt()
    except Exception as error:
        if not is_transient(error):
            raise
        from tenacity import Retrying, retry_if_exception  # noqa: PLC0415 - see the docstring

        retrying = Retrying(retry=retry_if_exception(is_transient), reraise=True, **options())
        return retrying(_failed_once(error, attempt))


def _failed_once(error: Exception, attempt: Callable[[], _T]) -> Callable[[], _T]:
    """Return the attempt as tenacity counts it: its first call raises the error that was raised."""
    errors = [error]

    def call() -> _T:
        if errors:
            raise errors.pop()
        return attempt()

    return call


def _error(state: "RetryCallState") -> BaseException:
    error = state.outcome.exception() if state.outcome else None
    if error is None:
        raise ValueError("only a failed attempt is tried again")
    return error


def _status(error: BaseException) -> int:
    """Return the HTTP status code; 0 without a response."""
    return error.status if isinstance(error, AnswerError) else 0


def _retry_after(error: BaseException) -> float | None:
    value = error.headers.get("Retry-After", "") if isinstance(error, AnswerError) else ""
    return float(value) if str(value).isdigit() else None
