from typing import Any

import pytest

from selfheal_jobs.transport.json_http import AnswerError
from selfheal_jobs.transport.retry_policy import (
    PATIENT,
    QUICK,
    REPORTING,
    STANDARD,
    DeadlinePolicy,
    RetryPolicy,
)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without having been waited for."""
    made: list[float] = []
    monkeypatch.setattr("time.sleep", made.append)
    return made


class Failing:
    """Fails with these errors, one after the other, and then returns."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.attempts = 0

    def __call__(self) -> str:
        """Be attempted."""
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def passes(error: BaseException) -> bool:
    """Say that a refused connection may pass."""
    return isinstance(error, ConnectionError)


@pytest.mark.parametrize(("policy", "seconds"), [(QUICK, 7), (STANDARD, 15), (PATIENT, 63)])
def test_pauses_double(pauses: list[float], policy: RetryPolicy, seconds: float) -> None:
    """1, 2, 4 s and so on, and then the last error is raised."""
    failing = Failing(*[ConnectionResetError() for _ in range(20)])

    with pytest.raises(ConnectionResetError):
        policy.call(failing, is_transient=passes)

    assert failing.attempts == policy.retries + 1
    assert pauses == [2.0**attempt for attempt in range(policy.retries)]
    assert sum(pauses) == seconds


def test_an_attempt_that_succeeds_ends_it(pauses: list[float]) -> None:
    """And its result is returned."""
    assert QUICK.call(Failing(ConnectionResetError()), is_transient=passes) == "done"
    assert pauses == [1]


def test_an_error_that_does_not_pass_is_raised_at_once(pauses: list[float]) -> None:
    """It would be the same the next time."""
    failing = Failing(ValueError("no"))

    with pytest.raises(ValueError, match="no"):
        QUICK.call(failing, is_transient=passes)
    assert (failing.attempts, pauses) == (1, [])


@pytest.mark.parametrize(
    ("status", "attempt", "pause", "limit"),
    [
        (503, 0, 1, 300),
        (503, 3, 8, 300),
        (503, 30, 30, 300),
        (408, 0, 1, 300),
        (409, 0, 0.05, 300),
        (429, 0, 1, 300),
        (401, 0, 1, 30),
        (403, 4, 16, 30),
        (422, 0, 1, 0),
        (None, 0, 1, 300),
    ],
)
def test_a_report_is_tried_for_a_limited_time(
    status: int | None, attempt: int, pause: float, limit: float
) -> None:
    """Five minutes for what passes by itself, half a minute for a missing right, none for a refusal."""
    error = AnswerError(status, "why", "", {}) if status else ConnectionResetError()

    assert REPORTING.pause(error, attempt) == pause
    assert REPORTING.limit(error) == limit


@pytest.mark.parametrize(("limit", "attempts"), [(0.9, 1), (1.5, 2)])
def test_a_pause_that_would_end_after_the_limit_is_not_begun(
    pauses: list[float], limit: float, attempts: int
) -> None:
    """The attempt after it would come too late. The pauses take no time here: only the next one counts."""
    failing = Failing(*[ConnectionResetError() for _ in range(9)])
    policy = DeadlinePolicy(total_seconds=limit)

    with pytest.raises(ConnectionResetError):
        policy.call(failing, is_transient=passes, before_pause=lambda *_: None)
    assert failing.attempts == attempts
    assert pauses == [1] * (attempts - 1)


def test_a_refusal_is_not_waited_for(pauses: list[float]) -> None:
    """It would be refused for ever."""
    failing = Failing(AnswerError(422, "Invalid", "", {}))

    with pytest.raises(AnswerError):
        REPORTING.call(failing, is_transient=lambda _: True, before_pause=lambda *_: None)
    assert (failing.attempts, pauses) == (1, [])


def test_retry_after_is_obeyed(pauses: list[float]) -> None:
    """A server that asks for seven seconds gets them, and the log says so."""
    told: list[Any] = []
    busy = AnswerError(429, "Too Many Requests", "", {"Retry-After": "7"})

    REPORTING.call(
        Failing(busy),
        is_transient=lambda _: True,
        before_pause=lambda error, seconds: told.append((error, seconds)),
    )

    assert pauses == [7]
    assert told == [(busy, 7)]
