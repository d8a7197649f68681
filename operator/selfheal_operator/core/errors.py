"""Errors, by who must act.

* SelfhealError
  * InvalidSpecError: the user must edit the resource; retrying is useless
  * RejectedError: the API server refuses a request; the user or the platform team must act
  * UnavailableError: nobody must act; retry later
    * NotLeaderError: nobody must act; the leader does the work
  * ConflictError: nobody must act; read again, then decide again
"""


class SelfhealError(Exception):
    """The base class of selfheal's errors."""


class InvalidSpecError(SelfhealError):
    """A field of the spec has a value that cannot be acted upon.

    Args:
        field: The path of the field, for example `spec.schedule`.
        problem: What is wrong with it, and what to write instead.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class RejectedError(SelfhealError):
    """The API server understood the request and refuses it: invalid, forbidden, or over a quota."""


class ConflictError(SelfhealError):
    """The decision was made from a stale read."""


class UnavailableError(SelfhealError):
    """The API server could not answer, or its answer was lost: the outcome is unknown.

    Args:
        message: What happened.
        retry_after_seconds: The server's Retry-After, if any.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotLeaderError(UnavailableError):
    """This replica is not, or no longer, the leader: nothing was sent."""
